"""Word2vec: a word's vector is trained to guess the words around it, so words in like company get like vectors.

Paper    Mikolov, Chen, Corrado, Dean, arXiv:1301.3781 (2013); Mikolov, Sutskever et al., NIPS 2013, arXiv:1310.4546: eq. 1-4, section 2.
Section  4.2 Word2vec——经典的Embedding方法
Idea     maximise 1/T Σ_t Σ_{−c≤j≤c, j≠0, 1≤t+j≤T} log p(w_{t+j} | w_t),  p by softmax, by a Huffman tree, or against k drawn words
Differs  subsampling keeps the program's √(t / f) + t / f, the paper prints √(t / f); CBOW's slope is that of the mean, 1 / |C| for each word (the program leaves the 1 / |C| out); skip-gram's input is the centre (the program swaps the two: over a corpus the pairs are the same).
Symbols  T words of the corpus · c window · V vocabulary · d size of a vector · k negatives · t subsampling threshold · f share of a word among all
"""

from __future__ import annotations

import numpy as np

from rec_lib.data.text import Text
from rec_lib.embeddings.corpus import Corpus
from rec_lib.embeddings.engine import Architecture, Output, check_fitted, check_form, check_training, train


class Word2vec:
    """Vectors for the words of a text.

    text: a `Text` of at least two different words (`king_james()`, or `read_text` for a file of your own).
    architecture: "skip-gram" (a word guesses its neighbours) or "cbow" (the neighbours' mean guesses the word);
    output: "negative", "hierarchical" or "softmax" (every word for every pair: for small texts); share, subsample, threads
    and the rest as in `engine.train`. CBOW takes a larger step than skip-gram: about 0.2 with the mean's exact slope.
    After `fit`: `vectors` (V, d) and `context` (V, d), or (V − 1, d) for the tree, float32.
    Raises ValueError for numbers out of range and for a text with fewer than two different words, TypeError for no `Text`.
    """

    def __init__(
        self,
        text: Text,
        dim: int = 100,
        architecture: Architecture = "skip-gram",
        output: Output = "negative",
        window: int = 5,
        negatives: int = 5,
        share: int = 1,
        subsample: float = 1e-3,
        lr: float = 0.025,
        epochs: int = 5,
        threads: int = 1,
    ) -> None:
        if not isinstance(text, Text):
            raise TypeError(
                f"text is a {type(text).__name__}; expected a Text, whose words the vectors are asked for by: use read_text or "
                "from_lines of rec_lib.data.text. For a Corpus of numbers use rec_lib.embeddings.train"
            )
        check_training(dim, window, negatives, lr, epochs, subsample, share, threads)
        check_form(architecture, output, share)
        if len(text.words) < 2:
            raise ValueError(
                f"{text.name} has {len(text.words)} word; two are needed before one can be told from another"
            )
        self.text = text
        self.architecture, self.output = architecture, output
        self.dim, self.window, self.negatives, self.share = dim, window, negatives, share
        self.subsample, self.lr, self.epochs, self.threads = subsample, lr, epochs, threads

    def fit(self, rng: np.random.Generator, progress: bool = False) -> np.ndarray:
        """Train from new random vectors: (V, d) float32. With one thread the same generator state gives the same vectors."""
        trained = train(
            Corpus(self.text.tokens, self.text.offsets, len(self.text.words)),
            self.dim,
            architecture=self.architecture,
            output=self.output,
            window=self.window,
            negatives=self.negatives,
            share=self.share,
            subsample=self.subsample,
            lr=self.lr,
            epochs=self.epochs,
            threads=self.threads,
            progress=progress,
            rng=rng,
        )
        self.vectors, self.context = trained  # (V, d) twice
        return self.vectors

    def nearest(self, word: str, k: int = 10) -> list[tuple[str, float]]:
        """The k words with the largest cosine to `word`, best first. Raises KeyError for a word that the text lacks, RuntimeError before `fit`."""
        check_fitted(self)
        return self._ranked(unit(self.vectors)[self.text.number(word)], {word}, k)

    def analogy(self, a: str, b: str, c: str, k: int = 5) -> list[tuple[str, float]]:
        """a is to b as c is to …: the k words with the largest cosine to b − a + c, the three themselves left out.

        All vectors have length 1 first, as in the word2vec program. Raises KeyError for a word that the text lacks, RuntimeError before `fit`.
        """
        check_fitted(self)
        u = unit(self.vectors)
        at_a, at_b, at_c = (u[self.text.number(word)] for word in (a, b, c))
        return self._ranked(at_b - at_a + at_c, {a, b, c}, k)

    def _ranked(self, query: np.ndarray, without: set[str], k: int) -> list[tuple[str, float]]:
        cosine = unit(self.vectors) @ unit(query[None])[0]  # (V,)
        best = np.argsort(-cosine, kind="stable")[: k + len(without)]
        return [(self.text.words[w], float(cosine[w])) for w in best if self.text.words[w] not in without][:k]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1, (n, d); a row of zeros stays one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
