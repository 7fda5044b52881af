"""FTRL-Proximal twice more, and slowly: algorithm 1 of the paper line by line, and the argmin that it stands for."""

import math

import numpy as np
from scipy.optimize import minimize_scalar


def algorithm_1(rows, labels, alpha, beta, l1, l2, start=None, constant=0.0):
    """The paper's loop. ``rows`` are dicts {coordinate: value}; returns weights, z, n (dicts) and the predictions.

    ``start`` gives initial weights, ``constant`` is added to each logit and not learned; the paper's are 0.
    """
    start = start or {}
    z = {i: -beta / alpha * w for i, w in start.items()}
    n, weight, predicted = {}, dict(start), []
    for x, y in zip(rows, labels, strict=True):
        total = constant + sum(weight.get(i, 0.0) * value for i, value in x.items())
        p = 1 / (1 + math.exp(-total))
        predicted.append(p)
        for i, value in x.items():
            g = (p - y) * value
            if g == 0:
                continue
            sigma = (math.sqrt(n.get(i, 0.0) + g * g) - math.sqrt(n.get(i, 0.0))) / alpha
            z[i] = z.get(i, 0.0) + g - sigma * weight.get(i, 0.0)
            n[i] = n.get(i, 0.0) + g * g
            if abs(z[i]) <= l1:
                weight[i] = 0.0
            else:
                weight[i] = -(z[i] - math.copysign(l1, z[i])) / ((beta + math.sqrt(n[i])) / alpha + l2)
    return weight, z, n, predicted


def objective(w, gradients, path, alpha, beta, l1, l2):
    """What one coordinate minimises after these gradients, which were taken at the weights of ``path``."""
    total = sum(gradients) * w + l1 * abs(w) + l2 / 2 * w * w + beta / alpha / 2 * (w - path[0]) ** 2
    squares = np.concatenate([[0.0], np.cumsum(np.square(gradients))])
    for s, w_s in enumerate(path):
        sigma = (math.sqrt(squares[s + 1]) - math.sqrt(squares[s])) / alpha
        total += sigma / 2 * (w - w_s) ** 2
    return total


def follow_the_leader(gradients, alpha, beta, l1, l2, start=0.0):
    """The weights of one coordinate, each found by minimising the whole objective anew: (T + 1,)."""
    path = [start]
    for t in range(1, len(gradients) + 1):
        found = minimize_scalar(
            objective, bounds=(-20, 20), args=(gradients[:t], path, alpha, beta, l1, l2), options={"xatol": 1e-10}
        ).x
        at_zero = objective(0.0, gradients[:t], path, alpha, beta, l1, l2)
        path.append(0.0 if at_zero <= objective(found, gradients[:t], path, alpha, beta, l1, l2) else found)
    return path
