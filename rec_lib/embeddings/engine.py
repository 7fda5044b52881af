"""The engine that word2vec, item2vec, DeepWalk, node2vec and EGES share: CBOW or skip-gram, three outputs, any threads.

One pass walks over sentences (or walks, or sessions); for each token and what stands around it, `kernels.step` goes down the
exact gradient of one term of the loss. No global random state: with one thread the same generator gives the same
vectors to the last bit on one machine. Several threads write to the same vectors without locks (Hogwild): faster, and the last
digits depend on who was first.

Sources: Mikolov et al., arXiv:1301.3781 (CBOW, skip-gram) and NIPS 2013 (negatives, tree, subsampling); Recht et al.,
"Hogwild", NIPS 2011; İrsoy, Benton, Stratos, "Corrected CBOW performs as well as skip-gram", 2021 (the 1 / |C| of CBOW's slope).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
from tqdm.auto import tqdm

from rec_lib.embeddings.alias import AliasTable
from rec_lib.embeddings.corpus import Corpus, Stream, Vectors
from rec_lib.embeddings.huffman import HuffmanTree
from rec_lib.embeddings.kernels import NEGATIVE, SOFTMAX, TREE, train_block
from rec_lib.embeddings.splitmix import fresh_state

Architecture = Literal["skip-gram", "cbow"]
Output = Literal["negative", "hierarchical", "softmax"]
OUTPUTS = {"negative": NEGATIVE, "hierarchical": TREE, "softmax": SOFTMAX}
PIECE = 50_000  # tokens between two looks at the clock: the bar moves, Interrupt is heard, threads are handed new work


def keep_probability(counts: np.ndarray, subsample: float) -> np.ndarray:
    """Share of each token's occurrences that is kept, (n,): min(1, √(t / f) + t / f), f = relative count; 0 keeps all.

    This is the word2vec program's law, t = `subsample`, which gensim has too. The paper prints P(discard) = 1 − √(t / f) and
    so keeps less. The program is followed: its law is what values of t are known for and what results are compared with.
    """
    if subsample == 0.0:
        return np.ones(len(counts))
    with np.errstate(divide="ignore"):
        ratio = subsample * counts.sum() / counts  # t / f
    return np.minimum(1.0, np.sqrt(ratio) + ratio)


def noise_law(counts: np.ndarray, power: float = 0.75) -> np.ndarray:
    """The law of the negatives, (n,): counts^power / Σ counts^power. Tokens that never occur are never drawn."""
    weights = np.where(counts > 0, np.asarray(counts, np.float64), 0.0) ** power * (counts > 0)
    return weights / weights.sum()


def start_vectors(size: int, dim: int, rng: np.random.Generator, rows: int | None = None) -> Vectors:
    """word2vec's start, float32: centre uniform in ±0.5 / d, context (or `rows` inner nodes) zero."""
    centre = ((rng.random((size, dim)) - 0.5) / dim).astype(np.float32)
    return Vectors(centre, np.zeros((size if rows is None else rows, dim), np.float32))


def check_training(
    dim: int,
    window: int,
    negatives: int,
    lr: float,
    epochs: int,
    subsample: float = 0.0,
    share: int = 1,
    threads: int = 1,
    power: float = 0.75,
) -> None:
    """Raise ValueError that names the first number out of range."""
    least = {"dim": (dim, 1), "window": (window, 1), "negatives": (negatives, 0), "epochs": (epochs, 1)}
    for name, (value, lowest) in (least | {"share": (share, 1), "threads": (threads, 1)}).items():
        if value < lowest:
            raise ValueError(f"{name} = {value}; expected at least {lowest}")
    if not 0 < lr < np.inf or not 0 <= subsample < np.inf or not np.isfinite(power):
        raise ValueError(
            f"lr = {lr}, subsample = {subsample}, power = {power}; expected lr > 0, subsample >= 0, finite"
        )


def check_form(architecture: str, output: str, share: int) -> None:
    """Raise ValueError for a form that does not exist, or negatives shared where there is nothing to share them between."""
    if architecture not in ("skip-gram", "cbow") or output not in OUTPUTS:
        raise ValueError(
            f"architecture={architecture!r}, output={output!r}; expected 'skip-gram' or 'cbow', and one of {list(OUTPUTS)}"
        )
    if share > 1 and (architecture == "cbow" or output != "negative"):
        raise ValueError(
            f"share = {share}; contexts share negatives in skip-gram with negative sampling only: use share=1"
        )


def check_fitted(model: object) -> None:
    """Raise RuntimeError for a model that is asked for its `vectors` before `fit` made them."""
    if not hasattr(model, "vectors"):
        raise RuntimeError(f"this {type(model).__name__} has no vectors yet: call fit(rng) first.")


