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
    """Diamonds on a line are the front, circles the rest; bars are 95 % confidence intervals of the mean over the seeds."""
    front = trade.front
    said = "; ".join(
        f"{name} {trade.systems[name][0]:.3g} {trade.systems[name][1].mean():.{trade.decimals}f}" for name in front
    )
    better = "higher" if trade.higher_is_better else "lower"
    figure = new_figure(
        f"{trade.quality} against {trade.cost}, {trade.split}",
        f"{trade.quality} against {trade.cost}, split {trade.split}. On the front, cheapest first: {said or 'nothing'}.",
        height=560,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"t": 96},
        xaxis={"title": {"text": f"{trade.cost} (less is better)"}, "type": "log"} | _ticks(trade),
        yaxis={"title": {"text": f"{trade.quality} ({better} is better)"}},
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
            text=names,
            textposition="top center",
            textfont={"size": 13},
            mode="lines+markers+text" if label == "on the front" else "markers+text",
            line={"dash": "dot", "width": 2, "color": VERMILION},
            name=label,
            marker=look,
        )
    return figure


def _ticks(trade: Trade) -> dict[str, object]:
    """1, 2, 5, 10, … over the costs: plotly's own ticks between powers of ten are tiny digits."""
    costs = [cost for cost, _ in trade.systems.values()] or [1.0]
    powers = range(int(np.floor(np.log10(min(costs)))) - 1, int(np.ceil(np.log10(max(costs)))) + 1)
    at = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    low, high = min(costs) / 1.5, max(costs) * 1.5
    at = [tick for tick in at if low <= tick <= high]
    text = [f"{tick:,.0f}" if tick >= 1 else f"{tick:g}" for tick in at]
    return {"tickvals": at, "ticktext": text, "range": [float(np.log10(low)), float(np.log10(high))]}
