"""Collaborative filtering in plain loops over a list of rows, `None` where nothing was rated: the oracle."""

from math import sqrt


def rows_of(matrix):
    """A sparse matrix as lists, None where it has no entry."""
    dense = [[None] * matrix.shape[1] for _ in range(matrix.shape[0])]
    coo = matrix.tocoo()
    for i, j, value in zip(coo.row, coo.col, coo.data, strict=True):
        dense[i][j] = float(value)
    return dense


def transposed(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def mean(values):
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else 0.0


def similarity(rows, i, j, kind, shrinkage=0.0):
    """One pair of rows, as the formulas are written."""
    a, b = rows[i], rows[j]
    both = [p for p in range(len(a)) if a[p] is not None and b[p] is not None]
    if kind == "cosine":
        above = sum(a[p] * b[p] for p in both)
        below = sqrt(sum(x * x for x in a if x is not None)) * sqrt(sum(x * x for x in b if x is not None))
    elif kind == "jaccard":
        above = len(both)
        below = sum(a[p] is not None or b[p] is not None for p in range(len(a)))
    else:
        if kind == "pearson":
            x, y = [a[p] - mean(a) for p in both], [b[p] - mean(b) for p in both]
        else:
            column = [mean([row[p] for row in rows]) for p in both]
            x, y = ([row[p] - c for p, c in zip(both, column, strict=True)] for row in (a, b))
        x, y = ([0.0 if abs(v) < 1e-9 else v for v in side] for side in (x, y))
        above = sum(s * t for s, t in zip(x, y, strict=True))
        below = sqrt(sum(s * s for s in x)) * sqrt(sum(t * t for t in y))
    value = above / below if below else 0.0
    return value * len(both) / (len(both) + shrinkage) if shrinkage else value


def neighbours(rows, i, kind, k, shrinkage=0.0):
    """[(similarity, id)] of the k nearest other rows, positive ones only; equal ones by id."""
    found = [(similarity(rows, i, j, kind, shrinkage), j) for j in range(len(rows)) if j != i]
    found = [(w, j) for w, j in found if w > 0]
    return sorted(found, key=lambda pair: (-round(pair[0], 12), pair[1]))[:k]


def usercf_score(rows, user, item, kind, k, shrinkage=0.0):
    near = neighbours(rows, user, kind, k, shrinkage)
    votes = sum(w * (rows[s][item] or 0.0) for w, s in near)
    return votes / sum(w for w, _ in near) if near else 0.0


def itemcf_score(rows, user, item, kind, k, shrinkage=0.0):
    near = neighbours(transposed(rows), item, kind, k, shrinkage)
    return sum(w * rows[user][h] for w, h in near if rows[user][h] is not None)


def predicted(rows, row, column, kind, k, shrinkage=0.0, centred=True):
    """Expected rating of a known pair; the same for both filters, whose rows differ."""
    near = [(w, s) for w, s in neighbours(rows, row, kind, k, shrinkage) if rows[s][column] is not None]
    everything = [v for r in rows for v in r if v is not None]
    own = next(m for m in (rows[row], transposed(rows)[column], everything) if any(v is not None for v in m))
    if not near:
        guess = mean(own)
    elif centred:
        guess = mean(own) + sum(w * (rows[s][column] - mean(rows[s])) for w, s in near) / sum(w for w, _ in near)
    else:
        guess = sum(w * rows[s][column] for w, s in near) / sum(w for w, _ in near)
    return min(max(guess, min(everything)), max(everything))
