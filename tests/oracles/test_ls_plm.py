"""LS-PLM: one region is logistic regression; the proximal step is the argmin it claims to be, and makes exact zeros."""

import numpy as np
import pytest
import torch
from contract.ctr_checks import schema, stirred, table
from scipy.optimize import minimize

from rec_lib.layers.mixture import mixture_logit
from rec_lib.models import LR, LSPLM
from rec_lib.models.ls_plm import ProximalAdagrad


def test_one_region_is_logistic_regression_in_value_and_gradient():
    model, lr = LSPLM(schema(), m=1, init_sd=0.5), LR(schema())
    with torch.no_grad():
        lr.linear.w.table.copy_(model.theta.table[:, 1:])
        lr.linear.dense.copy_(model.dense[:, 1])
        lr.linear.w0.copy_(model.bias.normal_()[1])
    batch = table().batch()
    torch.testing.assert_close(model(batch), lr(batch))
    model.loss(batch).backward()
    lr.loss(batch).backward()
    torch.testing.assert_close(model.theta.table.grad[:, 1:], lr.linear.w.table.grad)
    torch.testing.assert_close(model.dense.grad[:, 1], lr.linear.dense.grad)
    assert model.theta.table.grad[:, 0].abs().max() < 1e-6, "with one region the gate has nothing to say"


def test_regions_that_agree_are_one_whatever_the_gate_says():
    u, w = torch.randn(50, 1), torch.randn(50, 1)
    torch.testing.assert_close(mixture_logit(torch.randn(50, 3), w.expand(50, 3)), w[:, 0])
    both = mixture_logit(torch.cat([u, u + 40], 1), torch.cat([-w, w], 1))
    torch.testing.assert_close(both, w[:, 0])


def test_mixture_equals_the_papers_sum_of_products():
    u, w = torch.randn(200, 4, dtype=torch.float64), 3 * torch.randn(200, 4, dtype=torch.float64)
    p = (torch.softmax(u, 1) * torch.sigmoid(w)).sum(1)
    torch.testing.assert_close(torch.sigmoid(mixture_logit(u, w)), p)
    torch.testing.assert_close(mixture_logit(u + 7.0, w), mixture_logit(u, w))


def test_mixture_is_exact_where_probabilities_round():
    u = torch.tensor([[0.0, 0.0], [500.0, -500.0], [0.0, 0.0]], requires_grad=True)
    w = torch.tensor([[200.0, 200.0], [-300.0, 5.0], [-90.0, -91.0]], requires_grad=True)
    y = mixture_logit(u, w)
    torch.testing.assert_close(y[:2], torch.tensor([200.0, -300.0]))
    assert -91 < y[2].item() < -90
    y.sum().backward()
    assert torch.isfinite(u.grad).all()
    assert torch.isfinite(w.grad).all()


def test_equal_regions_stay_equal_so_the_start_is_random():
    model = LSPLM(schema(), m=2, init_sd=0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(20):
        optimizer.zero_grad()
        model.loss(table().batch()).backward()
        optimizer.step()
    torch.testing.assert_close(model.theta.table[:, 2], model.theta.table[:, 3])
    assert not torch.equal(*LSPLM(schema()).theta.table[:, 2:].T)


def objective(flat, old, g, rate, l21, l1):
    """What one proximal step minimises, row by row: the linearised loss, the distance, the penalties."""
    new = flat.reshape(old.shape)
    distance = ((new - old) ** 2 / (2 * rate)).sum()
    return (g * new).sum() + distance + l21 * np.sqrt((new**2).sum(1)).sum() + l1 * np.abs(new).sum()


@pytest.mark.parametrize(("l21", "l1"), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.2, 0.1), (5.0, 5.0)])
def test_a_step_is_the_argmin_of_linearised_loss_and_penalties(l21, l1):
    torch.manual_seed(0)
    model = stirred(LSPLM).double()
    optimizer = ProximalAdagrad(model, lr=0.4, l21=l21, l1=l1)
    model.loss(table().batch()).backward()
    for name, p in model.named_parameters():
        p.grad = torch.randn_like(p)
        old, g = p.detach().clone().reshape(-1, 4).numpy(), p.grad.reshape(-1, 4).numpy()
        rate = 0.4 / np.sqrt(1e-8 + (g**2).mean(axis=1, keepdims=True))
        penalties = (0.0, 0.0) if name == "bias" else (l21, l1)
        if name == "theta.table":
            continue  # as `dense`, and too many rows for a general minimiser
        optimizer.step()
        new = p.detach().reshape(-1, 4).numpy()
        mine = objective(new, old, g, rate, *penalties)
        for start in (old, new, np.zeros_like(old)):
            found = minimize(
                objective, start.ravel(), (old, g, rate, *penalties), method="Powell", options={"xtol": 1e-9}
            )
            assert mine <= found.fun + 1e-7
        optimizer.zero_grad()
        optimizer.state.clear()


def test_penalties_make_whole_features_exactly_zero_and_spare_the_constant():
    torch.manual_seed(0)
    model = LSPLM(schema(), m=2, init_sd=0.3)
    optimizer = ProximalAdagrad(model, lr=0.1, l21=1.0)
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.loss(table().batch())
        loss.backward()
        optimizer.step()
    assert (model.theta.table[2:] == 0).all()
    assert (model.dense == 0).all()
    assert (model.bias != 0).any()


def test_without_penalties_it_learns_as_an_optimizer_does():
    torch.manual_seed(0)
    model, batch = LSPLM(schema(), init_sd=0.3), table().rows(torch.arange(6)).batch()
    optimizer = ProximalAdagrad(model, lr=0.3)
    for _ in range(200):
        optimizer.zero_grad()
        model.loss(batch).backward()
        optimizer.step()
    assert model.loss(batch).item() < 0.05
    assert optimizer.step(lambda: model.loss(batch)).item() < 0.05  # closures work as in torch


@pytest.mark.parametrize(
    ("name", "value"),
    [("lr", value) for value in (0.0, float("nan"), float("inf"))]
    + [(name, value) for name in ("l21", "l1") for value in (-1.0, float("nan"))],
)
def test_bad_settings(name, value):
    with pytest.raises(ValueError, match="expected a finite lr > 0"):
        ProximalAdagrad(LSPLM(schema()), **{name: value})
