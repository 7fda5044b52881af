"""Worlds whose truth comes in pieces: two regimes with opposed slopes, thresholds that cross, and days that drift.

Each is drawn from a seed and comes as tables with the true probability in the extra column "p".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.special import expit

from rec_lib.data.bayes import bayes_auc, bayes_log_loss
from rec_lib.data.table import Table
from rec_lib.schema import FIRST, Dense, Schema, Sparse

SLOTS = 4  # places on the page in `two_regimes`; they make no difference there
ADS = 300  # in `thresholds`
ADS_BY_DAY = 100  # in `days`


@dataclass(frozen=True, eq=False)
class Planted:
    """Rows of a known law, and the best possible scores on `test`."""

    name: str
    train: Table
    valid: Table
    test: Table

    @cached_property
    def bayes(self) -> dict[str, float]:
        return {"auc": bayes_auc(self.test["p"]), "log_loss": bayes_log_loss(self.test["p"])}


def two_regimes(
    seed: int,
    d: int = 6,
    opposed: float = 1.0,
    noise: int = 0,
    sizes: tuple[int, int, int] = (12_000, 4_000, 10_000),
) -> Planted:
    """Half of the rows answer to slope w, half to slope v: LS-PLM's world.

    p = g σ(w·x) + (1 − g) σ(v·x),  g = σ(4 x₀);  x ~ N(0, I_d), ‖w‖ = ‖v‖ = 2, both at right angles to x₀,
    cos(w, v) = −opposed: 1 makes v = −w. Fields: Dense x0 … x{d−1}; Sparse "slot" and, with `noise`, as many further
    Dense fields noise0, noise1 …, which have no part in the law.

    Raises ValueError for d < 3, opposed outside [0, 1] or noise below 0.
    """
    if d < 3 or not 0 <= opposed <= 1 or noise < 0:
        raise ValueError(f"d={d}, opposed={opposed}, noise={noise}: expected d ≥ 3, opposed in [0, 1], noise ≥ 0.")
    rng = np.random.default_rng(seed)
    w, other = np.linalg.qr(rng.normal(size=(d - 1, 2)))[0].T  # two directions at right angles
    v = -opposed * w + np.sqrt(1 - opposed**2) * other
    names = [f"x{i}" for i in range(d)] + [f"noise{i}" for i in range(noise)]
    schema = Schema((Sparse("slot", SLOTS + FIRST), *map(Dense, names)))

    def draw(n: int) -> Table:
        x = rng.normal(size=(n, len(names)))
        gate = expit(4 * x[:, 0])
        p = gate * expit(2 * x[:, 1:d] @ w) + (1 - gate) * expit(2 * x[:, 1:d] @ v)
        return _table(schema, {"slot": rng.integers(SLOTS, size=n)}, dict(zip(names, x.T, strict=True)), p, rng)

    return Planted(f"two_regimes_{d}_{opposed:g}", *(draw(n) for n in sizes))


def thresholds(seed: int, sizes: tuple[int, int, int] = (24_000, 8_000, 16_000)) -> Planted:
    """Steps and a crossing of steps in the dense features, and an id of many values: GBDT+LR's world.

    z = −0.5 + w[ad] + 1.5 sign(x₁ − 0.2) sign(x₂ + 0.1) + 1[|x₃| < 0.4];  w ~ N(0, 1) over 300 ads, x₁ … x₄ uniform on
    [−1, 1]; x₄ is noise.
    """
    rng = np.random.default_rng(seed)
    w = rng.normal(size=ADS)
    schema = Schema((Sparse("ad", ADS + FIRST), *(Dense(f"x{i}") for i in range(1, 5))))
    return Planted("thresholds", *(_steps(schema, w, (0.2, -0.1), n, rng) for n in sizes))


def days(seed: int, drift: str, n_days: int = 9, rows: int = 12_000) -> list[Table]:
    """A table a day of `thresholds`' law with 100 ads, of which one part moves from day to day.

    drift  "ads": w ← 0.8 w + 0.6 N(0, 1), while the crossing stays. "crossing": the two thresholds wander by
           N(0, 0.25²) a day, kept within ±0.6, while the ads stay. "nothing": all stays.

    Raises ValueError for another drift.
    """
    if drift not in ("ads", "crossing", "nothing"):
        raise ValueError(f"drift={drift!r}: expected 'ads', 'crossing' or 'nothing'.")
    rng = np.random.default_rng(seed)
    w, at = rng.normal(size=ADS_BY_DAY), np.array([0.2, -0.1])
    schema = Schema((Sparse("ad", ADS_BY_DAY + FIRST), *(Dense(f"x{i}") for i in range(1, 5))))
    tables = []
    for _ in range(n_days):
        tables.append(_steps(schema, w, (at[0], at[1]), rows, rng))
        if drift == "ads":
            w = 0.8 * w + 0.6 * rng.normal(size=ADS_BY_DAY)
        elif drift == "crossing":
            at = np.clip(at + 0.25 * rng.normal(size=2), -0.6, 0.6)
    return tables


def _steps(schema: Schema, w: np.ndarray, at: tuple[float, float], n: int, rng: np.random.Generator) -> Table:
    ad, x = rng.integers(len(w), size=n), rng.uniform(-1, 1, size=(n, 4))
    z = -0.5 + w[ad] + 1.5 * np.sign(x[:, 0] - at[0]) * np.sign(x[:, 1] - at[1]) + (np.abs(x[:, 2]) < 0.4)
    return _table(schema, {"ad": ad}, {f"x{i + 1}": x[:, i] for i in range(4)}, expit(z), rng)


def _table(
    schema: Schema, ids: dict[str, np.ndarray], dense: dict[str, np.ndarray], p: np.ndarray, rng: np.random.Generator
) -> Table:
    columns = {name: torch.from_numpy(values.astype(np.int64) + FIRST) for name, values in ids.items()}
    columns |= {name: torch.from_numpy(values.astype(np.float32)) for name, values in dense.items()}
    columns["label"] = torch.from_numpy((rng.random(len(p)) < p).astype(np.float32))
    return Table(schema, columns, extra={"p": torch.from_numpy(p)})
