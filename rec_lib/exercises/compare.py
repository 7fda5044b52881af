"""Got against expected: kind of value, shape, dtype, numbers; and how values are written in messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

_MAX_SHOWN = 24  # entries of an array that are written out


@dataclass(frozen=True)
class Difference:
    """The first thing that is not as expected. ``what`` is ``type``, ``length``, ``shape``, ``dtype`` or ``value``."""

    what: str
    text: str


def is_tensor(value: Any) -> bool:
    """Whether a value is a torch tensor (by its type's name, so that torch need not be imported)."""
    return any(t.__module__.partition(".")[0] == "torch" and t.__name__ == "Tensor" for t in type(value).__mro__)


def show(value: Any) -> str:
    """A value in a message: short, rounded, the same in every run."""
    if is_tensor(value):
        return _show_array("tensor", value.detach().cpu().numpy(), str(value.dtype).removeprefix("torch."), "float32")
    if isinstance(value, np.ndarray):
        return _show_array("array", value, str(value.dtype), "float64")
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.6g}"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, np.random.Generator):
        return "a random generator"
    if isinstance(value, (list, tuple)):
        left, right = "[]" if isinstance(value, list) else "()"
        return left + ", ".join(map(show, value)) + right
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {show(v)}" for k, v in value.items()) + "}"
    text = repr(value)
    return f"an object of type {type(value).__name__}" if re.search(r"0x[0-9a-f]{4,}", text) else text[:200]


def _show_array(word: str, array: np.ndarray, dtype: str, usual: str) -> str:
    kind = f"{word} {array.shape}" if array.shape else f"{word}"
    kind += "" if dtype == usual else f" {dtype}"
    return f"{kind} {_nested(array.tolist())}" if array.size <= _MAX_SHOWN else kind


def _nested(entries: Any) -> str:
    if isinstance(entries, list):
        return "[" + ", ".join(map(_nested, entries)) + "]"
    return f"{entries:.4g}" if isinstance(entries, float) else str(entries)


def compare(got: Any, expected: Any, rtol: float, atol: float, where: str = "") -> Difference | None:
    """The first difference between two values, or None.

    Scalars of Python, numpy and zero-dimensional tensors are one kind; arrays, tensors, lists, tuples and dicts are
    told apart, because later code depends on which it gets.
    """
    if _is_scalar(expected):
        if not _is_scalar(got):
            return Difference("type", f"got {_kind(got)}{where}, expected one number")
        return None if _equal(got, expected, rtol, atol) else Difference("value", _got(got, expected, where))
    if is_tensor(expected) or isinstance(expected, np.ndarray):
        return _compare_arrays(got, expected, rtol, atol, where)
    if type(got) is not type(expected):
        return Difference("type", f"got {_kind(got)}{where}, expected {_kind(expected)}")
    if isinstance(expected, (list, tuple)):
        if len(got) != len(expected):
            return Difference(
                "length", f"got {len(got)} entries{where}, expected {len(expected)}: {_got(got, expected)}"
            )
        parts = ((got[i], expected[i], f" in entry {i}{where}") for i in range(len(expected)))
    elif isinstance(expected, dict):
        if got.keys() != expected.keys():
            return Difference(
                "keys", f"got the keys {sorted(map(str, got))}{where}, expected {sorted(map(str, expected))}"
            )
        parts = ((got[k], expected[k], f" in {k!r}{where}") for k in expected)
    else:
        return None if got == expected else Difference("value", _got(got, expected, where))
    return next((d for a, b, w in parts if (d := compare(a, b, rtol, atol, w))), None)


def _compare_arrays(got: Any, expected: Any, rtol: float, atol: float, where: str) -> Difference | None:
    if is_tensor(got) != is_tensor(expected) or not (is_tensor(got) or isinstance(got, np.ndarray)):
        return Difference("type", f"got {_kind(got)}{where}, expected {_kind(expected)}")
    if tuple(got.shape) != tuple(expected.shape):
        return Difference("shape", f"got {tuple(got.shape)}{where}, expected {tuple(expected.shape)}")
    if got.dtype != expected.dtype:
        return Difference("dtype", f"got {got.dtype}{where}, expected {expected.dtype}")
    return None if _equal(got, expected, rtol, atol) else Difference("value", _got(got, expected, where))


def numbers(value: Any) -> np.ndarray:
    """A scalar, array or tensor as a numpy array."""
    return value.detach().cpu().numpy() if is_tensor(value) else np.asarray(value)


def ratio(got: Any, expected: Any) -> float | None:
    """The one number that ``got`` is a multiple of ``expected`` by, or None."""
    if not (_is_scalar(expected) or is_tensor(expected) or isinstance(expected, np.ndarray)):
        return None
    a, b = numbers(got).astype(float).ravel(), numbers(expected).astype(float).ravel()
    if not np.isfinite(a).all() or not (b @ b):
        return None
    factor = float(a @ b / (b @ b))
    return factor if np.allclose(a, factor * b, rtol=1e-4, atol=1e-6 * np.abs(b).max()) else None


def _equal(got: Any, expected: Any, rtol: float, atol: float) -> bool:
    a, b = numbers(got), numbers(expected)
    if a.dtype.kind in "fc" or b.dtype.kind in "fc":
        return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True))
    return bool(np.array_equal(a, b))


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (bool, int, float, np.generic)) or (is_tensor(value) and value.ndim == 0)


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if is_tensor(value):
        return "a torch tensor"
    return "a numpy array" if isinstance(value, np.ndarray) else f"{type(value).__name__} {show(value)}"[:120]


def _got(got: Any, expected: Any, where: str = "") -> str:
    return f"got {show(got)}{where}, expected {show(expected)}"
