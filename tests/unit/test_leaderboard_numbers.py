"""The leaderboard's numbers: every finished system has one, sections agree about it, sizes are what is stored."""

from collections import defaultdict

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from rec_lib.catalogue import LINES, SECTIONS, SYSTEMS
from rec_lib.data.piecewise import thresholds
from rec_lib.experiments import classics
from rec_lib.experiments.comparison import movielens_parts
from rec_lib.experiments.core import MODULES, measured
from rec_lib.experiments.gbdt_lr import grown
from rec_lib.experiments.leaderboard import METRICS, SPLITS, standings
from rec_lib.models import FM, IALS, LR, ItemCF, Popularity
from rec_lib.schema import Schema, Sparse


@pytest.mark.parametrize("chapter", LINES)
def test_every_finished_system_of_a_map_has_quality_size_and_time(chapter):
    found = defaultdict(set)
    for row in standings():
        found[row.system].add(row.metric)
    on_map = {id for _, _, ids in LINES[chapter] for id in ids}
    # size and time stand in the table of the chapter's summary, so they are owed as soon as there is one
    summed_up = any(s.chapter == chapter and s.title == "Summary" and s.notebook for s in SECTIONS)
    for system in (
        s for s in SYSTEMS if s.id in on_map and s.state == "done" and s.kind != "policy"
    ):  # regret, not MovieLens
        assert found[system.id] & {"auc", "rmse", "hr10"}, system.id
        assert not summed_up or {"parameters", "train_seconds"} <= found[system.id], system.id


def test_sections_that_measured_the_same_thing_agree():
    values = defaultdict(dict)
    for section in MODULES:
        for name, seeds in measured(section).results.items():
            place, _, metric = name.rpartition("/")
            split, _, system = place.partition("/")
            judged = metric in METRICS and metric not in ("parameters", "train_seconds")
            if split.removeprefix("ml100k_") in SPLITS and system in {s.id for s in SYSTEMS} and judged:
                values[name][section] = np.mean(seeds)
    several = {name: by for name, by in values.items() if len(by) > 1}
    assert several
    for name, by in several.items():
        assert max(by.values()) - min(by.values()) < 0.003, (name, by)


def test_sizes_are_counted():
    schema = Schema((Sparse("user", 5), Sparse("item", 7)))
    ids = 12  # rows of both fields, padding and unknown among them
    assert classics.size(LR(schema)) >= 1 + ids - 2
    assert classics.size(FM(schema, 3)) - classics.size(LR(schema)) == 3 * (classics.size(LR(schema)) - 1)
    planted = thresholds(0)
    trees = grown(planted.train.rows(torch.arange(500)), False, trees=3, leaves=4, rate=0.1, min_leaf=20)
    assert classics.size(trees) == 1 + 3 * 4 + 2 * 3 * 3  # w0, leaf weights, column and place of each split


def test_rankers_count_what_they_keep():
    rng = np.random.default_rng(0)
    taken = (rng.random((8, 9)) < 0.5).astype(float)
    taken[:2], taken[:, :2] = 0, 0
    seen = csr_matrix(taken)
    assert classics.size_of_ranker(Popularity().fit(seen)) == 9
    assert classics.size_of_ranker(IALS(dim=2, rng=rng).fit(seen)) == 2 * (8 + 9)
    kept = classics.size_of_ranker(ItemCF(k=2).fit(seen))
    assert 0 < kept <= 2 * 7


def test_one_pass_reads_the_oldest_rows_first():
    rows, valid, test = (part.rows(torch.arange(400)) for part in movielens_parts("random", 0))
    _, first = np.unique(rows["timestamp"].numpy(), return_index=True)  # no ties: the order of time is one order
    rows = rows.rows(torch.from_numpy(first))
    backwards = rows.rows(torch.arange(len(rows) - 1, -1, -1))
    a, b = (classics.one_pass((part, valid, test)).predict_proba(test) for part in (rows, backwards))
    assert torch.equal(a, b)
    assert (a - a.mean()).abs().max() > 0.01
