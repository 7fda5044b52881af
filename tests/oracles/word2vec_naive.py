"""Word2vec as the papers write it, in plain loops: the loss of one group of pairs by torch, its slope by autograd."""

import numpy as np
import torch
from torch.nn.functional import logsigmoid

MASK = 2**64 - 1


class PlainSplitMix:
    """The generator of the compiled code, in Python integers."""

    def __init__(self, state):
        self.state = int(state)

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def uniform(self):
        return (self.bits() >> 11) / 2**53

    def below(self, n):
        return ((self.bits() >> 32) * n) >> 32

    def negative(self, table):
        bits = self.bits()
        column = ((bits >> 32) * table.n) >> 32
        return column if (bits & 0xFFFFFFFF) / 2**32 < table.accept[column] else int(table.alias[column])


def negative_sampling(h, u, contexts, drawn):
    """E of the contexts that share the drawn words: a draw counts for every context that it is not."""
    loss = -sum(logsigmoid(u[o] @ h) for o in contexts)
    for m in drawn:
        for o in contexts:
            if m != o:
                loss = loss - logsigmoid(-(u[m] @ h))
    return loss


def hierarchical(h, u, path):
    """−Σ_j log σ(⟦n(w, j+1) = ch(n(w, j))⟧ ⟨v'_n(w,j), h⟩), the first child being ch."""
    nodes, ones = path
    return sum((-logsigmoid((1 - 2 * int(b)) * (u[int(n)] @ h)) for n, b in zip(nodes, ones, strict=True)), 0 * h.sum())


def full_softmax(h, u, o):
    return torch.logsumexp(u @ h, 0) - u[o] @ h


def plain_word2vec(
    sentences, start, *, cbow, output, window, dynamic, draws, share, noise, tree, keep, lr, epochs, rng
):
    """Every step is −lr times autograd's gradient of the loss that stands above; returns centre and context, (n, d) each."""
    v = torch.tensor(start.centre, requires_grad=True)
    u = torch.tensor(start.context, requires_grad=True)
    random = PlainSplitMix(rng.integers(0, 2**64, size=1, dtype=np.uint64)[0])
    total, done = sum(map(len, sentences)), 0
    for _ in range(epochs):
        for s in rng.permutation(len(sentences)):
            rate = lr * (1 - done / (total * epochs))
            done += len(sentences[s])
            kept = [int(w) for w in sentences[s] if keep[w] >= 1 or random.uniform() < keep[w]]
            for i, word in enumerate(kept):
                reach = 1 + random.below(window) if dynamic else window
                around = kept[max(0, i - reach) : i] + kept[i + 1 : i + reach + 1]
                targets = [[word]] if cbow else [around[a : a + share] for a in range(0, len(around), share)]
                for met in targets if around else []:
                    h = torch.stack([v[o] for o in around]).mean(0) if cbow else v[word]
                    if output == "negative":
                        loss = negative_sampling(h, u, met, [random.negative(noise) for _ in range(draws)])
                    elif output == "hierarchical":
                        loss = hierarchical(h, u, tree.path(met[0]))
                    else:
                        loss = full_softmax(h, u, met[0])
                    slopes = torch.autograd.grad(loss, (v, u), allow_unused=True)
                    with torch.no_grad():
                        for x, slope in zip((v, u), slopes, strict=True):
                            x -= 0 if slope is None else rate * slope
    return v.detach().numpy(), u.detach().numpy()
