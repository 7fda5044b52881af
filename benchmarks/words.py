"""Skip-gram with negative sampling: rec_lib's engine beside gensim, on the King James Bible and on MovieLens sessions.

Speed     words per CPU second of one pass, one thread, by turns: vectors of 100, window 5, five negatives, with and without
          subsampling. rec_lib twice: new negatives for each pair, as gensim draws them, and negatives shared by the pairs of a centre.
Words     median rank of a gold pair's mate (the pairs of section 4.2, test part) after ten passes. The step size of each side is
          chosen on the validation pairs, from one grid, with a seed of its own.
Films     genre precision@10 of films liked at least ten times (section 4.4.2), sessions as sentences, equal settings for both,
          twenty passes.

Results go to results/words.jsonl.

Run  python course.py bench words
"""

import statistics
import sys
from pathlib import Path

import numpy as np
from peers.environment import environment
from sides.options import short
from sides.process import OWN, Job, Side, SideStopped, medians, sides
from sides.results import line, stopped, write

from rec_lib.data import movielens, views
from rec_lib.data.text import king_james
from rec_lib.data.word_pairs import gold_pairs
from rec_lib.evaluation.words import pair_ranks
from rec_lib.experiments.node2vec import genre_precision, genres

SHARED = "rec_lib, shared negatives"
BASE = {"dim": 100, "window": 5, "dynamic_window": True, "negatives": 5, "subsample": 0.0, "lr": 0.025, "share": 1}
RATES = (0.025, 0.05, 0.1)
FILMS = {  # equal for both sides
    "window 5": {"dim": 32, "lr": 0.05},
    "window 5, sample 1e-4": {"dim": 32, "lr": 0.05, "subsample": 1e-4},
    "window 20": {"dim": 32, "lr": 0.025, "window": 20},
}
Corpus = dict[str, np.ndarray]


def jobs(python: Path, corpus: Corpus, size: int, **changed: object) -> dict[str, Job]:
    """The three sides with the same words and the same settings; sharing is the one difference between rec_lib's two."""
    told = BASE | {"size": size} | changed
    shared = told | {"share": 2 * int(told["window"])}
    own = Path(sys.executable)
    return {
        OWN: (own, "words_rec_lib", told, corpus),
        SHARED: (own, "words_rec_lib", shared, corpus),
        "gensim": (python, "words_gensim", told, corpus),
    }


def speed(python: Path, corpus: Corpus, size: int, runs: int) -> tuple[list[dict], dict[str, str]]:
    lines, versions, words = [], {}, len(corpus["tokens"])
    for subsample in (0.0, 1e-3):
        case = f"sample {subsample:g}"
        with sides(jobs(python, corpus, size, subsample=subsample)) as found:
            versions |= {
                k: v for name, side in found.running.items() if name == "gensim" for k, v in side.versions.items()
            }
            for side, m in medians(found.turns("epoch", runs)).items():
                lines.append(line("skip-gram", case, side, "words per CPU s", words / m["seconds"], runs=m["runs"], memory=m["memory"]))  # fmt: skip
            lines += [stopped("skip-gram", case, side, said) for side, said in found.stopped.items()]
    return lines, versions


def vectors(job: Job, seed: int, epochs: int) -> np.ndarray:
    side = Side(*job)
    try:
        return side.do("fit", save=True, seed=seed, epochs=epochs).arrays["vectors"]
    finally:
        side.close()


def word_quality(python: Path, corpus: Corpus, text, seeds: range, epochs: int) -> list[dict]:
    def rank(side: str, lr: float, seed: int, part: str) -> float:
        job = jobs(python, corpus, len(text.words), subsample=1e-3, lr=lr)[side]
        return float(np.median(pair_ranks(vectors(job, seed, epochs), gold_pairs(text, part))))

    lines = []
    for side in (OWN, SHARED, "gensim"):
        try:
            lr = min(RATES, key=lambda rate, side=side: rank(side, rate, 100, "validation"))
            found = [rank(side, lr, seed, "test") for seed in seeds]
        except SideStopped as error:
            lines.append(stopped("gold pairs", "sample 0.001", side, str(error)))
            continue
        lines.append(
            line("gold pairs", "sample 0.001", side, "median rank", statistics.mean(found), values=found, lr=lr)
        )
    return lines


def film_quality(python: Path, seeds: range, epochs: int) -> list[dict]:
    ml = movielens.load("ml-100k")
    table, sessions = genres(ml), views.sequences(ml)
    corpus = as_corpus(sessions)
    chosen = np.flatnonzero(np.bincount(corpus["tokens"], minlength=len(table)) >= 10)
    occurring = np.unique(corpus["tokens"])
    place = np.searchsorted(occurring, chosen)
    lines = []
    for case, changed in FILMS.items():
        for side, job in jobs(python, corpus, len(table), **changed).items():
            try:
                values = [
                    genre_precision(vectors(job, seed, epochs)[occurring], table[occurring], place) for seed in seeds
                ]
            except SideStopped as error:
                lines.append(stopped("films", case, side, str(error)))
                continue
            lines.append(line("films", case, side, "genre precision@10", statistics.mean(values), values=values))
    return lines


def as_corpus(sentences: list[np.ndarray]) -> Corpus:
    offsets = np.concatenate(([0], np.cumsum([len(s) for s in sentences]))).astype(np.int64)
    return {"tokens": np.concatenate(sentences).astype(np.int32), "offsets": offsets}


def main() -> None:
    brief, python = short(), environment()
    text = king_james()
    corpus = {"tokens": text.tokens, "offsets": text.offsets}
    lines, versions = speed(python, corpus, len(text.words), runs=2 if brief else 7)
    if not brief:
        lines += word_quality(python, corpus, text, range(5), epochs=10)
    lines += film_quality(python, range(1 if brief else 5), epochs=5 if brief else 20)
    for row in lines:
        print(row, flush=True)
    write("words", lines, versions, brief)


if __name__ == "__main__":
    main()
