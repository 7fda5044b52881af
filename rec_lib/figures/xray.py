"""X-ray of a model: every named value that one ``forward`` makes, with the line that made it.

The model's own code is traced while it runs (``sys.settrace``), so this works for any module, one written in a notebook
included, and cannot drift from the code. Shapes are of the whole batch, values of one of its samples.

    >>> xray(model, table.batch(slice(0, 4)))            # a table, one row a name   # doctest: +SKIP
    >>> xray(model, batch).figure(row=2)                 # the same as a picture     # doctest: +SKIP
"""

from __future__ import annotations

import ast
import html
import inspect
import sys
import textwrap
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import plotly.graph_objects as go
import torch
from torch import Tensor, nn

from rec_lib.figures.core import DIVERGING, Picture, new_figure
from rec_lib.schema import Batch

RETURN = "return"
_SHOWN = 4  # numbers of a row that a table prints


@dataclass(frozen=True)
class Local:
    """One value of ``forward``: its name, the statement that made it, and the tensor (all rows of the batch)."""

    name: str
    source: str
    value: Tensor

    def of(self, row: int, batch_size: int) -> Tensor:
        """The part that belongs to one sample: row ``row`` where the first axis is the batch, else all of it."""
        return self.value[row] if self.value.dim() and len(self.value) == batch_size else self.value


