"""What the derivations of chapter 3 share: sums over fields, a ReLU, and a model small enough to hold to a formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor, nn

from rec_lib.derive.agreement import run_module
from rec_lib.schema import FIRST, Dense, Schema, Sparse

HALF = sp.Rational(1, 2)
n, F, k = sp.symbols("n F k", integer=True, positive=True)  # features, fields, numbers in a vector
i, j, f = sp.symbols("i j f", integer=True, positive=True)  # of features or fields, and of the numbers of a vector


def indexed(*names: str) -> list[sp.IndexedBase]:
    """Real arrays by name, indexed from 1 as on paper."""
    return [sp.IndexedBase(name, real=True) for name in names]


class step(sp.Function):
    """1 where z > 0, else 0: the slope of relu. Its own slope is 0 wherever it has one."""

    nargs = 1
    _imp_ = staticmethod(lambda z: np.heaviside(z, 0.0))  # what sympy.lambdify calls

    @classmethod
    def eval(cls, z: sp.Expr) -> sp.Expr | None:
        return (sp.Integer(1) if z > 0 else sp.Integer(0)) if z.is_number else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return sp.Integer(0)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return rf"\mathbf{{1}}\left[{printer.doprint(self.args[0])} > 0\right]"


class relu(sp.Function):
    """max(0, z) with :class:`step` as its slope; the slope of sympy's own Max is a distribution."""

    nargs = 1
    _imp_ = staticmethod(lambda z: np.maximum(z, 0.0))

    @classmethod
    def eval(cls, z: sp.Expr) -> sp.Expr | None:
        return sp.Max(0, z) if z.is_number else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return step(self.args[0])

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return rf"\operatorname{{relu}}\left({printer.doprint(self.args[0])}\right)"


def one_id_a_field(
    code: Callable[..., nn.Module],
    parameters: dict[str, Tensor],
    n_fields: int,
    dense: Tensor | None = None,
    **sizes: Any,
) -> Tensor:
    """The logit, a scalar, of a model with one real id a field, whose weights are the tensors of a formula.

    Args:
        code: class of the model, called as ``code(schema, **sizes)``.
        parameters: by the model's own names; ``…table`` takes one row a field, (F, D).
        n_fields: F.
        dense: (N,) values of the dense features.
    """
    sparse = tuple(Sparse(f"field{number}", FIRST + 1) for number in range(1, n_fields + 1))
    values = [] if dense is None else list(dense.reshape(-1, 1))
    numbers = tuple(Dense(f"dense{number}") for number in range(1, len(values) + 1))
    batch = {field.name: torch.tensor([FIRST]) for field in sparse}
    batch |= {field.name: value for field, value in zip(numbers, values, strict=True)}
    lent = {name: _table(t) if name.endswith("table") else t for name, t in parameters.items()}
    model = code(Schema(sparse + numbers), **sizes).eval()
    return run_module(model, lent, batch).squeeze(0)


def _table(rows: Tensor) -> Tensor:
    """The embedding table of fields with one real id each: PAD, OOV, row of field 1, PAD, OOV, row of field 2, …"""
    empty = rows.new_zeros(len(rows), FIRST, rows.shape[1])
    return torch.cat([empty, rows.unsqueeze(1)], dim=1).flatten(0, 1)