def train(
    corpus: Corpus | Stream,
    dim: int = 16,
    *,
    architecture: Architecture = "skip-gram",
    output: Output = "negative",
    window: int = 10,
    dynamic_window: bool = True,
    negatives: int = 5,
    share: int = 1,
    power: float = 0.75,
    subsample: float = 0.0,
    lr: float = 0.05,
    epochs: int = 1,
    threads: int = 1,
    progress: bool = False,
    rng: np.random.Generator,
    start: Vectors | None = None,
) -> Vectors:
    """Train by plain stochastic gradient descent; the step falls linearly from `lr` to 0 over all epochs.

    window: contexts on each side; with `dynamic_window` each centre draws its own reach from 1..window, so a token at
    distance δ counts (window − δ + 1) / window times. Sentences shorter than that have fewer contexts, of one token none.
    negatives: draws from counts^power for each positive pair, or for `share` pairs of one centre together: the same loss in
    expectation, for less work. start: vectors to go on from (copied; their type, float32 or float64, is kept).
    Sentences come in a new order each epoch (within a block of a stream). threads: any number; 1 repeats to the last bit.
    Returns `Vectors`: centre (corpus.size, dim), context the same, or (corpus.size − 1, dim) inner nodes for "hierarchical".
    Raises ValueError for numbers out of range, an empty corpus, a start that does not fit or is not finite, and a step so
    large that the vectors overflow.
    """
    check_training(dim, window, negatives, lr, epochs, subsample, share, threads, power)
    check_form(architecture, output, share)
    counts = corpus.counts
    if counts.sum() == 0:
        raise ValueError("the corpus has no tokens; there is nothing to learn from")
    rows = corpus.size - 1 if output == "hierarchical" else corpus.size
    begin = start_vectors(corpus.size, dim, rng, rows) if start is None else start
    _check_start(begin, (corpus.size, dim), (rows, dim))
    centre, context = begin.centre.copy(), begin.context.copy()
    noise = AliasTable(noise_law(counts, power))
    tree = HuffmanTree(counts if output == "hierarchical" else np.ones(1))
    form = (architecture == "cbow", OUTPUTS[output], window, dynamic_window, negatives, share)
    laws = (keep_probability(counts, subsample), noise.accept, noise.alias, tree.start, tree.nodes, tree.ones)
    total = float(counts.sum() * epochs)

    def run(block: Corpus, order: np.ndarray, done: int, state: np.ndarray) -> int:
        size = int((block.offsets[order + 1] - block.offsets[order]).sum())
        rates = (lr * max(0.0, 1 - done / total), lr * max(0.0, 1 - (done + size) / total))
        train_block(block.tokens, block.offsets, order, centre, context, *form, *laws, *rates, max(1.0, size), state)
        return size

    pieces = _pieces(corpus, epochs, rng)
    with tqdm(total=int(total), desc=architecture, unit="token", unit_scale=True, disable=not progress) as bar:
        if threads == 1:
            state = fresh_state(rng)
            for block, order, done in pieces:
                bar.update(run(block, order, done, state))
        else:
            with ThreadPoolExecutor(threads) as pool:
                for round_ in _rounds(pieces, 4 * threads):  # a few at a time: a stream stays a stream
                    jobs = [pool.submit(run, *piece, fresh_state(rng)) for piece in round_]
                    for job in jobs:
                        bar.update(job.result())
    if not (np.isfinite(centre).all() and np.isfinite(context).all()):
        raise ValueError(f"lr = {lr} is too large: the vectors overflowed. Lower it.")
    return Vectors(centre, context)


def _check_start(start: Vectors, *shapes: tuple[int, int]) -> None:
    if (start.centre.shape, start.context.shape) != shapes:
        raise ValueError(
            f"start has shapes {start.centre.shape}, {start.context.shape}; expected {shapes[0]} and {shapes[1]}"
        )
    if start.centre.dtype != start.context.dtype or start.centre.dtype not in (np.float32, np.float64):
        raise ValueError(
            f"start has types {start.centre.dtype}, {start.context.dtype}; expected one, float32 or float64"
        )
    if not (np.isfinite(start.centre).all() and np.isfinite(start.context).all()):
        raise ValueError("start holds NaN or infinity; expected finite numbers")


def _pieces(corpus: Corpus | Stream, epochs: int, rng: np.random.Generator) -> Iterator[tuple[Corpus, np.ndarray, int]]:
    """All the work in order: a block, some of its sentences in a random order, and the tokens that came before."""
    done = 0
    for epoch in range(epochs):
        before = done
        for block in (corpus,) if isinstance(corpus, Corpus) else corpus.blocks():
            if block.size != corpus.size:
                raise ValueError(
                    f"a block has {block.size} tokens to number, the stream {corpus.size}; expected the same"
                )
            order = rng.permutation(len(block.offsets) - 1)
            lengths = block.offsets[order + 1] - block.offsets[order]
            cuts = np.flatnonzero(np.diff(lengths.cumsum() // PIECE)) + 1
            for part in np.split(order, cuts):
                yield block, part, done
                done += int((block.offsets[part + 1] - block.offsets[part]).sum())
        if done == before:
            raise ValueError(f"the stream gave no tokens in epoch {epoch + 1}; `blocks` must start anew at every call")


def _rounds(
    pieces: Iterator[tuple[Corpus, np.ndarray, int]], size: int
) -> Iterator[list[tuple[Corpus, np.ndarray, int]]]:
    some = []
    for piece in pieces:
        some.append(piece)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some