@dataclass(frozen=True)
class XRay:
    """What ``xray`` saw: ``locals`` in the order in which they were made, and the batch that went in."""

    model: str
    locals: tuple[Local, ...]
    batch: Batch
    size: int
    row: int = 0

    def __getitem__(self, name: str) -> Tensor:
        """The last value of that name, all rows of the batch.

        Raises:
            KeyError: If ``forward`` made no tensor of that name; the message lists those that it made.
        """
        for local in reversed(self.locals):
            if local.name == name:
                return local.value
        raise KeyError(f"{self.model}.forward made no tensor {name!r}; it made {[x.name for x in self.locals]}.")

    def rows(self) -> list[tuple[str, str, str, str]]:
        """(name, shape, values of the sample, statement), one a value."""
        return [(x.name, str(tuple(x.value.shape)), preview(x.of(self.row, self.size)), x.source) for x in self.locals]

    def figure(self, row: int | None = None) -> Picture:
        """Draw one sample's values as strips of colour; see ``xray_figure``."""
        return xray_figure(self, self.row if row is None else row)

    def __repr__(self) -> str:
        rows = [("name", "shape", f"sample {self.row}", "line of forward"), *self.rows()]
        widths = [max(len(r[i]) for r in rows) for i in range(3)]
        lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(r, widths, strict=False)), r[3]]) for r in rows]
        return "\n".join([f"X-ray of {self.model}.forward", *lines])

    def _repr_html_(self) -> str:
        left = 'style="text-align:left"'
        head = "".join(
            f"<th scope='col' {left}>{t}</th>"
            for t in ("name", "shape 形状", f"sample {self.row}", "line of <code>forward</code>")
        )
        body = "".join(
            f"<tr><th scope='row' {left}><code>{name}</code></th><td {left}>{shape}</td>"
            f"<td {left}><code>{value}</code></td><td {left}><code>{html.escape(source)}</code></td></tr>"
            for name, shape, value, source in self.rows()
        )
        fields = ", ".join(f"{k} = {preview(v[self.row])}" for k, v in self.batch.items())
        return (
            f"<table><caption {left}>X-ray of <code>{html.escape(self.model)}.forward</code>, {self.size} samples; "
            f"sample {self.row}: {html.escape(fields)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def xray(model: nn.Module, batch: Batch, row: int = 0) -> XRay:
    """Run ``model(batch)`` once, in eval mode and without gradients, and keep every tensor that ``forward`` names.

    A name that is set again (in a loop, or in place) is kept each time. The model's mode is put back.

    Args:
        model: Any module whose ``forward`` is Python code.
        batch: Fields of B samples, ``dict[str, Tensor]``.
        row: The sample whose values are shown, 0 … B−1.

    Raises:
        ValueError: If ``row`` is not in the batch.
    """
    size = len(next(iter(batch.values())))
    if not 0 <= row < size:
        raise ValueError(f"row got {row}, expected 0 to {size - 1}: the batch has {size} samples.")
    code = inspect.unwrap(type(model).forward).__code__
    watch = _Watch(model, code)
    was_training, tracer_before = model.training, sys.gettrace()
    model.eval()
    sys.settrace(watch.on_call)
    try:
        with torch.no_grad():
            model(batch)
    finally:
        sys.settrace(tracer_before)
        model.train(was_training)
    return XRay(type(model).__name__, tuple(watch.seen), batch, size, row)


class _Watch:
    """The tracer: after each line of ``forward`` it looks which names hold a new tensor."""

    def __init__(self, model: nn.Module, code: CodeType) -> None:
        self.model, self.code = model, code
        self.statements = _statements(code)
        self.seen: list[Local] = []
        self.known: dict[str, tuple[Tensor, int]] = {}
        self.line = code.co_firstlineno

    def on_call(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code is not self.code or frame.f_locals.get("self") is not self.model:
            return None
        self.known = {k: (v, v._version) for k, v in frame.f_locals.items() if isinstance(v, Tensor)}
        return self.on_line

    def on_line(self, frame: FrameType, event: str, arg: Any) -> Any:
        for name, value in frame.f_locals.items():
            if not isinstance(value, Tensor):
                continue
            before = self.known.get(name)
            # the version counts changes in place; holding the tensor itself keeps its identity from being reused
            if before is None or before[0] is not value or before[1] != value._version:
                self.known[name] = (value, value._version)
                self.keep(name, value)
        self.line = frame.f_lineno
        if event == "return" and isinstance(arg, Tensor):
            self.keep(RETURN, arg)
        return self.on_line

    def keep(self, name: str, value: Tensor) -> None:
        source = self.statements.get(self.line, "")
        self.seen.append(Local(name, source, value.detach().clone()))


def _statements(code: CodeType) -> dict[int, str]:
    """Line number in the file -> the innermost statement on that line, on one line, with its trailing comment."""
    try:
        lines, first = inspect.getsourcelines(code)
    except OSError:  # typed at a prompt that keeps no source: the table then has names and shapes only
        return {}
    text = textwrap.dedent("".join(lines))
    dedented = text.splitlines()
    spans: dict[int, tuple[int, int]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            for number in range(node.lineno, max(node.lineno, end) + 1):
                spans[number] = (node.lineno, max(node.lineno, end))  # ast.walk goes outside in: the innermost stays
    joined = {n: " ".join(x.strip() for x in dedented[a - 1 : b]) for n, (a, b) in spans.items()}
    return {n + first - 1: " ".join(statement.split()) for n, statement in joined.items()}


def preview(value: Tensor) -> str:
    """The first few numbers of a tensor, rounded to three decimals, and how many follow."""
    flat = value.reshape(-1)
    if not len(flat):
        return "empty"
    whole = not value.is_floating_point()
    numbers = " ".join(str(x) if whole else f"{x:.3f}" for x in flat[:_SHOWN].tolist())
    if value.dim() == 0:
        return numbers
    return f"[{numbers}]" if len(flat) <= _SHOWN else f"[{numbers} … {len(flat)} numbers]"


def xray_figure(seen: XRay, row: int = 0) -> Picture:
    """Draw the values of one sample, one strip a name, on one colour scale centred at zero.

    A vector is a strip, a matrix (fields × dimensions) a block, a number one cell. Tensors with more axes are folded
    to two.

    Raises:
        ValueError: If ``row`` is not in the batch.
    """
    if not 0 <= row < seen.size:
        raise ValueError(f"row got {row}, expected 0 to {seen.size - 1}.")
    blocks = [(x.name, x.value.shape, _two_axes(x.of(row, seen.size))) for x in seen.locals]
    heights = [max(1, min(len(b), 12)) for _, _, b in blocks]
    tops = _stack(heights)
    limit = max((float(b.abs().max()) for _, _, b in blocks if b.numel()), default=0.0) or 1.0
    hidden = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}
    # The layout is gathered first and set once: plotly checks a layout anew at each change, and a slider waits for it.
    layout: dict[str, Any] = {
        "height": 110 + 22 * sum(heights) + 14 * len(blocks),
        "margin": {"l": 190},
        "coloraxis": {"colorscale": DIVERGING, "cmin": -limit, "cmax": limit, "colorbar": {"thickness": 14}},
        "annotations": [],
    }
    traces = []
    for i, ((name, shape, block), domain) in enumerate(zip(blocks, tops, strict=True)):
        n = "" if i == 0 else str(i + 1)
        traces.append(
            go.Heatmap(
                z=block.double().numpy(),
                coloraxis="coloraxis",
                xaxis=f"x{n}",
                yaxis=f"y{n}",
                hovertemplate=name + "[%{y}, %{x}] = %{z:.3f}<extra></extra>",
                # a single number is written out, because one cell of colour says little
                texttemplate="%{z:.3f}" if block.numel() == 1 else None,
            )
        )
        layout[f"xaxis{n}"] = {"anchor": f"y{n}", **hidden}
        layout[f"yaxis{n}"] = {"anchor": f"x{n}", "domain": domain, "autorange": "reversed", **hidden}
        label = {"text": f"<b>{name}</b> {tuple(shape)}", "x": -0.01, "y": sum(domain) / 2, "showarrow": False}
        place = {"xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "middle"}
        layout["annotations"].append(label | place)
    names = " → ".join(name for name, _, _ in blocks)
    alt = f"Values inside {seen.model}.forward for sample {row} of the batch, one strip of colour a name: {names}."
    figure = new_figure(f"{seen.model}, sample {row}", alt, **layout)
    figure.add_traces(traces)
    return figure


def _stack(heights: list[int], gap: float = 0.6) -> list[list[float]]:
    """Intervals of [0, 1] from the top down, in proportion to ``heights``, with ``gap`` of a unit between them."""
    unit = 1 / (sum(heights) + gap * (len(heights) - 1))
    ends, top = [], 1.0
    for height in heights:
        ends.append([max(top - height * unit, 0.0), top])
        top -= (height + gap) * unit
    return ends


def _two_axes(value: Tensor) -> Tensor:
    if value.dim() < 2:
        return value.reshape(1, -1)
    return value.reshape(-1, value.shape[-1])
