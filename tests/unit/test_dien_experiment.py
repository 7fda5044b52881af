"""The rivals of 3.9 are what they are called, and their rows are what they should be."""

import numpy as np
import pytest
import torch
from contract.ctr_checks import schema, table

from rec_lib.data import worlds
from rec_lib.data.negatives import NEGATIVES
from rec_lib.data.table import Table
from rec_lib.experiments.dien import MAKERS, PLANTED, LastState, WithPlaces, clean, fitted, of, ready, shuffled
from rec_lib.schema import PAD, Schema, Sequence, Sparse

BATCH = table().batch()


def without(batch):
    return {name: column for name, column in batch.items() if name != NEGATIVES}


def test_the_last_state_does_not_know_the_candidate():
    torch.manual_seed(0)
    model = LastState(schema(), 4).eval()
    e, mask = model.behaviours(BATCH["history"])
    last = model.extractor(e, mask)[-1]
    with torch.no_grad():
        model.mlp[0].weight[:, : model.emb.flat_dim] = 0  # what is left is the state alone
    other = BATCH | {"item": BATCH["item"].flip(0)}
    torch.testing.assert_close(model(BATCH), model(other))
    assert last.abs().sum() > 0
    assert {"W", "evolver"}.isdisjoint(name.split(".")[0] for name, _ in model.named_parameters())


def test_places_make_din_see_the_order():
    torch.manual_seed(0)
    seen = WithPlaces(schema(), 4, init_sd=1.0).eval()
    full = (BATCH["history"] != PAD).all(1)
    rows = {name: column[full] for name, column in BATCH.items()}
    turned = rows | {"history": rows["history"].flip(1)}
    assert (seen(rows) - seen(turned)).abs().max() > 1e-3
    with torch.no_grad():
        seen.place.zero_()
    torch.testing.assert_close(seen(rows), seen(turned))


def test_a_shuffled_history_has_the_same_films_and_its_padding_at_the_end():
    before = table()
    after = shuffled(before, np.random.default_rng(0))
    assert torch.equal(after["history"].sort(1).values, before["history"].sort(1).values)
    assert torch.equal(after["history"] == PAD, before["history"] == PAD)
    assert not torch.equal(after["history"], before["history"])


def test_only_dien_trains_on_negatives_and_only_on_training_rows():
    parts = of(worlds.threads(0, 2, (50, 20, 20)))
    for name in MAKERS:
        train, valid, _ = ready(name, parts, 0)
        assert (NEGATIVES in train.columns) == (name == "dien")
        assert NEGATIVES not in valid.columns
    assert not torch.equal(ready("augru_shuffled", parts, 0)[0]["history"], parts[0]["history"])


def test_clean_histories_show_no_film_that_will_be_asked_for():
    schema_ = Schema((Sparse("user", 4), Sparse("item", 9), Sequence("history", "item", 4)))

    def rows(user, item, history):
        columns = {"user": torch.tensor(user), "item": torch.tensor(item), "history": torch.tensor(history)}
        return Table(schema_, columns | {"label": torch.zeros(len(user))})

    train = rows([2, 2, 3], [8, 8, 8], [[4, 5, 6, 7], [5, 4, PAD, PAD], [4, 5, PAD, PAD]])
    valid, test = rows([2], [5], [[PAD] * 4]), rows([2, 3], [7, 4], [[4, 5, 6, PAD]] * 2)
    cleaned, *held = clean((train, valid, test))
    assert cleaned["history"].tolist() == [[4, 6, PAD, PAD], [4, PAD, PAD, PAD], [5, PAD, PAD, PAD]]
    assert held == [valid, test]


@pytest.mark.parametrize("name", MAKERS)
def test_every_rival_trains(name):
    parts = ready(name, of(worlds.threads(0, 2, (200, 100, 20))), 0)
    options = {"weight_decay": 1e-4, "dropout": 0.3} | ({"auxiliary": 0.5} if name == "dien" else {})
    model, history = fitted(name, parts, 0, PLANTED | {"epochs": 2}, options)
    assert len(history.valid) == 2
    assert model.mlp[2].p == 0.3
