"""LSH, symbol by symbol: what a random projection keeps, how often two vectors collide, what AND and OR do to it.

Source  Datar, Immorlica, Indyk, Mirrokni, "Locality-sensitive hashing scheme based on p-stable distributions",
        SoCG 2004: section 3.1 (hash), 3.2 (collision probability); Charikar, STOC 2002 (sign hash);
        AND and OR: Wang Zhe, section 4.6.3, and Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", ch. 3.

Symbols  c distance ‖u − v‖ · w bucket width · r = w/c · t gap |x·u − x·v| · a place of a projection · b offset
         p one hash collides · K hashes joined by AND · L joined by OR
"""

from __future__ import annotations

import numpy as np
import sympy as sp
import torch

from rec_lib.derive.core import Derivation, Step

c, w, p = sp.symbols("c w p", positive=True)
t, y = sp.symbols("t y", nonnegative=True)
s, z = sp.symbols("s z", real=True)
r = w / c
PHI = sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)  # density of N(0, 1) at z
K, L = 4, 3  # small enough to be read; the exercises and the tests take others

_d = np.array(sp.symbols("d_1:4", real=True), dtype=object)  # d = u − v, three coordinates
_length2 = sp.Add(*[d**2 for d in _d])


def half_normal(q: sp.Expr) -> sp.Expr:
    """Density of |N(0, 1)| at q >= 0."""
    return sp.sqrt(2 / sp.pi) * sp.exp(-(q**2) / 2)


def Phi(q: sp.Expr) -> sp.Expr:
    """P[N(0, 1) <= q]."""
    return sp.erfc(-q / sp.sqrt(2)) / 2


projection = Derivation(
    id="lsh-projection",
    title="A Gaussian projection of u − v is Gaussian, as wide as the distance",
    steps=(
        Step(
            "one coordinate",
            sp.Integral(sp.exp(s * z * _d[0]) * PHI, (z, -sp.oo, sp.oo)),
            "x·u − x·v = x·d with d = u − v is a sum of independent terms x_j d_j, each with x_j ~ N(0, 1). "
            "A distribution is told by its E[exp(s·)] for all s. Take one term first.",
            lhs=r"E\,e^{s\,x_1 d_1}",
        ),
        Step(
            "one Gaussian",
            sp.exp(s**2 * _d[0] ** 2 / 2),
            "Complete the square, s·z·d − z²/2 = s²d²/2 − (z − sd)²/2: what is left to integrate is a bell curve.",
        ),
        Step(
            "all coordinates",
            sp.Mul(*[sp.exp(s**2 * d**2 / 2, evaluate=False) for d in _d], evaluate=False),
            "For a sum of independent terms E[exp(s·)] is a product.",
            lhs=r"E\,e^{s\,x\cdot d}",
            starts=True,
        ),
        Step(
            "distance",
            sp.exp(s**2 * _length2 / 2),
            "The exponents add up to the squared distance. This is E[exp(s·)] of c·N(0, 1) with "
            "c = ‖u − v‖: of all that d was, only its length is left. That is what 2-stable means.",
        ),
    ),
    inputs={"s": (), "d": (3,)},
    symbols={"s": np.array(s, dtype=object), "d": _d},
    final=sp.exp(s**2 * _length2 / 2),
    wire=lambda code, tensors: code(tensors["s"] * torch.linalg.vector_norm(tensors["d"])),
)

offset = Derivation(
    id="lsh-offset",
    title="What b is for: no wall falls into a gap t with the same probability everywhere",
    steps=(
        Step(
            "places",
            sp.Integral(1 / w, (z, 0, w - t)),
            "Let z be the place of x·u + b inside its bucket, 0 <= z < w. Because b is uniform on [0, w), so is z, wherever "
            "x·u was. x·v + b = z + t is in the same bucket as long as z < w − t.",
            lhs=r"P_b\left[\text{no wall}\right]",
        ),
        Step("no place", 1 - t / w, "x·u has left the formula. Without b it would have stayed."),
    ),
    inputs={"t": (), "w": ()},
    symbols={"t": np.array(t, dtype=object), "w": np.array(w, dtype=object)},
    final=1 - t / w,
    domain={"t": (0.0, 0.9), "w": (1.0, 3.0)},
)

at_origin = Derivation(
    id="lsh-at-origin",
    title="Without b: u in the origin, v at distance c",
    steps=(
        Step(
            "one side",
            sp.Integral(PHI, (z, 0, r)),
            "x·u = 0 for every x, and ⌊0/w⌋ = 0: u never moves. x·v = c·z with z ~ N(0, 1) joins it while 0 <= cz < w.",
            lhs=r"p_{\text{no } b}",
        ),
        Step(
            "closed form", Phi(r) - sp.Rational(1, 2), "At most one half, however near v is: the wall at 0 never moves."
        ),
    ),
    inputs={"c": (), "w": ()},
    symbols={"c": np.array(c, dtype=object), "w": np.array(w, dtype=object)},
    final=Phi(r) - sp.Rational(1, 2),
)

