"""Two towers one number at a time, and the checks that hold the code to it; the mutant tests break the code."""

import math
from itertools import product

import numpy as np
import torch
from scipy.sparse import csr_matrix

from rec_lib.data.basket_pairs import BasketPairs
from rec_lib.layers.in_batch import in_batch_softmax_loss
from rec_lib.models.tower_network import TwoTowerNetwork
from rec_lib.schema import PAD

ITEMS = 7
BATCH = {
    "history": torch.tensor([[2, 3, 0, 0], [4, 4, 6, 2], [0, 0, 0, 0]]),
    "item": torch.tensor([5, 3, 5]),
    "user_features": torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64),
    "item_features": torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]], dtype=torch.float64),
    "log_q": torch.log(torch.tensor([0.4, 0.1, 0.4], dtype=torch.float64)),
}


def network(cls=TwoTowerNetwork, hidden=(4, 2), normalise=True):
    torch.manual_seed(5)
    return cls(ITEMS, 2, 3, 3, hidden, 0.5, normalise, 1.0).double()


def tower(side, x, features):
    for f, row in zip(features, side.feature.tolist(), strict=True):
        x = [a + f * b for a, b in zip(x, row, strict=True)]
    for n, layer in enumerate(side.layers):
        x = [max(0.0, a) for a in x] if n else x
        rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        x = [sum(w * a for w, a in zip(row, x, strict=True)) + b for row, b in rows]
    return x


def scores(net, batch=BATCH):
    e, q = net.e.tolist(), net.q.tolist()
    users, items = [], []
    for history, f in zip(batch["history"].tolist(), batch["user_features"].tolist(), strict=True):
        taken = [e[i] for i in history if i != PAD]
        mean = [sum(c) / len(taken) for c in zip(*taken, strict=True)] if taken else [0.0] * len(e[0])
        users.append(tower(net.f, mean, f))
    for item, f in zip(batch["item"].tolist(), batch["item_features"].tolist(), strict=True):
        items.append(tower(net.g, q[item], f))
    if net.normalise:
        users, items = ([[a / math.hypot(*x) for a in x] for x in side] for side in (users, items))
    return [[sum(a * b for a, b in zip(u, v, strict=True)) / net.temperature for v in items] for u in users]


def minus_log_share(numbers, at):
    return math.log(sum(math.exp(x) for x in numbers)) - numbers[at]


def check_scores_are_those_of_the_loops(cls):
    for hidden, normalise in product(((4, 2), ()), (True, False)):
        net = network(cls, hidden, normalise)
        np.testing.assert_allclose(net(BATCH).tolist(), scores(net), rtol=1e-9)


def check_the_loss_is_corrected_for_each_column(cls):
    net = network(cls)
    s, log_q = scores(net), BATCH["log_q"].tolist()
    expected = np.mean(
        [minus_log_share([x - q for x, q in zip(row, log_q, strict=True)], a) for a, row in enumerate(s)]
    )
    assert abs(net.loss(BATCH).item() - expected) < 1e-9
    plain = np.mean([minus_log_share(row, a) for a, row in enumerate(s)])
    assert abs(net.loss({k: v for k, v in BATCH.items() if k != "log_q"}).item() - plain) < 1e-9


def check_padding_gives_nothing_and_learns_nothing(cls):
    net = network(cls)
    wider = BATCH | {"history": torch.cat([BATCH["history"], torch.zeros(3, 5, dtype=torch.long)], dim=1)}
    torch.testing.assert_close(net(wider), net(BATCH))
    net.loss(BATCH).backward()
    assert not net.e.grad[PAD].any()


def check_nothing_taken_is_a_finite_start_that_learns(cls):
    net = network(cls)
    net.loss(BATCH).backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.any() for p in net.parameters())


def check_a_vector_of_zeros_has_finite_scores_and_slopes(cls):
    net = network(cls, hidden=())
    with torch.no_grad():
        for p in net.parameters():
            p.zero_()
    loss = net.loss(BATCH)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())


NETWORK_CHECKS = {n.removeprefix("check_"): c for n, c in list(globals().items()) if n.startswith("check_")}


# --- the softmax over a batch --------------------------------------------------------------------------------------------

JOINT = np.array([[0.30, 0.15, 0.05], [0.10, 0.05, 0.35]])  # P(u, i) of two users and three items
Q = JOINT.sum(axis=0)


