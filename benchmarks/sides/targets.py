"""What rec_lib should reach beside its peers. A target that is missed stays here and the report says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sides.clicks import MINIMAL
from sides.process import OWN
from sides.results import times_as_fast

SHARED = "rec_lib, shared negatives"
Kind = Literal["times as fast", "at least", "at most", "best peer less"]


@dataclass(frozen=True)
class Target:
    """One row: what is wanted of `side` in a job and case of a results file.

    kind    "times as fast" as each of `than` (the slowest ratio counts; all others but rec_lib's own and the minimal loop where it is
            empty), a value "at least" or "at most" `wanted`, or at least the "best peer less" `wanted`
    """

    file: str
    job: str
    case: str
    kind: Kind
    wanted: float
    than: tuple[str, ...] = ()
    side: str = OWN

    def reached(self, lines: list[dict]) -> float | None:
        """The figure to hold against `wanted`; None where it was not measured."""
        found = {r["side"]: r for r in lines if (r["job"], r["case"]) == (self.job, self.case) and "value" in r}
        if self.side not in found:
            return None
        if self.kind in ("at least", "at most"):
            return found[self.side]["value"]
        rivals = self.than or tuple(name for name in found if not name.startswith(OWN) and name != MINIMAL)
        if self.kind == "best peer less":
            values = [found[name]["value"] for name in rivals if name in found]
            return found[self.side]["value"] - max(values) if values else None
        ratios = [times_as_fast(lines, self.job, self.case, self.side, name) for name in rivals]
        known = [ratio for ratio in ratios if ratio is not None]
        return min(known) if known else None

    def met(self, reached: float) -> bool:
        if self.kind == "at most":
            return reached <= self.wanted
        return reached >= (-self.wanted if self.kind == "best peer less" else self.wanted)

    @property
    def text(self) -> str:
        names = ", ".join(self.than) or "the fastest peer"
        return {
            "times as fast": f"{self.wanted:g} × {names}",
            "at least": f"≥ {self.wanted:g}",
            "at most": f"≤ {self.wanted:g}",
            "best peer less": f"≥ the best peer's − {self.wanted:g}",
        }[self.kind]


def faster(file: str, job: str, wanted: Mapping[str, float], *than: str, side: str = OWN) -> tuple[Target, ...]:
    return tuple(Target(file, job, case, "times as fast", times, than, side) for case, times in wanted.items())


EPOCH = {"LR": 3, "FM": 3.5, "FNN": 2, "PNN": 2.2, "DeepFM": 2.5, "NFM": 2, "Wide&Deep": 2, "Deep&Cross": 2}
PREDICTION = {"LR": 3, "FM": 7, "FNN": 3, "PNN": 4.5, "DeepFM": 4, "NFM": 3, "Wide&Deep": 3, "Deep&Cross": 3}
NOT_SLOWER = dict.fromkeys((*EPOCH, "AFM", "DIN", "DIEN"), 1)
TARGETS = (
    *faster("ctr", "training epoch", EPOCH),
    # torch-rechub's AFM adds up the pairs before its attention (results/parity.md), so it is no measure of AFM
    *faster("ctr", "training epoch", {"AFM": 1.9}, "RecBole", "DeepCTR-Torch"),
    *faster("ctr", "training epoch", NOT_SLOWER, MINIMAL),
    *faster("ctr", "training epoch", {"DIN": 2, "DIEN without auxiliary loss": 1.6}, "FuxiCTR"),
    *faster("ctr", "training epoch", {"DIEN": 2.2}, "torch-rechub"),
    *faster("ctr", "prediction", PREDICTION),
    *faster("ctr", "prediction", {"AFM": 2}, "RecBole", "DeepCTR-Torch"),
    *(Target("ctr_quality", "test", case, "best peer less", 0.002) for case in (*EPOCH, "AFM", "DIN", "DIEN")),
    Target("ctr_quality", "test", "DeepFM", "at least", 0.790),
    Target("ctr_quality", "test", "DIN", "at least", 0.783),
    Target("ctr_quality", "test", "DIEN", "at least", 0.783),
    *faster("words", "skip-gram", {"sample 0": 2, "sample 0.001": 2}, "gensim"),
    *faster("words", "skip-gram", {"sample 0": 3, "sample 0.001": 3}, "gensim", side=SHARED),
    *(
        Target("words", "films", case, "best peer less", 0.0)
        for case in ("window 5", "window 5, sample 1e-4", "window 20")
    ),
    Target("words", "films", "window 5, sample 1e-4", "at least", 0.63),
    Target("words", "films", "window 20", "at least", 0.63),
    *faster(
        "walks", "call, less its start", {"Barabási-Albert 10,000": 5, "Barabási-Albert 100,000": 3}, "PecanPy PreComp"
    ),
    *faster(
        "walks", "call, less its start", {"Barabási-Albert 100,000": 8, "item graph": 30}, "PecanPy SparseOTF"
    ),
    Target("walks", "first", "Les Misérables", "at most", 0.1),
    Target("walks", "law", "Les Misérables", "at least", 0.001),
    *faster("search", "recall 0.9, plain", {"easy": 5, "hard": 1.5}, "rec_lib exact"),
    *faster("search", "recall 0.9, counting", {"hard": 2}, "rec_lib exact"),
    *faster(
        "search", "levels", {f"{case}, {bits} bits": 1 for case in ("easy", "hard") for bits in (256, 512, 1024)}, "faiss IndexLSH"
    ),
    Target("ranking", "test error", "I-AutoRec", "at most", 0.904),
    Target("factors", "test error", "MF", "at most", 0.916),
    Target("factors", "test error", "SVD++", "at most", 0.910),
    Target("ranking", "training", "I-AutoRec", "at most", 4),
    Target("factors", "training", "MF", "at most", 1),
    Target("factors", "training", "SVD++", "at most", 2),
    *faster("factors", "training", {"implicit ALS": 1 / 3}, "implicit"),
    Target("ranking", "1 + 99 films", "NeuMF", "at least", 0.63),
    Target("factors", "1 + 99 films, HR@10", "implicit ALS", "at least", 0.61),
    Target("ranking", "1 + 99 films", "ItemCF", "at least", 0.59),
    Target("whole_course", "chapters", "chapters 2 to 4", "at most", 1200),
    Target("whole_course", "clone", "whole", "at most", 30),
    Target("start", "import and train LR", "over import torch", "at most", 1),
    Target("start", "memory of import and train LR", "over import torch", "at most", 60),
)  # fmt: skip
