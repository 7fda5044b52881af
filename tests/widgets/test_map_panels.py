"""The evolution map and the leaderboard: who descends from whom, whose number is shown, what a difference says."""

import numpy as np
import pytest

from rec_lib.catalogue import LINES, SYSTEMS
from rec_lib.experiments import leaderboard
from rec_lib.experiments.core import Measured
from rec_lib.experiments.leaderboard import Standing, standings
from rec_lib.figures.evolution import Descent, ancestors, card, evolution_figure, lines, on_map
from rec_lib.figures.leaderboard import half_width
from rec_lib.widgets.evolution import evolution_panel, said_of
from rec_lib.widgets.leaderboard import board, summary

ROWS = {s.id: s for s in SYSTEMS}
NAMES = {"lr": "LR", "fm": "FM", "mf": "MF"}


def test_ancestors_come_nearest_first_and_once():
    assert [s.id for s in ancestors(ROWS["ffm"], on_map(2))] == ["fm", "poly2", "mf", "lr", "itemcf", "usercf"]
    assert ancestors(ROWS["lr"], on_map(2)) == []


@pytest.mark.parametrize("chapter", LINES)
def test_every_system_of_a_map_has_a_place_of_its_own_and_every_arrow_two_ends(chapter):
    systems = on_map(chapter)
    figure = evolution_figure(Descent(chapter, systems[-1], "Nothing."))
    nodes = [trace for trace in figure.data if trace.customdata is not None]
    assert sorted(id for t in nodes for id in t.customdata) == sorted(s.id for s in systems)
    places = [place for t in nodes for place in zip(t.x, t.y, strict=True)]
    assert len(set(places)) == len(places)
    here = {s.id for s in systems}
    arrows = sum(len(t.x) for t in figure.data[:2]) // 3
    assert arrows == sum(parent in here for s in systems for parent in s.parents)


def test_parents_from_earlier_chapters_stand_above_the_lines():
    assert [s.id for s in on_map(3)[:4]] == ["itemcf", "lr", "mf", "fm"]
    assert lines(3)[1:] == LINES[3]
    assert lines(2) == LINES[2]


def test_what_the_notebook_of_3_1_says_of_its_map():
    """Five systems lie on the road to DIEN; DeepFM's oldest ancestor is ItemCF; DRN alone has no parent."""
    systems = on_map(3)
    assert [s.id for s in ancestors(ROWS["dien"], systems)] == ["din", "deep_crossing", "autorec", "mf", "itemcf"]
    assert min(ancestors(ROWS["deepfm"], systems), key=lambda s: s.year).id == "itemcf"
    assert [s.id for s in systems if s.section.startswith("3.") and not s.parents] == ["drn"]


@pytest.mark.parametrize("chapter", LINES)
def test_a_map_fits_a_screen(chapter):
    assert evolution_figure(Descent(chapter, on_map(chapter)[0], "")).layout.height <= 640


def test_a_chapter_without_a_map_is_refused():
    with pytest.raises(ValueError, match="chapter 9 has no evolution map"):
        evolution_panel(9)


def test_the_card_says_what_a_system_adds_and_where_it_is_taught():
    text = " ".join(card(Descent(2, ROWS["fm"], "Test AUC 0.5.")))
    for part in ("FM (2010", ROWS["fm"].idea, "Adds to POLY2 and MF", ROWS["fm"].adds, "2.5", "Test AUC 0.5."):
        assert part in text
    assert "Adds" not in " ".join(card(Descent(2, ROWS["lr"], "")))


def test_a_click_on_a_node_chooses_it():
    panel = evolution_panel(2)
    trace = next(t for t in panel.widget.data if t.customdata is not None and len(t.customdata))
    points = type("Points", (), {"point_inds": [len(trace.customdata) - 1]})
    for callback in trace._click_callbacks:
        callback(trace, points, None)
    assert panel.data.chosen.id == trace.customdata[-1]
    assert panel.error == ""


def test_what_is_said_has_mean_spread_and_split():
    rows = [Standing("fm", "random", "auc", (0.7, 0.8), "2.5"), Standing("fm", "random", "log_loss", (0.5, 0.6), "2.5")]
    assert said_of("fm", rows) == "MovieLens-100K, 2 seeds: test AUC 0.750 ± 0.071 (random 80/10/10)."
    assert said_of("lr", rows) == "Not measured yet on our splits."


def test_a_systems_own_section_comes_first(monkeypatch):
    def stored(id):
        if id not in ("2.5", "3.7.2"):
            raise FileNotFoundError(id)
        results = {"ml100k_random/fm/auc": (float(id == "2.5"),) * 2, "ml100k_random/fm/epochs": (3.0, 3.0)}
        return Measured(id, (0, 1), results | {"third_order/fm": (0.0, 0.0)}, "")

    monkeypatch.setattr(leaderboard, "MODULES", {"3.7.2": "deepfm", "2.5": "fm"})
    monkeypatch.setattr(leaderboard, "measured", stored)
    assert leaderboard.standings() == [Standing("fm", "random", "auc", (1.0, 1.0), "2.5")]


def test_the_board_ranks_by_the_metrics_sense_and_pairs_by_seed():
    rows = [
        Standing("lr", "random", "log_loss", (0.6, 0.5, 0.7), "2.4"),
        Standing("fm", "random", "log_loss", (0.5, 0.4, 0.61), "2.5"),
        Standing("mf", "random", "rmse", (0.9, 0.9, 0.9), "2.3"),
    ]
    plain = board(rows, "log_loss", "random", "", NAMES)
    assert list(plain.values) == ["FM", "LR"]
    paired = board(rows, "log_loss", "random", "lr", NAMES)
    np.testing.assert_allclose(paired.values["FM"], [-0.1, -0.1, -0.09])
    assert "Beyond the luck of the seeds: FM." in summary(paired)
    alone = board(rows, "log_loss", "random", "mf", NAMES)
    assert alone.against == ""
    assert "MF has no value here to compare with." in summary(alone)
    assert "No test AUC" in summary(board(rows, "auc", "random", "", NAMES))


def test_what_the_notebook_of_4_7_says_of_its_board():
    """1 and 3: YouTube recall stands on top of both protocols, by 0.02 among 1 + 99. 2: EASE and ALS are within luck."""
    values = {(r.system, r.split): np.array(r.values) for r in standings() if r.metric == "hr10"}
    for split in ("loo", "loo99"):
        here = sorted((s for s, at in values if at == split), key=lambda id: -values[id, split].mean())
        assert here[0] == "youtube_recall"
    second = values["youtube_recall", "loo99"] - values[here[1], "loo99"]
    assert round(second.mean(), 2) == 0.02
    lead = values["ease", "loo"] - values["ials", "loo"]
    assert abs(lead.mean()) < half_width(lead)
