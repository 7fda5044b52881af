"""Multiplications are counted as one counts them by hand."""

import pytest
import torch

from rec_lib.evaluation.operations import multiplications
from rec_lib.layers import fm_pairwise
from rec_lib.models import FFM, FM, LR, POLY2
from rec_lib.schema import Schema, Sparse

B = 7


def samples(fields):
    schema = Schema(tuple(Sparse(f"f{i}", 9) for i in range(fields)))
    return schema, {f"f{i}": torch.randint(1, 9, (B,)) for i in range(fields)}


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        (lambda a, b: a * b, (torch.ones(3, 4), torch.ones(4)), 12),
        (lambda a, b: a + b - a.abs(), (torch.ones(3), torch.ones(3)), 0),
        (lambda a: a / 2, (torch.ones(5),), 5),
        (lambda a: a.square() + a**3, (torch.ones(5),), 10),
        (lambda a: a.mul_(2.0), (torch.ones(5),), 5),
        (lambda a, b: a @ b, (torch.ones(3, 4), torch.ones(4, 5)), 60),
        (lambda a, b: a @ b, (torch.ones(3, 4), torch.ones(4)), 12),
        (lambda a, b: a @ b, (torch.ones(2, 3, 4), torch.ones(2, 4, 5)), 120),
        (torch.nn.Linear(4, 5), (torch.ones(3, 4),), 60),
        (lambda i: i * 2, (torch.arange(5),), 0),
        (fm_pairwise, (torch.ones(B, 6, 4),), B * (6 * 4 + 4 + 4)),  # squares, square of the sum, the half
    ],
)
def test_counts(function, args, expected):
    assert multiplications(function, *args) == expected


@pytest.mark.parametrize("fields", [2, 5, 9])
@pytest.mark.parametrize("k", [1, 4])
def test_models_cost_what_their_formulas_say(fields, k):
    """A look-up multiplies nothing; pairs do."""
    schema, batch = samples(fields)
    pairs = fields * (fields - 1) // 2
    assert multiplications(LR(schema), batch) == 0
    assert multiplications(POLY2(schema, 50), batch) == B * (fields + 2 * pairs)  # shares of a field; w x_i x_j
    assert multiplications(FM(schema, k), batch) == B * (fields * k + 2 * k)
    assert multiplications(FFM(schema, k), batch) == B * pairs * k


def test_gradients_are_left_alone():
    x = torch.ones(3, requires_grad=True)
    multiplications(lambda a: a * 2, x)
    assert x.grad is None
    assert torch.is_grad_enabled()
