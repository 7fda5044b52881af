"""NeuralCF and EASE one number at a time, and the checks that hold the code to them; the mutant tests break the code.

Each check takes the module or class that it judges, so that a broken one can be put in its place.
"""

import math

import numpy as np
import torch
from scipy.sparse import csr_matrix

from rec_lib.data.pointwise import Pointwise
from rec_lib.models import neural_cf
from rec_lib.schema import FIRST

USERS, ITEMS = 5, 6
PAIRS = {"user": torch.tensor([2, 4, 3, 2]), "item": torch.tensor([5, 2, 2, 3]), "label": torch.tensor([1.0, 0, 0, 1])}


def rectified(z):
    return [max(0.0, x) for x in z]


def dense(weight, bias, z):
    return [sum(w * x for w, x in zip(row, z, strict=True)) + b for row, b in zip(weight, bias, strict=True)]


def phi_gmf(tower, u, i):
    p, q = tower.p[u].tolist(), tower.q[i].tolist()
    return [a * b for a, b in zip(p, q, strict=True)]


def phi_mlp(tower, u, i):
    z = tower.p[u].tolist() + tower.q[i].tolist()
    for layer in tower.layers:
        z = rectified(dense(layer.weight.tolist(), layer.bias.tolist(), z))
    return z


def logit(net, u, i):
    """hᵀφ of a GMF, an MLP or both, told apart by whether there are layers."""
    phi = []
    for tower in net.towers:
        phi += phi_mlp(tower, u, i) if hasattr(tower, "layers") else phi_gmf(tower, u, i)
    return sum(h * x for h, x in zip(net.h.tolist(), phi, strict=True))


def log_loss(net, batch):
    total = 0.0
    for u, i, y in zip(*(batch[name].tolist() for name in ("user", "item", "label")), strict=True):
        p = 1 / (1 + math.exp(-logit(net, u, i)))
        total -= math.log(p if y == 1 else 1 - p)
    return total / len(batch["label"])


def networks(code=neural_cf):
    """A GMF, an MLP and a NeuMF with weights large enough for every ReLU to matter."""
    torch.manual_seed(3)

    def gmf():
        return code.GMF(USERS, ITEMS, 3, 1.0)

    def mlp():
        return code.MLP(USERS, ITEMS, (4, 2), 1.0)

    nets = code.NeuMF([gmf()], [3]), code.NeuMF([mlp()], [2]), code.NeuMF([gmf(), mlp()], [3, 2])
    for net in nets:
        net.double().h.data.normal_()
    return nets


def check_logits_are_those_of_the_loops(code):
    for net in networks(code):
        pairs = torch.cartesian_prod(torch.arange(USERS), torch.arange(ITEMS))
        got = net({"user": pairs[:, 0], "item": pairs[:, 1]})
        np.testing.assert_allclose(got.tolist(), [logit(net, u, i) for u, i in pairs.tolist()], rtol=1e-10, atol=1e-12)


def check_the_loss_is_the_mean_log_loss(code):
    for net in networks(code):
        np.testing.assert_allclose(net.loss(PAIRS).item(), log_loss(net, PAIRS), rtol=1e-10)


def check_a_pretrained_start_is_the_mixture_of_the_towers(code):
    gmf, mlp, _ = networks(code)
    for alpha in (0.0, 0.3, 1.0):
        both = code.pretrained(gmf, mlp, alpha)
        expected = alpha * gmf(PAIRS) + (1 - alpha) * mlp(PAIRS)
        torch.testing.assert_close(both(PAIRS), expected)
        assert sum(p.numel() for p in both.parameters()) == sum(p.numel() for n in (gmf, mlp) for p in n.parameters())


def check_a_pretrained_start_leaves_the_towers_alone(code):
    gmf, mlp, _ = networks(code)
    before = gmf(PAIRS).detach().clone(), mlp(PAIRS).detach().clone()
    both = code.pretrained(gmf, mlp, 0.5)
    both.loss(PAIRS).backward()
    torch.optim.SGD(both.parameters(), lr=1.0).step()
    torch.testing.assert_close(gmf(PAIRS), before[0])
    torch.testing.assert_close(mlp(PAIRS), before[1])


def check_the_towers_have_tables_of_their_own(code):
    _, _, both = networks(code)
    storages = [p.untyped_storage().data_ptr() for p in both.parameters()]
    assert len(set(storages)) == len(storages)
    both.loss(PAIRS).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in both.parameters()), "a weight learns nothing"


