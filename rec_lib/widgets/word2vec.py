"""Word2vec live: window and negatives → the training pairs of one sentence, the vectors as they move, neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rec_lib.data.text import Text, from_lines
from rec_lib.embeddings.alias import AliasTable
from rec_lib.embeddings.corpus import Corpus, Vectors
from rec_lib.embeddings.engine import noise_law, start_vectors, train
from rec_lib.embeddings.word2vec import unit
from rec_lib.figures.word2vec import Scene, scene_figure, summary
from rec_lib.widgets.core import Panel, check_choice, check_whole, choice, slider

TOPICS = (
    (("king", "queen", "prince"), ("rules", "loves"), ("city", "land", "people")),
    (("cat", "dog", "wolf"), ("hunts", "eats"), ("mouse", "bird", "fish")),
    (("baker", "cook", "miller"), ("makes", "sells"), ("bread", "cake", "flour")),
)
LINES = [
    f"the {who} {does} the {what}" for whos, verbs, whats in TOPICS for who in whos for does in verbs for what in whats
]
SENTENCES = tuple(LINES[k] for k in (0, 18, 36))
STEPS, PASSES, DIM, SEED = 20, 2, 8, 0  # PASSES epochs between two steps of the slider
WIDEST, MOST = 4, 10


@dataclass(frozen=True)
class Way:
    """The vectors of one setting after every step, (STEPS + 1, V, d), and the same in two dimensions."""

    vectors: np.ndarray
    flat: np.ndarray


class Explorer:
    """The panel's pure part, over a toy text of three topics."""

    def __init__(self) -> None:
        self.text: Text = from_lines(LINES, "toy")
        self.corpus = Corpus(self.text.tokens, self.text.offsets, len(self.text.words))
        topic = {w: k for k, groups in enumerate(TOPICS, start=1) for group in groups for w in group}
        self.group = np.array([topic.get(w, 0) for w in self.text.words])
        self._way = lru_cache(maxsize=None)(self._train)

    def _train(self, window: int, negatives: int) -> Way:
        rng = np.random.default_rng(SEED)
        now: Vectors = start_vectors(self.corpus.size, DIM, rng)
        seen = [now.centre]
        for _ in range(STEPS):
            now = train(self.corpus, DIM, window=window, negatives=negatives, lr=0.1, epochs=PASSES, rng=rng, start=now)
            seen.append(now.centre)
        vectors = np.stack(seen)
        end = vectors[-1] - vectors[-1].mean(0)
        _, _, axes = np.linalg.svd(end, full_matrices=False)
        return Way(vectors, (vectors - vectors[-1].mean(0)) @ axes[:2].T)

    def compute(self, sentence: str, window: int, negatives: int, step: int, word: str) -> Scene:
        """One setting. sentence: one of SENTENCES; window: 1 to 4 on each side; negatives: 0 to 10; step: 0 to 20.

        Raises ValueError that names the control out of range.
        """
        check_choice("sentence", sentence, SENTENCES)
        check_whole("window", window, 1, WIDEST)
        check_whole("negatives", negatives, 0, MOST)
        check_whole("step", step, 0, STEPS)
        check_choice("word", word, self.text.words)
        words = tuple(sentence.split())
        place = np.arange(len(words))
        gap = np.abs(place[:, None] - place)
        share = np.where(
            (gap > 0) & (gap <= window), (window - gap + 1) / window, 0.0
        )  # P(the reach is at least the gap)
        rng = np.random.default_rng(SEED)
        noise = AliasTable(noise_law(self.corpus.counts))
        pairs = [(words[i], words[j]) for i, j in zip(*np.nonzero(share), strict=True)][:3]
        drawn = tuple(
            (
                a,
                b,
                tuple(self.text.words[m] for m in noise.draw(negatives, rng) if self.text.words[m] != b)
                or ("nothing",),
            )
            for a, b in pairs
        )
        way = self._way(window, negatives)
        u = unit(way.vectors[step])
        cosine = u @ u.T
        asked = self.text.number(word)
        order = [w for w in np.argsort(-cosine[asked], kind="stable") if w != asked][:4]
        topical = self.group > 0
        same = (self.group[:, None] == self.group) & ~np.eye(len(u), dtype=bool)
        both = topical[:, None] & topical
        return Scene(
            words=words,
            share=share,
            negatives=negatives,
            drawn=drawn,
            names=self.text.words,
            group=self.group,
            trail=way.flat[: step + 1],
            asked=word,
            near=tuple((self.text.words[w], float(cosine[asked, w])) for w in order),
            within=float(cosine[both & same].mean()),
            across=float(cosine[both & ~same & ~np.eye(len(u), dtype=bool)].mean()),
            epoch=step * PASSES,
        )


def word2vec_panel() -> Panel:
    """The panel."""
    explorer = Explorer()
    controls = {
        "sentence": choice("sentence", SENTENCES, SENTENCES[0]),
        "window": slider("window c (words each side)", 1, WIDEST, 2, 1),
        "negatives": slider("negatives k per pair", 0, MOST, 5, 1),
        "step": slider("training (1 = 2 passes)", 0, STEPS, STEPS, 1),
        "word": choice("neighbours of", explorer.text.words, "king"),
    }
    return Panel(controls, explorer.compute, scene_figure, summary)
