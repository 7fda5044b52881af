"""Two plain pictures as SVG text, the same for the same data: bars of ratios, and lines on log axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

BLUE, ORANGE = "#0072B2", "#D55E00"
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#56B4E9")
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def text(x: float, y: float, words: str, anchor: str = "start", size: int = 12, colour: str = "black") -> str:
    """With a white rim, so that it is read across lines."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"'
    return f'<text {place} stroke="white" stroke-width="3" paint-order="stroke">{escape(words)}</text>'


def document(width: float, height: float, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])


def bars(title: str, label: str, rows: Sequence[tuple[str, float]]) -> str:
    """A bar a row from 1 to its ratio, on a log axis; below 1 in another colour and marked by its number."""
    left, width, step, top = 380, 420, 20, 60
    low = min(1.0, *(value for _, value in rows)) / 1.1
    high = max(1.0, *(value for _, value in rows)) * 1.3

    def x(value: float) -> float:
        return left + width * math.log(value / low) / math.log(high / low)

    bottom = top + step * len(rows)
    parts = [text(10, 22, title, size=16), text(left, 42, label)]
    for tick in TICKS:
        if low <= tick <= high:
            stroke = "black" if tick == 1 else "#ccc"
            parts.append(f'<path d="M{x(tick):.1f} {top}V{bottom}" stroke="{stroke}"/>')
            parts.append(text(x(tick), bottom + 16, f"{tick:g}", "middle"))
    for place, (name, value) in enumerate(rows):
        y, a, b = top + step * place, *sorted((x(1), x(value)))
        colour = BLUE if value >= 1 else ORANGE
        parts.append(f'<rect x="{a:.1f}" y="{y + 3}" width="{max(b - a, 1):.1f}" height="{step - 6}" fill="{colour}"/>')
        parts += [text(left - 8, y + 15, name, "end"), text(b + 4, y + 15, f"{value:.2f}")]
    return document(left + width + 60, bottom + 30, parts)


Curve = tuple[str, Sequence[float], Sequence[float], bool]  # name, sizes, values, whether it is dashed


def panels(title: str, jobs: Sequence[tuple[str, Sequence[Curve]]]) -> str:
    """A panel a job, both axes logarithmic; two in a row."""
    wide, high = 420, 300
    parts = [text(10, 22, title, size=16)]
    for number, (job, curves) in enumerate(jobs):
        parts += panel(20 + wide * (number % 2), 40 + high * (number // 2), wide - 40, high - 20, job, curves)
    return document(2 * wide + 20, 40 + high * math.ceil(len(jobs) / 2), parts)


def panel(left: float, top: float, wide: float, high: float, job: str, curves: Sequence[Curve]) -> list[str]:
    sizes = [v for _, xs, _, _ in curves for v in xs]
    values = [v for _, _, ys, _ in curves for v in ys]
    x0, x1, y0, y1 = left + 50, left + wide, top + high - 40, top + 20

    def at(size: float, value: float) -> str:
        across = math.log(size / min(sizes)) / math.log(max(sizes) / min(sizes))
        up = math.log(value / min(values)) / math.log(max(values) / min(values))
        return f"{x0 + across * (x1 - x0):.1f} {y0 + up * (y1 - y0):.1f}"

    parts = [text(left, top + 12, job), f'<path d="M{x0} {y1}V{y0}H{x1}" fill="none" stroke="black"/>']
    parts += [text(x0, y0 + 16, f"{min(sizes):,.0f}", "middle"), text(x1, y0 + 16, f"{max(sizes):,.0f}", "end")]
    parts += [text(x0 - 4, y0, f"{min(values):.2g} s", "end"), text(x0 - 4, y1 + 10, f"{max(values):.2g} s", "end")]
    for number, (name, xs, ys, dashed) in enumerate(curves):
        colour = COLOURS[number // 2 % len(COLOURS)]
        path = "L".join(at(*point) for point in zip(xs, ys, strict=True))
        style = ' stroke-dasharray="4 4"' if dashed else ""
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{style}/>')
        parts.append(text(x0 + 8, y1 + 14 + 15 * number, f"{'- -' if dashed else '──'} {name}", colour=colour))
    return parts
