"""YouTube recall one number at a time, and the checks that hold the code to it; the mutant tests break the code."""

import math
from itertools import product

import numpy as np
import torch
from scipy.sparse import csr_matrix

from rec_lib.data.watches import Watches
from rec_lib.models.watch_network import WatchNetwork
from rec_lib.schema import FIRST, PAD

ITEMS = 7
BATCH = {
    "history": torch.tensor([[2, 3, 0, 0], [4, 4, 6, 2], [0, 0, 0, 0]]),
    "age": torch.tensor([0.0, 0.5, 1.0]),
    "item": torch.tensor([5, 3, 2]),
}
DRAWN = {"drawn": torch.tensor([3, 6, 3, 5]), "log_q": torch.log(torch.tensor([1e-9, 1e-9, 0.1, 0.4, 0.2, 0.2, 0.1]))}


def network(cls=WatchNetwork):
    torch.manual_seed(5)
    net = cls(ITEMS, 3, (4, 2), 1.0).double()
    for layer in net.layers:
        layer.bias.data.uniform_(0.5, 1.5)
    return net


def user(net, history, age):
    watched = [net.e[i].tolist() for i in history if i != PAD]
    u = [sum(column) / len(watched) for column in zip(*watched, strict=True)] if watched else [0.0] * net.e.shape[1]
    u = [*u, age]
    for layer in net.layers:
        rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        u = [max(0.0, sum(w * x for w, x in zip(row, u, strict=True)) + b) for row, b in rows]
    return u


def logits(net, history, age):
    u = user(net, history, age)
    return [sum(a * b for a, b in zip(v, u, strict=True)) for v in net.v.tolist()]


def rows(batch=BATCH):
    return zip(batch["history"].tolist(), batch["age"].tolist(), batch["item"].tolist(), strict=True)


def minus_log_share(numbers, at):
    return math.log(sum(math.exp(x) for x in numbers)) - numbers[at]


def check_logits_are_those_of_the_loops(cls):
    net = network(cls)
    np.testing.assert_allclose(net(BATCH).tolist(), [logits(net, h, a) for h, a, _ in rows()], rtol=1e-9)


def check_the_loss_over_all_items_is_the_mean(cls):
    net = network(cls)
    expected = np.mean([minus_log_share(logits(net, h, a)[FIRST:], i - FIRST) for h, a, i in rows()])
    assert abs(net.loss(BATCH).item() - expected) < 1e-9


def check_the_loss_over_draws_is_corrected_for_each_candidate(cls):
    net = network(cls)
    losses = []
    for h, a, i in rows():
        s = logits(net, h, a)
        candidates = [i, *DRAWN["drawn"].tolist()]
        losses.append(minus_log_share([s[c] - DRAWN["log_q"][c].item() for c in candidates], 0))
    assert abs(net.loss(BATCH | DRAWN).item() - np.mean(losses)) < 1e-6


def check_no_watch_is_a_finite_start_that_learns(cls):
    net = network(cls)
    empty = {name: column[2:] for name, column in BATCH.items()}
    loss = net.loss(empty)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())
    assert not net.e.grad.any(), "nothing was watched, so no watched vector may move"
    assert net.v.grad.any()


def check_padding_gives_nothing_and_learns_nothing(cls):
    net = network(cls)
    wider = BATCH | {"history": torch.cat([BATCH["history"], torch.zeros(3, 5, dtype=torch.long)], dim=1)}
    torch.testing.assert_close(net(wider), net(BATCH))
    net.loss(BATCH).backward()
    assert not net.e.grad[PAD].any()


def check_a_repeated_watch_gets_the_sum_of_its_gradients(cls):
    """The second row watched item 4 twice, of four: its vector gets twice what item 6 gets from that row."""
    net = network(cls)
    net.loss({name: column[1:2] for name, column in BATCH.items()}).backward()
    torch.testing.assert_close(net.e.grad[4], 2 * net.e.grad[6])


NETWORK_CHECKS = {n.removeprefix("check_"): c for n, c in list(globals().items()) if n.startswith("check_")}


# --- the sampled softmax ------------------------------------------------------------------------------------------------

P, Q = [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]


