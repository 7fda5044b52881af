"""DeepWalk, symbol by symbol: from counts to the law of a jump, where two jumps lead, and where a long walk spends its time.

Source  Perozzi et al., KDD 2014 (uniform jumps); Wang et al., KDD 2018, arXiv:1803.02349, eq. 1 (weighted, directed);
        Lovász, "Random Walks on Graphs: A Survey", 1993 (visits in proportion to the weight of a node's edges).

A few nodes stand for all; M_ij is the weight of the edge i → j.
"""

from __future__ import annotations

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from rec_lib.derive.core import Derivation, Step

_row = np.array(sp.symbols("M_{i1} M_{i2} M_{i3}", positive=True), dtype=object)

jump = Derivation(
    id="deepwalk-jump",
    title="From counts to the law of a jump",
    steps=(
        Step("counts", sp.Matrix(_row), "Node i has edges to three nodes. M is how often each followed i.", lhs="M_i"),
        Step(
            "law",
            sp.Matrix(_row) / sum(_row),
            "A jump chooses among the out-neighbours of i, each by its share of the weight that leaves i. Nodes without an "
            "edge from i have probability 0.",
            lhs=r"P(v_j \mid v_i) = M_{ij} / \sum_{k \in N_+(v_i)} M_{ik}",
            starts=True,
        ),
        Step(
            "scaled",
            (7 * sp.Matrix(_row)) / (7 * sum(_row)),
            "Counting seven times as many sessions of the same kind changes no jump: only proportions matter.",
        ),
    ),
    inputs={"M": (3,)},
    symbols={"M": _row},
    final=sp.Matrix(_row) / sum(_row),
    wire=lambda code, t: code(t["M"]),
)

_way = np.array(sp.symbols("M_12 M_13 M_21 M_24 M_31 M_34", positive=True), dtype=object)
M12, M13, M21, M24, M31, M34 = _way
_first, _second = M24 / (M21 + M24), M34 / (M31 + M34)  # from 2 and from 3 on to 4

two_jumps = Derivation(
    id="deepwalk-two-jumps",
    title="Where two jumps lead",
    steps=(
        Step(
            "ways",
            sp.Add(M12 / (M12 + M13) * _first, M13 / (M12 + M13) * _second, evaluate=False),
            "Node 1 has edges to 2 and 3; both have one back to 1 and one on to 4. From 1 to 4 there are two ways. Each "
            "has the product of its two jumps, and the ways add up.",
            lhs=r"P_2(v_4 \mid v_1)",
        ),
        Step(
            "mean",
            (M12 * _first + M13 * _second) / (M12 + M13),
            "It is the mean of what the neighbours would do, weighted by how often one goes to each. Node 1 need not have "
            "an edge to node 4: this is how a walk finds what no session holds.",
        ),
    ),
    inputs={"M": (6,)},
    symbols={"M": _way},
    final=(M12 * _first + M13 * _second) / (M12 + M13),
    wire=lambda code, t: code(_four_nodes(t["M"]), 2)[0, 3],
)


def _four_nodes(edges: Tensor) -> Tensor:
    """(4, 4) weights of the graph above from its six edges; node 4 has one edge, back to 1."""
    u, v = torch.tensor([0, 0, 1, 1, 2, 2, 3]), torch.tensor([1, 2, 0, 3, 0, 3, 0])
    return torch.zeros(4, 4, dtype=edges.dtype).index_put((u, v), torch.cat([edges, edges.new_ones(1)]))


_u = sp.symbols("M_12 M_13 M_23", positive=True)
_edges = np.array(_u, dtype=object)
_S = sp.Matrix([[0, _u[0], _u[1]], [_u[0], 0, _u[2]], [_u[1], _u[2], 0]])
_strength = _S * sp.ones(3, 1)
_jumps = sp.Matrix(3, 3, lambda i, j: _S[i, j] / _strength[i])
_pi = _strength / sum(_strength)

visits = Derivation(
    id="deepwalk-visits",
    title="Where a long walk spends its time, without arrows",
    steps=(
        Step(
            "guess",
            _pi,
            "An undirected graph of three nodes. Guess that a walk is at each node in proportion to the weight of its edges.",
            lhs=r"\pi_i",
        ),
        Step(
            "one jump on",
            (_pi.T * _jumps).T,
            "Let everybody jump once: what leaves i is shared by M_ij over the sum, and the sum cancels against the guess. "
            "Nothing has changed, so the guess stays for ever. Popular nodes fill the walks, and so the sentences.",
        ),
    ),
    inputs={"M": (3,)},
    symbols={"M": _edges},
    final=_pi,
    wire=lambda code, t: code(t["M"]),
)


def jumps(M: Tensor, steps: int) -> Tensor:
    """P^steps (n, n) of a small full matrix M of weights: the law of the node that many jumps on."""
    return torch.linalg.matrix_power(M / M.sum(1, keepdim=True), steps)


def after_many_jumps(edges: Tensor) -> Tensor:
    """Where a walk on three nodes is after 256 jumps, from node 1; edges (3,): weights of 12, 13, 23."""
    M = torch.zeros(3, 3, dtype=edges.dtype)
    first, second = torch.tensor([0, 0, 1]), torch.tensor([1, 2, 2])
    M = M.index_put((first, second), edges).index_put((second, first), edges)
    return jumps(M, 256)[0]
