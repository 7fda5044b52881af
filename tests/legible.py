"""What makes a figure hard to read, found without drawing it: used on panels and on the figures stored in notebooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SMALLEST = 12  # pixels of a letter


def faults(figure: Mapping[str, Any]) -> list[str]:
    """Faults of a figure given as plotly JSON."""
    layout = figure["layout"]
    found = [f"{place}: letters of {size} px" for place, size in sizes(figure) if size < SMALLEST]
    for note in layout.get("annotations", []):
        found += annotation_faults(note, layout)
    for name, axis in layout.items():
        # between powers of ten plotly's own ticks are single digits in small print
        if name[1:].startswith("axis") and axis.get("type") == "log" and not ("tickvals" in axis or "dtick" in axis):
            found.append(f"{name}: logarithmic, with plotly's own ticks")
    return found


def sizes(part: Any, place: str = "figure") -> Iterator[tuple[str, float]]:
    """Every font size that is set, and where."""
    if isinstance(part, list | tuple):
        for i, inner in enumerate(part):
            yield from sizes(inner, f"{place}[{i}]")
    elif isinstance(part, Mapping):
        for key, inner in part.items():
            if (
                key.endswith("font")
                and isinstance(inner, Mapping)
                and isinstance(size := inner.get("size"), int | float)
            ):
                yield f"{place}.{key}", size
            elif key not in ("template", "meta"):
                yield from sizes(inner, f"{place}.{key}")


def annotation_faults(note: Mapping[str, Any], layout: Mapping[str, Any]) -> Iterator[str]:
    text = note.get("text", "")
    if note.get("showarrow", True) and "arrowcolor" not in note:
        yield f"{text!r}: plotly's own arrow is dark, the page may be too"
    for way in "xy":
        axis = layout.get(f"{way}axis{note.get(f'{way}ref', way)[1:]}")  # "x2" → "xaxis2"; "paper", "x domain": none
        low_high = sorted(axis["range"]) if axis and axis.get("range") and axis.get("type") != "log" else None
        at = note.get(way)
        if low_high and isinstance(at, int | float) and not low_high[0] <= at <= low_high[1]:
            yield f"{text!r}: {way} = {at} is outside the axis, so it is not drawn"
