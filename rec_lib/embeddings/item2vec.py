"""Item2vec: skip-gram on sets, so items that lie in the same baskets get like vectors.

Paper    Barkan, Koenigstein, "Item2Vec: Neural Item Embedding for Collaborative Filtering", MLSP 2016, arXiv:1603.04259: section 3.
Section  4.3 Item2vec——Word2vec在推荐系统领域的推广
Idea     maximise 1/K Σ_{i=1}^K Σ_{j≠i}^K log p(w_j | w_i),  p(w_j | w_i) = σ(⟨v_i, u_j⟩) Π_k σ(−⟨v_i, u_k⟩),  for each set of K items
Differs  one table of sets, each pair once: the 1/K, which makes a set count by its size, not by its pairs, comes with the paper's other way, a new order each epoch and a window; subsampling keeps the word2vec program's √(t / f) + t / f, the paper prints √(t / f).
Symbols  K items of a set · v, u the two vectors of an item · d size of a vector · k negatives, drawn by count^0.75 · t subsampling threshold
"""

from __future__ import annotations

import numpy as np

from rec_lib.embeddings.corpus import Corpus, Stream
from rec_lib.embeddings.engine import check_fitted, check_training, noise_law, train


class Item2vec:
    """Vectors for items from sets of them: baskets, histories, play lists.

    baskets: a `Corpus` of item numbers; the order within a basket and repeats are dropped, empty baskets and baskets of
    one item have no pairs. dim: d. window: None, every pair of a basket once an epoch, K(K − 1) of them; or a number c,
    the baskets in a new random order each epoch and c items on either side, about 2cK pairs. negatives: k; share,
    subsample, lr, epochs: as in `engine.train`.
    After `fit`: `vectors` (n, d), `context` (n, d), float32, and `noise` (n,), the law of the negatives.
    Raises ValueError for numbers out of range and where no basket holds two different items.
    """

    def __init__(
        self,
        baskets: Corpus,
        dim: int = 32,
        window: int | None = None,
        negatives: int = 5,
        share: int = 1,
        subsample: float = 0.0,
        lr: float = 0.05,
        epochs: int = 5,
    ) -> None:
        check_training(dim, 1 if window is None else window, negatives, lr, epochs, subsample, share)
        self.baskets = as_sets(baskets)
        if largest(self.baskets) < 2:
            raise ValueError(
                "no basket holds two different items; an item is learnt from those beside it, so expected at least one pair"
            )
        self.dim, self.window, self.negatives, self.share = dim, window, negatives, share
        self.subsample, self.lr, self.epochs = subsample, lr, epochs

    def fit(self, rng: np.random.Generator, progress: bool = False) -> np.ndarray:
        """Train from new random vectors: (n, d) float32. The same generator state gives the same vectors."""
        source: Corpus | Stream = self.baskets
        if self.window is not None:
            source = Stream(lambda: (in_new_order(self.baskets, rng),), self.baskets.size)
        trained = train(
            source,
            self.dim,
            window=largest(self.baskets) - 1 if self.window is None else self.window,
            dynamic_window=False,
            negatives=self.negatives,
            share=self.share,
            subsample=self.subsample,
            lr=self.lr,
            epochs=self.epochs,
            progress=progress,
            rng=rng,
        )
        self.vectors, self.context = trained  # (n, d) twice
        self.noise = noise_law(self.baskets.counts)  # (n,)
        return self.vectors

    def nearest(self, item: int, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The k items of the baskets with the largest cosine to `item`, best first: numbers (k,) and cosines (k,).

        Raises KeyError for an item that no basket holds, RuntimeError before `fit`.
        """
        check_fitted(self)
        counts = self.baskets.counts
        if not 0 <= item < len(counts) or counts[item] == 0:
            raise KeyError(f"item {item} is in no basket; expected one of {int((counts > 0).sum())} that are")
        u = self.vectors / np.maximum(np.linalg.norm(self.vectors, axis=1, keepdims=True), 1e-12)
        cosine = np.where(counts > 0, u @ u[item], -np.inf)
        cosine[item] = -np.inf
        best = np.argsort(-cosine, kind="stable")[: min(k, int((counts > 0).sum()) - 1)]
        return best, cosine[best]


def as_sets(baskets: Corpus) -> Corpus:
    """The same baskets with every item once, in the order of the numbers: what is left when order means nothing."""
    owner = np.repeat(np.arange(len(baskets.offsets) - 1), np.diff(baskets.offsets))
    pairs = np.unique(owner * baskets.size + baskets.tokens)
    lengths = np.bincount(pairs // baskets.size, minlength=len(baskets.offsets) - 1)
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    return Corpus((pairs % baskets.size).astype(np.int32), offsets, baskets.size)


def in_new_order(baskets: Corpus, rng: np.random.Generator) -> Corpus:
    """Each basket in a random order of its own."""
    owner = np.repeat(np.arange(len(baskets.offsets) - 1), np.diff(baskets.offsets))
    return Corpus(baskets.tokens[np.lexsort((rng.random(len(owner)), owner))], baskets.offsets, baskets.size)


def largest(baskets: Corpus) -> int:
    """Items of the largest basket; 0 where there is none."""
    return int(np.diff(baskets.offsets).max(initial=0))


def basket_means(vectors: np.ndarray, baskets: Corpus) -> np.ndarray:
    """A user's vector is the mean of the user's items' vectors: (baskets, d) float64; zeros for an empty basket."""
    lengths = np.diff(baskets.offsets)
    sums = np.zeros((len(lengths), vectors.shape[1]))
    np.add.at(sums, np.repeat(np.arange(len(lengths)), lengths), vectors[baskets.tokens].astype(np.float64))
    return sums / np.maximum(lengths, 1)[:, None]


def expected_visits(size: int, window: int) -> float:
    """How often an epoch meets an ordered pair of a basket of `size` items in a random order: c(2K − c − 1) / (K(K − 1))."""
    c = min(window, size - 1)
    return c * (2 * size - c - 1) / (size * (size - 1)) if size > 1 else 0.0