def check_gmf_with_h_of_ones_is_the_inner_product(code):
    gmf, _, _ = networks(code)
    gmf.h.data.fill_(1.0)
    tower = gmf.towers[0]
    product = tower.p @ tower.q.T  # (users, items)  MF without biases
    torch.testing.assert_close(gmf(PAIRS), product[PAIRS["user"], PAIRS["item"]])


NETWORK_CHECKS = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}

# --- the source of negatives -----------------------------------------------------------------------------------------

SEEN = csr_matrix(
    (np.ones(9), ([2, 2, 2, 3, 4, 4, 4, 4, 4], [2, 4, 6, 3, 2, 3, 4, 5, 6])), shape=(FIRST + 4, FIRST + 5)
)  # user 2 has three of five items, user 3 one, user 4 all, user 5 none


def source(cls=Pointwise, negatives=3, seed=0, seen=SEEN):
    return cls(seen, negatives, np.random.default_rng(seed))


def triples(batch):
    return list(zip(*(batch[name].tolist() for name in ("user", "item", "label")), strict=True))


def source_check_each_pair_comes_once_with_its_negatives(cls):
    rows = triples(source(cls).epoch())
    happened = sorted((u, i) for u, i, y in rows if y == 1)
    assert happened == sorted(zip(*(a.tolist() for a in SEEN.nonzero()), strict=True))
    drawn = [u for u, _, y in rows if y == 0]
    assert {u: drawn.count(u) for u in (2, 3, 4, 5)} == {2: 9, 3: 3, 4: 0, 5: 0}


def source_check_no_negative_is_something_the_user_has(cls):
    for seed in range(20):
        for u, i, y in triples(source(cls, seed=seed).epoch()):
            assert y == SEEN[u, i], f"user {u}, item {i}: label {y}"
            assert i >= FIRST, "a reserved id was drawn"


def source_check_every_epoch_draws_anew(cls):
    rows = source(cls, negatives=2)
    epochs = [sorted(t for t in triples(rows.epoch()) if t[2] == 0) for _ in range(8)]
    assert any(a != epochs[0] for a in epochs[1:])


def source_check_negatives_are_drawn_evenly(cls):
    rows = source(cls, negatives=4000)
    drawn = [i for u, i, y in triples(rows.epoch()) if y == 0 and u == 3]
    share = np.bincount(drawn, minlength=SEEN.shape[1])[FIRST:] / len(drawn)
    np.testing.assert_allclose(share, [0.25, 0, 0.25, 0.25, 0.25], atol=0.04)


def source_check_the_order_is_mixed(cls):
    labels = source(cls, negatives=4).epoch()["label"]
    assert 0 < int(labels[: len(labels) // 2].sum()) < int(labels.sum())


def source_check_batches_are_the_epoch_in_slices(cls):
    batches = list(source(cls).batches(4))
    assert [len(b["label"]) for b in batches] == [4, 4, 4, 4, 4, 1]
    joined = {name: torch.cat([b[name] for b in batches]) for name in batches[0]}
    assert triples(joined) == triples(source(cls).epoch())


SOURCE_CHECKS = {
    name.removeprefix("source_check_"): check
    for name, check in list(globals().items())
    if name.startswith("source_check_")
}

# --- EASE ------------------------------------------------------------------------------------------------------------


def ease_column(X, j, l2):
    """Item j from all others: an ordinary ridge regression that does not have column j among its inputs."""
    others = [i for i in range(X.shape[1]) if i != j]
    A = X[:, others]
    weights = np.zeros(X.shape[1])
    weights[others] = np.linalg.solve(A.T @ A + l2 * np.eye(len(others)), A.T @ X[:, j])
    return weights


def check_ease(cls):
    rng = np.random.default_rng(0)
    dense_x = np.zeros((FIRST + 14, FIRST + 8))
    dense_x[FIRST:, FIRST:] = rng.integers(0, 2, (14, 8)) * rng.integers(1, 6, (14, 8))
    X = (dense_x > 0).astype(float)
    for l2 in (0.5, 7.0):
        model = cls(l2).fit(csr_matrix(dense_x))
        B = np.stack([ease_column(X, j, l2) for j in range(X.shape[1])], axis=1)
        np.testing.assert_allclose(model.B, B, atol=1e-10)
        users = np.arange(FIRST, len(X))
        np.testing.assert_allclose(model.score(users)[:, FIRST:], (X @ B)[users][:, FIRST:], atol=1e-10)