def expected_slope(loss, table, rows, corrected):
    """Gradient in the table s(u, i) of the loss averaged over every batch of that many pairs, with its chance."""
    s, log_q = torch.tensor(table, requires_grad=True), torch.tensor(np.log(Q))
    total = torch.zeros((), dtype=torch.float64)
    pairs = list(product(range(2), range(3)))
    for batch in product(pairs, repeat=rows):
        u, i = (torch.tensor(list(side)) for side in zip(*batch, strict=True))
        chance = math.prod(JOINT[pair] for pair in batch)
        total = total + chance * loss(s[u][:, i], log_q[i] if corrected else None)
    return torch.autograd.grad(total, s)[0]


def truth():
    return np.log(JOINT / JOINT.sum(axis=1, keepdims=True)) + np.array([[0.7], [-0.2]])


def check_corrected_scores_settle_at_log_p(loss):
    for rows in (2, 3):
        np.testing.assert_allclose(expected_slope(loss, truth(), rows, True).numpy(), 0, atol=1e-12)


def check_uncorrected_scores_settle_at_log_p_minus_log_q(loss):
    for rows in (2, 3):
        np.testing.assert_allclose(expected_slope(loss, truth() - np.log(Q), rows, False).numpy(), 0, atol=1e-12)


def check_neither_settles_where_the_other_does(loss):
    assert expected_slope(loss, truth(), 2, False).abs().max() > 0.01
    assert expected_slope(loss, truth() - np.log(Q), 2, True).abs().max() > 0.01


def check_rows_are_averaged(loss):
    s = torch.tensor([[1.0, 2.0], [0.5, 3.0]], dtype=torch.float64)
    expected = (minus_log_share([1.0, 2.0], 0) + minus_log_share([0.5, 3.0], 1)) / 2
    assert abs(loss(s, None).item() - expected) < 1e-12


LOSS_CHECKS = {
    n.removeprefix("check_"): c
    for n, c in list(globals().items())
    if n.startswith("check_") and n.removeprefix("check_") not in NETWORK_CHECKS
}


# --- the source of pairs ---------------------------------------------------------------------------------------------------

TAKEN = {2: [2, 4, 5], 3: [6], 5: [2, 3]}


def source(cls=BasketPairs, maxlen=4):
    users, items = np.array([(u, i) for u, row in TAKEN.items() for i in row]).T
    seen = csr_matrix((np.ones(len(users)), (users, items)), shape=(6, ITEMS))
    return cls(seen, maxlen, np.random.default_rng(0))


def triples(batch):
    rows = zip(*(batch[n].tolist() for n in ("user", "item", "history")), strict=True)
    return [(u, i, [j for j in h if j != PAD]) for u, i, h in rows]


def check_the_history_is_all_the_others_and_never_the_item(cls):
    for user, item, history in triples(source(cls).examples(50)):
        assert item in TAKEN[user]
        assert sorted(history) == [j for j in TAKEN[user] if j != item]


def check_a_long_history_is_a_random_part(cls):
    rows = source(cls, maxlen=1)
    found = {(i, *h) for _ in range(20) for u, i, h in triples(rows.examples(20)) if u == 2}
    assert found == {(i, j) for i in TAKEN[2] for j in TAKEN[2] if i != j}


def check_q_is_how_often_an_item_stands_in_a_batch(cls):
    rows = source(cls)
    share = np.bincount(rows.examples(4000)["item"].numpy(), minlength=ITEMS) / 12_000
    np.testing.assert_allclose(share, rows.q, atol=0.015)
    np.testing.assert_allclose(rows.q, np.array([0, 0, 1 / 3 + 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1]) / 3)


def check_no_batch_of_one(cls):
    sizes = [len(b["item"]) for b in source(cls).batches(3, 4)]
    assert sizes == [4, 4], "nine examples in fours leave one, which has no negatives"


SOURCE_CHECKS = {
    n.removeprefix("check_"): c
    for n, c in list(globals().items())
    if n.startswith("check_") and n.removeprefix("check_") not in NETWORK_CHECKS | LOSS_CHECKS
}

__all__ = ["LOSS_CHECKS", "NETWORK_CHECKS", "SOURCE_CHECKS", "in_batch_softmax_loss"]
