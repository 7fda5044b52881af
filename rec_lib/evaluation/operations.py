"""Count what a piece of torch code multiplies: the same number in every run and on every machine, unlike a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# One multiplication or division for each number of the result.
_ELEMENTWISE = {"mul", "div", "pow", "square"}
# rows · columns · length of the sums
_MATRIX = {"mm", "bmm", "mv", "dot", "addmm", "addmv", "baddbmm"}


class _Tally(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__.removesuffix("_")
        if name in _ELEMENTWISE and result.is_floating_point():
            self.count += result.numel()
        elif name in _MATRIX:
            left = args[1] if name in ("addmm", "addmv", "baddbmm") else args[0]
            self.count += result.numel() * left.shape[-1]
        return result


def multiplications(function: Callable[..., Tensor], *args: Any) -> int:
    """How many products of real numbers ``function(*args)`` forms, divisions and squares included.

    Work on whole numbers (ids) is not counted, nor are sums, comparisons and look-ups.

    Example: a model's ``multiplications(model, batch)`` over the rows of the batch is its cost a sample.
    """
    with torch.no_grad(), _Tally() as tally:
        function(*args)
    return tally.count