collision = Derivation(
    id="lsh-collision",
    title="How often two vectors at distance c share a bucket of width w",
    steps=(
        Step(
            "over gaps",
            sp.Integral(half_normal(t / c) / c * (1 - t / w), (t, 0, w)),
            "The gap t between the projections has the density f(t/c)/c, f being the density of |N(0, 1)|. "
            "Walls stand w apart at a random place (that is b), so none falls into the gap with probability 1 − t/w; "
            "a gap wider than w always holds one.",
            lhs="p(c)",
        ),
        Step(
            "in units of c",
            sp.Integral(half_normal(y) * (1 - y / r), (y, 0, r)),
            "Put t = c·y. Only the ratio r = w/c is left: doubling all distances and w changes nothing.",
        ),
        Step(
            "two integrals",
            sp.erf(r / sp.sqrt(2)) - sp.sqrt(2 / sp.pi) / r * (1 - sp.exp(-(r**2) / 2)),
            "The first part is the bell curve between −r and r. The second has y·exp(−y²/2) in it, which is a derivative.",
        ),
        Step(
            "closed form",
            1 - 2 * Phi(-r) - 2 / (sp.sqrt(2 * sp.pi) * r) * (1 - sp.exp(-(r**2) / 2)),
            "The same with Φ, as the paper prints it: erf(r/√2) = 1 − 2Φ(−r).",
        ),
    ),
    inputs={"c": (), "w": ()},
    symbols={"c": np.array(c, dtype=object), "w": np.array(w, dtype=object)},
    final=sp.erf(r / sp.sqrt(2)) - sp.sqrt(2 / sp.pi) / r * (1 - sp.exp(-(r**2) / 2)),
    wire=lambda code, tensors: code(tensors["w"] / tensors["c"], erf=torch.erf, expm1=torch.expm1),
)

and_or = Derivation(
    id="lsh-and-or",
    title=f"AND of K = {K}, then OR of L = {L}",
    steps=(
        Step("and", p**K, "All K hashes of a table agree. They are drawn independently.", lhs=r"P[\text{table}]"),
        Step("miss", (1 - p**K) ** L, "All L tables miss.", lhs=r"P[\text{miss}]", starts=True),
        Step("found", 1 - (1 - p**K) ** L, "At least one does not.", lhs=r"P[\text{found}]", starts=True),
        Step(
            "by tables",
            sp.Add(*[p**K * (1 - p**K) ** i for i in range(L)]),
            "The same, table by table: the first i miss, the next one hits. Each table adds less than the one before.",
        ),
    ),
    inputs={"p": ()},
    symbols={"p": np.array(p, dtype=object)},
    final=1 - (1 - p**K) ** L,
    wire=lambda code, tensors: code(tensors["p"], K, L),
    domain={"p": (0.0, 1.0)},
)

or_and = Derivation(
    id="lsh-or-and",
    title=f"OR of L = {L}, then AND of K = {K}",
    steps=(
        Step("or", 1 - (1 - p) ** L, "At least one of the L hashes of a group agrees.", lhs=r"P[\text{group}]"),
        Step(
            "found",
            (1 - (1 - p) ** L) ** K,
            "Every one of the K groups agrees.",
            lhs=r"P[\text{found}]",
            starts=True,
        ),
        Step(
            "turned round",
            sp.Add(1, sp.Mul(-1, 1 - (1 - (1 - p) ** L) ** K, evaluate=False), evaluate=False),
            "Swap p and 1 − p, K and L: OR-then-AND finds exactly what AND-then-OR would have missed.",
        ),
    ),
    inputs={"p": ()},
    symbols={"p": np.array(p, dtype=object)},
    final=(1 - (1 - p) ** L) ** K,
    wire=lambda code, tensors: code(tensors["p"], K, L),
    domain={"p": (0.0, 1.0)},
)

_K, _L = sp.symbols("K L", positive=True)
threshold = Derivation(
    id="lsh-threshold",
    title="Where the S-curve is steep",
    steps=(
        Step(
            "the curve",
            1 - (1 - sp.Pow((1 / _L) ** (1 / _K), _K, evaluate=False)) ** _L,
            "Put p = (1/L)^(1/K) into AND-then-OR.",
            lhs=r"P[\text{found}]",
        ),
        Step(
            "no K left",
            1 - (1 - 1 / _L) ** _L,
            "p^K is 1/L: one table is expected to hit. For many tables this tends to 1 − 1/e ≈ 0.63, whatever K is.",
        ),
    ),
    inputs={"K": (), "L": ()},
    symbols={"K": np.array(_K, dtype=object), "L": np.array(_L, dtype=object)},
    final=1 - (1 - 1 / _L) ** _L,
    wire=lambda code, tensors: 1 - (1 - code(tensors["K"], tensors["L"]) ** tensors["K"]) ** tensors["L"],
    domain={"K": (1.0, 12.0), "L": (1.5, 40.0)},
)
