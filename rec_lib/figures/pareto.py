"""Quality against cost, a point a system: which of them nobody beats in both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rec_lib.figures.core import PALETTE, VERMILION, Picture, new_figure
from rec_lib.figures.leaderboard import half_width


@dataclass(frozen=True)
class Trade:
    """``systems`` has name → (cost, quality a seed). A cost is positive, and less of it is better."""

    quality: str
    cost: str
    split: str
    higher_is_better: bool
    decimals: int
    systems: dict[str, tuple[float, np.ndarray]]

    @property
    def front(self) -> list[str]:
        """The systems that no other one beats in both means, or equals in one and beats in the other; cheapest first."""
        sign = 1 if self.higher_is_better else -1
        found: list[str] = []
        best = -np.inf
        for name, (_, values) in sorted(self.systems.items(), key=lambda row: (row[1][0], -sign * row[1][1].mean())):
            if sign * values.mean() > best:
                best = sign * values.mean()
                found.append(name)
        return found


def pareto_figure(trade: Trade) -> Picture:
    """Diamonds on a line are the front, circles the rest; bars are 95 % confidence intervals of the mean over the seeds.

    Many systems stand close together, so the names are a column at the right, and a thin line leads from each to its point.
    """
    front = trade.front
    said = "; ".join(
        f"{name} {trade.systems[name][0]:.3g} {trade.systems[name][1].mean():.{trade.decimals}f}" for name in front
    )
    better = "higher" if trade.higher_is_better else "lower"
    x_range, column = _across(trade)
    y_range = _up(trade)
    figure = new_figure(
        f"{trade.quality} and what it costs, {trade.split}",
        f"{trade.quality} against {trade.cost}, split {trade.split}. On the front, cheapest first: {said or 'nothing'}.",
        height=600,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 96},
        xaxis={"title": {"text": f"{trade.cost} (less is better)"}, "type": "log", "range": x_range} | _ticks(trade),
        yaxis={"title": {"text": f"{trade.quality} ({better} is better)"}, "range": y_range},
    )
    places = _apart({name: float(values.mean()) for name, (_, values) in trade.systems.items()}, y_range)
    leaders: list[tuple[float | None, float | None]] = []
    for name, place in places.items():
        cost, values = trade.systems[name]
        leaders += [(cost, float(values.mean())), (column, place), (None, None)]
    figure.add_scatter(
        x=[x for x, _ in leaders],
        y=[y for _, y in leaders],
        mode="lines",
        line={"width": 1, "color": "rgba(127,127,127,0.45)"},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=[column] * len(places),
        y=list(places.values()),
        text=list(places),
        mode="text",
        textposition="middle right",
        textfont={"size": 13},
        hoverinfo="skip",
        showlegend=False,
    )
    rest = [name for name in trade.systems if name not in front]
    for names, label, look in (
        (rest, "beaten in both by another", {"symbol": "circle-open", "size": 10, "color": PALETTE[0]}),
        (front, "on the front", {"symbol": "diamond", "size": 12, "color": VERMILION}),
    ):
        rows = [trade.systems[name] for name in names]
        figure.add_scatter(
            x=[cost for cost, _ in rows],
            y=[float(values.mean()) for _, values in rows],
            error_y={"type": "data", "array": [half_width(values) for _, values in rows], "thickness": 1.5},
            hovertext=names,
            mode="lines+markers" if label == "on the front" else "markers",
            line={"dash": "dot", "width": 2, "color": VERMILION},
            name=label,
            marker=look,
        )
    return figure


def _across(trade: Trade) -> tuple[list[float], float]:
    """Range of the logarithmic axis with room for the names, and the cost at which their column stands."""
    costs = [cost for cost, _ in trade.systems.values()] or [1.0]
    low, high = float(np.log10(min(costs))) - 0.18, float(np.log10(max(costs))) + 0.1
    span = high - low
    return [low, high + 0.36 * span], 10 ** (high + 0.1 * span)


def _up(trade: Trade) -> list[float]:
    """Range of the other axis: all bars are inside."""
    ends = [(v.mean() - half_width(v), v.mean() + half_width(v)) for _, v in trade.systems.values()] or [(0.0, 1.0)]
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    room = 0.06 * (high - low or 1.0)
    return [low - room, high + room]


def _apart(means: dict[str, float], within: list[float]) -> dict[str, float]:
    """A height for each name: as near to its mean as names of one height allow, lowest first."""
    if not means:
        return {}
    low, high = within
    gap = min((high - low) / 20, (high - low) / (len(means) + 1))
    names = sorted(means, key=lambda name: means[name])
    # at least i gaps above the lowest end, and pushed up by the one below; then down from the upper end
    places: list[float] = []
    for name in names:
        places.append(max(means[name], places[-1] + gap if places else low + gap / 2))
    shift = float(np.mean([place - means[name] for name, place in zip(names, places, strict=True)]))
    top = high - gap / 2
    for i in reversed(range(len(places))):
        places[i] = min(places[i] - shift, top)
        top = places[i] - gap
    bottom = low + gap / 2
    for i in range(len(places)):
        places[i] = max(places[i], bottom)
        bottom = places[i] + gap
    return dict(zip(names, places, strict=True))


def _ticks(trade: Trade) -> dict[str, object]:
    """1, 2, 5, 10, … over the costs: plotly's own ticks between powers of ten are tiny digits."""
    costs = [cost for cost, _ in trade.systems.values()] or [1.0]
    powers = range(int(np.floor(np.log10(min(costs)))) - 1, int(np.ceil(np.log10(max(costs)))) + 1)
    at = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    at = [tick for tick in at if min(costs) / 1.5 <= tick <= max(costs) * 1.25]
    return {"tickvals": at, "ticktext": [f"{tick:,.0f}" if tick >= 1 else f"{tick:g}" for tick in at]}
