"""X-ray panel: step through the samples of a batch and see every value that ``forward`` makes for each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from rec_lib.figures.xray import RETURN, XRay, preview, xray, xray_figure
from rec_lib.models import DeepFM
from rec_lib.schema import Bag, Batch, Dense, Schema, Sparse
from rec_lib.widgets.core import Panel, check_whole, slider


@dataclass(frozen=True)
class Sample:
    """One sample of a traced batch."""

    seen: XRay
    row: int


def xray_panel(model: nn.Module, batch: Batch) -> Panel:
    """Return the panel of a model and a batch of B samples; one slider chooses the sample.

    The model runs once, when the panel is made; moving the slider only looks at other rows.
    """
    seen = xray(model, batch)

    def compute(row: int) -> Sample:
        check_whole("row", row, 0, seen.size - 1)
        return Sample(seen, row)

    control = slider("sample of the batch (row)", 0, seen.size - 1, 0, 1)
    return Panel({"row": control}, compute, lambda s: xray_figure(s.seen, s.row), _summary)


def _summary(sample: Sample) -> str:
    seen = sample.seen
    scalars = [x for x in seen.locals if x.of(sample.row, seen.size).dim() == 0 and x.name != RETURN]
    parts = ", ".join(f"{x.name} = {preview(x.of(sample.row, seen.size))}" for x in scalars)
    logit = float(seen[RETURN].reshape(-1)[sample.row])
    return f"Sample {sample.row}: {parts}. Logit {logit:.3f}, so P = {torch.sigmoid(torch.tensor(logit)):.3f}."


def demo() -> Panel:
    """Return the panel of a small untrained DeepFM on eight random samples; the caller's random state is untouched."""
    schema = Schema((Sparse("user", 12), Sparse("item", 12), Bag("genres", 8, maxlen=3), Dense("age")))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = DeepFM(schema, dim=8, hidden=(8,), init_sd=0.5)
        batch = {
            "user": torch.randint(2, 12, (8,)),
            "item": torch.randint(2, 12, (8,)),
            "genres": torch.randint(0, 8, (8, 3)),
            "age": torch.rand(8),
        }
    return xray_panel(model, batch)
