"""Chapter 3 side by side: every click model has its price, the trainings are those of the sections, the units are said."""

import pytest
import torch

from rec_lib.catalogue import LINES, SECTIONS, SYSTEMS
from rec_lib.experiments import architectures
from rec_lib.experiments.comparison import movielens_parts
from rec_lib.experiments.core import measured
from rec_lib.experiments.leaderboard import COSTS, standings, summary_table


@pytest.fixture
def parts():
    return tuple(part.rows(torch.arange(2000)) for part in movielens_parts("random", 0))


def click_models():
    """Of the chapter's map, finished."""
    on_map = {id for _, _, ids in LINES[3] for id in ids}
    judged = {row.system for row in standings() if row.metric == "auc"}
    return {s.id for s in SYSTEMS if s.id in on_map & judged and s.state == "done"}


def test_every_finished_click_model_of_the_chapter_is_there_once_it_is_summed_up():
    summed_up = any(s.id == "3.11" and s.notebook for s in SECTIONS)
    assert not summed_up or click_models() <= set(architectures.CLICK_MODELS)
    assert set(architectures.CLICK_MODELS) <= {s.id for s in SYSTEMS}


def test_every_click_model_has_all_costs():
    found = {(row.system, row.metric) for row in standings() if row.split == "random"}
    assert not [(id, cost) for id in architectures.CLICK_MODELS for cost in COSTS if (id, cost) not in found]


def test_a_training_counts_what_it_learnt_and_how_often_it_passed(parts):
    found = architectures.training("deepfm", "random", 0, parts)
    place = "ml100k_random/deepfm/"
    assert {name.removeprefix(place) for name in found} == {
        "auc", "log_loss", "parameters", "train_seconds", "epochs"
    }  # fmt: skip
    model, history = architectures.TRAININGS["deepfm"]("random", 0, parts)
    assert found[f"{place}parameters"] == sum(p.numel() for p in model.parameters())
    assert found[f"{place}epochs"] == len(history.loss)
    assert found[f"{place}train_seconds"] > 0


def test_the_clock_speaks_of_a_million_rows(parts, monkeypatch):
    monkeypatch.setattr(architectures, "process_time", iter(range(100)).__next__)  # every run takes one second
    found = architectures.speed("fm", 0, parts[0])
    assert found == {"ml100k_random/fm/learn_seconds": 500, "ml100k_random/fm/score_seconds": 500}


@pytest.mark.parametrize("name", architectures.CLICK_MODELS)
def test_what_is_clocked_is_as_large_as_what_was_trained(name):
    torch.manual_seed(0)
    rows = architectures.rows_of(name, 0)
    model, optimizers = architectures.CLICK_MODELS[name](rows)
    size = sum(p.numel() for p in model.parameters())
    stepped = {p for o in optimizers for group in o.param_groups for p in group["params"]}
    assert stepped == set(model.parameters())
    (stored,) = {
        v for r in standings() if (r.system, r.split, r.metric) == (name, "random", "parameters") for v in r.values
    }
    assert size == stored


def test_trainings_are_those_of_the_sections():
    """Seed by seed, to the last digit that is stored: same rows, settings and random numbers."""
    own = {"deep_crossing": "3.3", "ipnn": "3.5", "opnn": "3.5", "pnn": "3.5", "from_fm": "3.7.1", "deepfm": "3.7.2", "nfm": "3.7.3"}  # fmt: skip
    assert own.keys() == architectures.TRAININGS.keys()
    here = measured("3.11")
    for name, section in own.items():
        there = measured(section)
        assert here.seeds == there.seeds
        for split in ("random", "time"):
            for metric in ("auc", "log_loss"):
                key = f"ml100k_{split}/{name}/{metric}"
                assert here.results[key] == there.results[key], key


def test_fnn_is_the_one_that_starts_from_a_trained_fm():
    values = {(r.split, r.section): r.values for r in standings() if (r.system, r.metric) == ("fnn", "auc")}
    stored = measured("3.7.1")
    assert values == {
        (split, "3.7.1"): tuple(stored.values(f"ml100k_{split}/from_fm/auc")) for split in ("random", "time")
    }


def test_a_policy_says_what_was_measured_in_place_of_a_quality_on_movielens():
    (row,) = (line for line in summary_table(3).splitlines() if line.startswith("| **DRN**"))
    drn, random = (measured("3.10.1").mean(f"returning/{name}/clicks_per_day") for name in ("drn", "random"))
    assert f"planted feed: {drn:.2f} clicks a day, random lists {random:.2f}" in row
    assert row.endswith("| – | – |")
    assert {line.count("|") for line in summary_table(3).splitlines()} == {8}
