"""The table of 4.7: every system of chapter 4 with what it adds, can do and cannot do, and what was measured of it.

Nothing is trained here. What is not measured yet leaves its cell empty, so the table grows with the chapter.
"""

from __future__ import annotations

from rec_lib.catalogue import SYSTEMS, System, section
from rec_lib.experiments.core import measured

CHAPTER = 4
# id: what is measured, where it stands and what it is called there
FOUND: dict[str, tuple[tuple[str, str, str], ...]] = {
    "word2vec": (
        ("analogies solved", "4.2", "skip-gram/analogies"),
        ("gold mates among ten", "4.2", "skip-gram/top10"),
    ),
    "item2vec": (
        ("genre precision@10", "4.1", "films/item2vec/genre"),
        ("HR@10 of all", "4.3", "ml100k_loo/item2vec/hr10"),
    ),
    "two_tower": (
        ("HR@10 of all", "4.3", "ml100k_loo/two_tower/hr10"),
        ("HR@100", "4.3", "ml100k_loo/two_tower/hr100"),
        ("AUC of new films", "4.3", "cold/two_tower/auc"),
    ),
    "deepwalk": (
        ("genre precision@10", "4.1", "films/deepwalk/genre"),
        ("AUC, liked next", "4.4.1", "films/walks/auc"),
    ),
    "node2vec": (("genre precision@10", "4.1", "films/node2vec/genre"),),
    "eges": (
        ("genre precision@10, genres told", "4.1", "films/eges/genre"),
        ("AUC of new films", "4.4.3", "films/eges/cold"),
    ),
    "pretraining": (
        ("planted AUC", "4.5", "pretrained/full/tuned/auc"),
        ("from scratch", "4.5", "pretrained/full/scratch/auc"),
    ),
    "youtube_recall": (
        ("HR@10 of all", "4.5", "ml100k_loo/youtube_recall/hr10"),
        ("HR@100", "4.5", "ml100k_loo/youtube_recall/hr100"),
    ),
    "kd_tree": (("share of films measured", "4.6", "films/kdtree/examined"),),
    "lsh": (
        ("recall@10", "4.6", "films/K8_L16/w4/recall"),
        ("share of films measured", "4.6", "films/K8_L16/w4/examined"),
    ),
}


def quality(id: str) -> str:
    """What was measured of a system: means over the seeds, "–" where nothing was."""
    parts = []
    for label, place, name in FOUND.get(id, ()):
        try:
            parts.append(f"{label} {measured(place).mean(name):.3f}")
        except (FileNotFoundError, KeyError):  # a section that is being written
            continue
    return ", ".join(parts) or "–"


def embedding_table() -> str:
    """The chapter's systems as Markdown, in the order of the catalogue, those that are planned as well."""
    lines = [
        "| method 方法 | principle 基本原理 | adds 改进 | strength 特点 | limit 局限性 | measured 效果 |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(s) for s in SYSTEMS if s.section.startswith(f"{CHAPTER}.")]
    return "\n".join(lines)


def _row(s: System) -> str:
    ready = s.state == "done" and section(s.section).notebook
    state = "" if ready else f" *({s.state}; no notebook yet)*" if s.state != "planned" else " *(planned)*"
    cells = (s.idea, s.adds or "–", s.strength or "–", s.limit or "–", quality(s.id))
    return f"| **{s.name}** {s.section}{state} | {' | '.join(cells)} |"