def expected_slope(loss, scores, draws=2):
    """Gradient in the scores of the loss averaged over every real item and every sequence of draws, with their chances."""
    s, log_q = torch.tensor(scores, dtype=torch.float64, requires_grad=True), torch.tensor(Q, dtype=torch.float64).log()
    total = torch.zeros((), dtype=torch.float64)
    for real, *drawn in product(range(3), repeat=1 + draws):
        chance = P[real] * math.prod(Q[c] for c in drawn)
        candidates = torch.tensor([[real, *drawn]])
        total = total + chance * loss(s[candidates], log_q[candidates], torch.tensor([0]))
    return torch.autograd.grad(total, s)[0]


def check_the_truth_is_where_the_expected_loss_is_flat(loss):
    for draws in (1, 2, 3):
        slope = expected_slope(loss, [math.log(p) + 1.7 for p in P], draws)
        np.testing.assert_allclose(slope.numpy(), 0, atol=1e-12)


def check_elsewhere_it_is_not_flat(loss):
    wrong = [math.log(p / q) for p, q in zip(P, Q, strict=True)]  # where a loss without the correction is flat
    assert expected_slope(loss, wrong).abs().max() > 0.01


def check_a_row_is_the_log_share_and_rows_are_averaged(loss):
    s = torch.tensor([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]], dtype=torch.float64)
    log_q, target = torch.tensor([-1.0, -2.0, -3.0], dtype=torch.float64), torch.tensor([0, 2])
    shares = [minus_log_share([2.0, 4.0, 2.0], 0), minus_log_share([1.5, 2.0, 6.0], 2)]
    assert abs(loss(s, log_q, target).item() - sum(shares) / 2) < 1e-12


LOSS_CHECKS = {
    n.removeprefix("check_"): c
    for n, c in list(globals().items())
    if n.startswith("check_") and n.removeprefix("check_") not in NETWORK_CHECKS
}


# --- the source of examples ---------------------------------------------------------------------------------------------

WATCHED = {2: [(5, 3.0), (2, 1.0), (4, 2.0)], 3: [(6, 9.0)], 5: [(2, 4.0), (3, 5.0)]}  # user: (item, time)


def matrices():
    users, items, times = np.array([(u, i, t) for u, log in WATCHED.items() for i, t in log]).T
    place = users.astype(int), items.astype(int)
    seen, when = (csr_matrix((data, place), shape=(6, ITEMS)) for data in (np.ones(len(times)), times))
    for matrix in (seen, when):
        matrix.sort_indices()
    return seen, when


def source(cls=Watches, times=True, maxlen=2):
    seen, when = matrices()
    return cls(seen, when if times else None, maxlen, np.random.default_rng(0))


def triples(batch):
    history, age, item = (batch[n].tolist() for n in ("history", "age", "item"))
    return [([i for i in h if i != PAD], round(a, 4), i) for h, a, i in zip(history, age, item, strict=True)]


def check_what_stands_before_is_the_history(cls):
    oldest, newest = 1.0, 9.0
    expected = set()
    for log in WATCHED.values():
        ordered = sorted(log, key=lambda entry: entry[1])
        for place, (item, when) in enumerate(ordered):
            before = tuple(i for i, _ in reversed(ordered[max(0, place - 2) : place]))
            expected.add((before, round((newest - when) / (newest - oldest), 4), item))
    got = {(tuple(h), a, i) for h, a, i in triples(source(cls).examples(60))}
    assert got == expected


def check_without_times_the_others_are_the_history(cls):
    seen_pairs = set()
    rows = source(cls, times=False, maxlen=5)
    for _ in range(5):
        for history, age, item in triples(rows.examples(20)):
            users = [u for u, log in WATCHED.items() if item in [i for i, _ in log]]
            others = [{i for i, _ in WATCHED[u]} - {item} for u in users]
            assert set(history) in others, (history, item)
            assert len(set(history)) == len(history)
            assert age == 0
            seen_pairs |= {(h, item) for h in history}
    assert {(5, 2), (2, 5), (4, 5)} <= seen_pairs, "later watches count too"


def check_every_user_brings_the_same_number_of_examples(cls):
    rows = source(cls)
    items = [i for _, _, i in triples(rows.examples(50))]
    assert len(items) == 3 * 50
    assert items.count(6) == 50


def check_what_is_known_when_recommending_is_the_last_watches(cls):
    got = source(cls).histories(np.array([2, 3, 4, 5]))
    np.testing.assert_array_equal(got, [[5, 4], [6, 0], [0, 0], [3, 2]])


SOURCE_CHECKS = {
    n.removeprefix("check_"): c
    for n, c in list(globals().items())
    if n.startswith("check_") and n.removeprefix("check_") not in NETWORK_CHECKS | LOSS_CHECKS
}
