"""The rating models as plain loops over one rating, from the papers' formulas and the weights' names alone."""

import math

from rec_lib import models
from rec_lib.data.table import Table


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def square(a):
    return sum(x * x for x in a)


class Known:
    """Who has ratings in training, and which: read row by row from the table."""

    def __init__(self, train: Table):
        rows = list(zip(train["user"].tolist(), train["item"].tolist(), train["label"].tolist(), strict=True))
        self.mu = sum(r for _, _, r in rows) / len(rows)
        self.of: dict[int, set[int]] = {}
        self.items = set()
        for u, i, _ in rows:
            self.of.setdefault(u, set()).add(i)
            self.items.add(i)


def mf(model, train: Table, u: int, i: int) -> tuple[float, float]:
    """Prediction and penalty of one pair."""
    return _mf(model, train, u, i, [])


def svdpp(model, train: Table, u: int, i: int) -> tuple[float, float]:
    known = Known(train)
    y = model.y.tolist()
    rated = sorted(known.of.get(u, ()))
    implied = [sum(y[j][d] for j in rated) / max(1, len(rated)) ** 0.5 for d in range(len(y[0]))]
    r, cost = _mf(model, train, u, i, implied)
    return r, cost + model.l2_y * sum(square(y[j]) for j in rated)


def _mf(model, train: Table, u: int, i: int, implied: list[float]) -> tuple[float, float]:
    known = Known(train)
    p = model.p[u].tolist() if u in known.of else [0.0] * model.p.shape[1]
    q = model.q[i].tolist() if i in known.items else [0.0] * model.q.shape[1]
    b_u = model.b_user[u].item() if u in known.of else 0.0
    b_i = model.b_item[i].item() if i in known.items else 0.0
    met = [a + b for a, b in zip(p, implied, strict=True)] if implied else p
    return known.mu + b_u + b_i + dot(q, met), model.l2 * (square(p) + square(q) + b_u**2 + b_i**2)


def i_autorec(model, train: Table, u: int, i: int) -> tuple[float, float]:
    """Item i is a row of its users' ratings; the place asked for is user u's."""
    return _autorec(model, train, row=i, place=u, rows=train["item"].tolist(), places=train["user"].tolist())


def u_autorec(model, train: Table, u: int, i: int) -> tuple[float, float]:
    return _autorec(model, train, row=u, place=i, rows=train["user"].tolist(), places=train["item"].tolist())


def _autorec(model, train: Table, row: int, place: int, rows: list[int], places: list[int]) -> tuple[float, float]:
    stars = train["label"].tolist()
    V, W, c, b = (w.tolist() for w in (model.V, model.W, model.c, model.b))
    prediction = sum(stars) / len(stars)
    if row in rows and place in places:
        prediction = b[place]
        for d in range(len(c)):
            seen = c[d]
            for r, p, s in zip(rows, places, stars, strict=True):
                if r == row:
                    seen += V[p][d] * s
            prediction += W[place][d] / (1 + math.exp(-seen))
    cost = sum(square(V[p]) + square(W[p]) for p in set(places))
    return prediction, model.l2 / 2 * cost / len(stars)


NAIVE = {models.SVDpp: svdpp, models.MF: mf, models.UAutoRec: u_autorec, models.IAutoRec: i_autorec}


def parameter_count(cls: type, users: int, items: int, dim: int) -> int:
    """Numbers to learn, by the paper's formula, rows of PAD and OOV included."""
    return {
        models.MF: (users + items) * (dim + 1),
        models.SVDpp: (users + items) * (dim + 1) + items * dim,
        models.IAutoRec: 2 * users * dim + users + dim,
        models.UAutoRec: 2 * items * dim + items + dim,
    }[cls]
