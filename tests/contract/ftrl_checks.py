"""What an online trainer that calls itself FTRL-Proximal promises: a list of checks, each a function of its class.

The oracle tests run each on the library's class; the mutant tests run them on broken ones.
"""

import copy
import io

import numpy as np
import torch
from oracles.ftrl_naive import algorithm_1, follow_the_leader
from torch import nn

GRADIENTS = [0.9, -0.3, 1.2, 0.4, -1.5, 0.7, -0.2, -1.1, 0.6]
SETTING = {"alpha": 0.4, "beta": 0.8, "l1": 0.5, "l2": 0.3}


def one_coordinate(cls, gradients, start=0.0, **setting):
    """The weights of one coordinate that is given these gradients: (T + 1,)."""
    w = nn.Parameter(torch.tensor([start], dtype=torch.float64))
    optimizer = cls([w], **setting)
    path = [w.item()]
    for g in gradients:
        w.grad = torch.tensor([g], dtype=torch.float64)
        optimizer.step()
        path.append(w.item())
    return path


def weights_minimise_the_objective(cls):
    for start in (0.0, 0.7):
        expected = follow_the_leader(GRADIENTS, start=start, **SETTING)
        np.testing.assert_allclose(one_coordinate(cls, GRADIENTS, start, **SETTING), expected, atol=1e-5)


def rows_give_the_papers_loop(cls):
    """Logistic regression on rows with values other than 1, coordinate by coordinate."""
    rng = np.random.default_rng(1)
    rows = [
        {int(i): float(v) for i, v in zip(rng.choice(6, 3, replace=False), rng.normal(size=3), strict=True)}
        for _ in range(80)
    ]
    labels = (rng.random(80) < 0.5).astype(float)
    weight, _, _, _ = algorithm_1(rows, labels, **SETTING)
    w = nn.Parameter(torch.zeros(6, dtype=torch.float64))
    optimizer = cls([w], **SETTING)
    for x, y in zip(rows, labels, strict=True):
        z = sum(w[i] * v for i, v in x.items())
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(y)).backward()
        optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), [weight.get(i, 0.0) for i in range(6)], rtol=1e-9, atol=1e-12)


def without_penalties_it_is_gradient_descent(cls):
    """λ₁ = λ₂ = 0: w ← w − η g with η = α / (β + √Σ g²), from any start (the identity of sec. 3)."""
    w, n = 0.7, 0.0
    path = [w]
    for g in GRADIENTS:
        n += g * g
        w -= 0.4 / (0.8 + n**0.5) * g
        path.append(w)
    np.testing.assert_allclose(one_coordinate(cls, GRADIENTS, 0.7, alpha=0.4, beta=0.8), path, rtol=1e-10)


def without_penalties_it_is_torchs_adagrad(cls):
    """With ε = β: another implementation, on a table, dense gradients with zeros in them."""
    start = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    both = cls([ours], alpha=0.3, beta=0.7), torch.optim.Adagrad([theirs], lr=0.3, eps=0.7)
    for seed in range(12):
        gradient = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        ours.grad, theirs.grad = gradient.relu(), gradient.relu()
        for optimizer in both:
            optimizer.step()
    torch.testing.assert_close(ours, theirs)


def with_a_large_beta_the_rate_is_constant(cls):
    """α and β large at a fixed ratio: online gradient descent with η = α/β."""
    path = np.concatenate([[0.0], -0.1 * np.cumsum(GRADIENTS)])
    got = one_coordinate(cls, GRADIENTS, alpha=1e7, beta=1e8)
    np.testing.assert_allclose(got, path, rtol=1e-6)


def small_sums_of_gradients_leave_exactly_zero(cls):
    path = one_coordinate(cls, [0.3, 0.2, -0.9, 1.0], alpha=0.5, beta=1.0, l1=0.6)
    assert path[:4] == [0.0] * 4  # sums 0.3, 0.5, −0.4: within λ₁
    assert one_coordinate(cls, [0.7], alpha=0.5, beta=1.0, l1=0.6)[-1] < 0  # a positive gradient pushes down
    assert one_coordinate(cls, [-0.7], alpha=0.5, beta=1.0, l1=0.6)[-1] > 0


def only_touched_coordinates_move(cls):
    table = torch.arange(15.0).view(5, 3)
    w = nn.Parameter(table.clone())
    optimizer = cls([w], alpha=0.5, beta=0.0, l1=0.1, l2=0.1)
    w.grad = torch.zeros(5, 3)
    w.grad[1, 2] = 0.5
    optimizer.step()
    moved = w.detach() != table
    assert moved.nonzero().tolist() == [[1, 2]]
    assert torch.isfinite(w).all()


def sparse_and_dense_gradients_agree(cls):
    start = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    dense, sparse = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    of_dense, of_sparse = cls([dense], **SETTING), cls([sparse], **SETTING)
    for rows in ([1, 4, 1], [0, 4], [2]):
        values = torch.randn(len(rows), 2, dtype=torch.float64, generator=torch.Generator().manual_seed(len(rows)))
        values[0, 1] = 0.0
        sparse.grad = torch.sparse_coo_tensor(torch.tensor([rows]), values, (6, 2), check_invariants=False)
        dense.grad = sparse.grad.to_dense()
        of_dense.step()
        of_sparse.step()
        torch.testing.assert_close(sparse, dense)
    assert torch.equal(sparse[[3, 5]], start[[3, 5]])


def numbers_and_groups_have_their_own_settings(cls):
    bias, w = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(2))
    optimizer = cls([{"params": [w], "l1": 5.0}, {"params": [bias]}], alpha=0.5, l1=0.0)
    bias.grad, w.grad = torch.tensor(1.0), torch.tensor([1.0, 2.0])
    optimizer.step()
    assert bias.item() < 0
    assert torch.equal(w, torch.zeros(2))


def state_goes_on_where_it_stopped(cls):
    first = nn.Parameter(torch.zeros(3))
    optimizer = cls([first], **SETTING)
    for g in GRADIENTS[:4]:
        first.grad = torch.tensor([g, 2 * g, 0.0])
        optimizer.step()
    stored = io.BytesIO()
    torch.save(optimizer.state_dict(), stored)
    stored.seek(0)
    second = nn.Parameter(first.detach().clone())
    again = cls([second], **SETTING)
    again.load_state_dict(torch.load(stored, weights_only=True))
    for parameter, its in ((first, optimizer), (second, again)):
        for g in GRADIENTS[4:]:
            parameter.grad = torch.tensor([g, -g, g])
            its.step()
    assert torch.equal(first, second)


def gradients_and_closures_are_left_alone(cls):
    w = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = cls([w], alpha=0.1)

    def closure():
        optimizer.zero_grad()
        loss = w.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 5.0
    grad = copy.deepcopy(w.grad)
    optimizer.step()
    assert torch.equal(w.grad, grad)
    unused = nn.Parameter(torch.ones(1))
    cls([unused]).step()
    assert unused.item() == 1.0


CHECKS = {
    check.__name__: check
    for check in (
        weights_minimise_the_objective,
        rows_give_the_papers_loop,
        without_penalties_it_is_gradient_descent,
        without_penalties_it_is_torchs_adagrad,
        with_a_large_beta_the_rate_is_constant,
        small_sums_of_gradients_leave_exactly_zero,
        only_touched_coordinates_move,
        sparse_and_dense_gradients_agree,
        numbers_and_groups_have_their_own_settings,
        state_goes_on_where_it_stopped,
        gradients_and_closures_are_left_alone,
    )
}
