"""Laws of an answer that its value does not show: what it costs, whether it can be learned through, where it leads.

They are properties of :func:`rec_lib.exercises.judges.code_judge`, for answers that take and give tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rec_lib.exercises.compare import show
from rec_lib.exercises.judges import Property

_CUT = "Look for detach(), .data, torch.no_grad(), .item() or a tensor made anew from numbers"
_ASIDE = 0.0137  # drawn inputs are multiples of ½, where relu may stand on its kink and have two right slopes
_STEPS, _STEP = 100, 1.0  # of gradient descent, for trains()


class _Work(TorchDispatchMode):
    """Counts the numbers that operations read or write, whichever is more. A view costs nothing but its call."""

    def __init__(self) -> None:
        super().__init__()
        self.done = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        tensors = [t for t in tree_leaves((args, kwargs, result)) if isinstance(t, Tensor)]
        self.done += 1 if func.is_view else max((t.numel() for t in tensors), default=1)
        return result


def linear_cost(what: str, draw: Callable[[np.random.Generator, int], tuple[Any, ...]], wanted: str) -> Property:
    """Four times as many of something must cost about four times the work, not sixteen times.

    Args:
        what: what there are many of, as ``fields``.
        draw: ``draw(rng, n)`` returns the arguments with n of them.
        wanted: the cost that the task asks for, as ``O(F·D)``.
    """
    few, many = 16, 64

    def fails(function: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator) -> str | None:
        work = []
        for n in (few, many):
            with _Work() as counted:
                function(*draw(np.random.default_rng(0), n))
            work.append(counted.done)
        times = work[1] / work[0]
        if times < 7:
            return None
        return (
            f"the values are right, but {few} → {many} {what} cost {times:.1f} times the work, not 4 times: every pair is "
            f"visited, in a loop or in a table of all pairs. The task asks for {wanted}"
        )

    return Property("cost", fails, of_right=True)


def gradient_of(got: Any, like: Tensor, rng: np.random.Generator | None = None) -> Tensor | None:
    """What a sum over ``got`` (weighed at random, given a generator) sends back to the leaf of its graph that equals
    ``like``; None when nothing arrives."""
    if not isinstance(got, Tensor) or got.grad_fn is None:
        return None
    weights = torch.ones_like(got)
    if rng is not None:
        weights = torch.tensor(rng.uniform(0.5, 1.5, got.shape), dtype=got.dtype)
    waiting: list[Any] = [got.grad_fn]
    seen: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None and leaf.shape == like.shape and torch.equal(leaf, like):
            return torch.autograd.grad(got, leaf, weights, allow_unused=True)[0]
        waiting += [parent for parent, _ in node.next_functions]
    return None


def differentiable(name: str, argument: int, reference: Callable[..., Tensor]) -> Property:
    """The gradient of the answer in one argument is that of the reference.

    Args:
        name: of the argument, for the message.
        argument: its position.
        reference: the right function.
    """

    def fails(function: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator) -> str | None:
        found = []
        at = args[argument] + _ASIDE * torch.arange(args[argument].numel()).sqrt().reshape(args[argument].shape)
        for f in (function, reference):
            given = [a.detach().clone() if isinstance(a, Tensor) else a for a in args]
            given[argument] = at.clone().requires_grad_()
            found.append(gradient_of(f(*given), at, np.random.default_rng(0)))
        got, expected = found
        if expected is None or not expected.any():
            return None
        if got is None:
            return f"the values are right, but no gradient reaches {name}, which would never learn. {_CUT}"
        if torch.allclose(got, expected, rtol=1e-3, atol=1e-5):
            return None
        return (
            f"the values are right, but the gradient that reaches {name} is {show(got)}, expected {show(expected)}: part "
            f"of the way back is cut. {_CUT}"
        )

    return Property("gradient", fails, of_right=True)


def trains(argument: str = "logits") -> Property:
    """A loss ``(logits, label)`` that leads somewhere: gradient descent on it lowers the log loss of free logits."""

    def fails(function: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator) -> str | None:
        label = args[1]
        logits = torch.zeros_like(label)
        for _ in range(_STEPS):
            given = logits.clone().requires_grad_()
            slope = gradient_of(function(given, label.clone()), logits)
            if slope is None:
                return (
                    f"no gradient reaches {argument}. You would see a training loss that stays at {math.log(2):.2f} = ln 2, "
                    f"what it costs to say one half to everyone, whatever the learning rate. {_CUT}"
                )
            logits = logits - _STEP * len(label) * slope
        end = float(functional.binary_cross_entropy_with_logits(logits, label))
        if end < 0.1:
            return None
        seen = (
            f"after {_STEPS} steps of gradient descent the log loss is {end:.2f}; it began at {math.log(2):.2f} = ln 2"
        )
        if end > math.log(2) + 0.01:
            return f"{seen}. It climbs: the gradient points the wrong way, or the steps are far too large"
        return (
            f"{seen}. The steps are too small: the gradient is a fraction of the right one, which looks like a learning rate "
            "that is too small"
        )

    return Property("training", fails)
