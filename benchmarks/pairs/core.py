"""A pair, our model beside a peer's, and the arrays of ours in the order in which peers want them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from rec_lib.layers import FieldEmbedding
from rec_lib.schema import PAD, Bag, Batch, Dense, Schema, Sequence, Sparse

SIZES = {"user": 11, "item": 13, "city": 6, "genres": 7}
FIELDS = {
    **{name: Sparse(name, SIZES[name]) for name in ("user", "item", "city")},
    "genres": Bag("genres", SIZES["genres"], maxlen=4),
    "history": Sequence("history", of="item", maxlen=5),
    "age": Dense("age"),
}
ROWS, DIM = 64, 4

Weights = dict[str, Tensor]
Change = Callable[[nn.Module], None]


@dataclass(frozen=True)
class Pair:
    """One comparison.

    Args:
        peer, theirs: the library and the name of its model there.
        ours: makes our model from a schema.
        fields: names of the fields that both read, in the schema's order.
        weights: our model, with the changes made, → the peer's ``state_dict``, every name of it.
        options: what the peer's constructor is told.
        neutral: sets weights of ours that the peer lacks to values that change nothing, before the changes.
        said: which weights are neutral, on which side.
        changes: what makes ours give the peer's numbers; none if the two are equal.
        empty: whether rows without a history are asked; a peer may refuse them.
    """

    peer: str
    theirs: str
    ours: Callable[[Schema], nn.Module]
    fields: tuple[str, ...]
    weights: Callable[[nn.Module], Weights]
    options: dict[str, object] = field(default_factory=dict)
    neutral: Callable[[nn.Module], None] = lambda model: None
    said: str = ""
    changes: tuple[Change, ...] = ()
    empty: bool = True


def batch(seed: int = 0) -> Batch:
    """Rows with short, full and empty bags and histories, filled from the left, and some without a city."""
    g = torch.Generator().manual_seed(seed)

    def lists(size: int, length: int) -> Tensor:
        ids = torch.randint(1, size, (ROWS, length), generator=g)
        return torch.where(torch.arange(length) < torch.randint(0, length + 1, (ROWS, 1), generator=g), ids, PAD)

    return {
        "user": torch.randint(1, SIZES["user"], (ROWS,), generator=g),
        "item": torch.randint(1, SIZES["item"], (ROWS,), generator=g),
        "city": torch.randint(0, SIZES["city"], (ROWS,), generator=g),
        "genres": lists(SIZES["genres"], 4),
        "history": lists(SIZES["item"], 5),
        "age": torch.randn(ROWS, generator=g),
    }


def asked(pair: Pair) -> Batch:
    """The rows and fields of a pair."""
    columns = batch()
    rows = (columns["history"] != PAD).any(dim=1) | pair.empty
    return {name: columns[name][rows] for name in pair.fields}


def original(pair: Pair) -> nn.Module:
    """Our model with random weights everywhere, zeros where nothing is looked up, and neutral ones where the pair says so."""
    torch.manual_seed(0)
    model = pair.ours(Schema(tuple(FIELDS[name] for name in pair.fields)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
        for name, buffer in model.named_buffers():
            if "running" in name:
                buffer.add_(torch.rand_like(buffer))
        for part in model.modules():
            if isinstance(part, FieldEmbedding):
                part.table[sorted(set(part.start.values()))] = 0.0
        pair.neutral(model)
    return model


def recreated(model: nn.Module, changes: Iterable[Change]) -> nn.Module:
    """A copy of ours with changes; each draws its own weights, whatever the others are."""
    other = deepcopy(model)
    for change in changes:
        torch.manual_seed(1)
        change(other)
    return other


def output(model: nn.Module, rows: Batch, training: bool) -> Tensor:
    """Logits (B,) of a copy, so that running statistics stay as they are."""
    with torch.no_grad():
        return deepcopy(model).train(training)(rows)


def stacked(emb: FieldEmbedding, names: Iterable[str]) -> Tensor:
    """The rows of fields below each other."""
    return torch.cat([emb.rows(name) for name in names])


def linears(network: nn.Module) -> list[nn.Linear]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


def norms(network: nn.Module) -> list[nn.BatchNorm1d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d)]


def reordered(weight: Tensor, emb: FieldEmbedding, order: Iterable[str | int]) -> Tensor:
    """Columns of a layer over the flat vectors (H, F·D + N [+ D for a pooled history]) in a peer's order.

    order  names of fields and dense features, "pooled" for the vector behind them, or a number of columns of zeros
    """
    places = {name: slice(k * emb.dim, (k + 1) * emb.dim) for k, name in enumerate(emb.field_names)}
    n = len(emb.field_names) * emb.dim
    places |= {f.name: slice(n + k, n + k + 1) for k, f in enumerate(emb.schema.dense)}
    places["pooled"] = slice(emb.flat_dim, emb.flat_dim + emb.dim)
    return torch.cat(
        [weight.new_zeros(len(weight), part) if isinstance(part, int) else weight[:, places[part]] for part in order],
        dim=1,
    )


def prefixed(prefix: str, weights: Weights) -> Weights:
    return {prefix + name: value for name, value in weights.items()}


def layer(prefix: str, linear: nn.Linear, weight: Tensor | None = None) -> Weights:
    """A linear layer under another name, perhaps with reordered columns."""
    found = {"weight": linear.weight if weight is None else weight}
    return prefixed(prefix, found if linear.bias is None else found | {"bias": linear.bias})


def gru(cell: nn.Module, prefix: str, suffix: str = "") -> Weights:
    """Our GRU for a peer with gates r, u, h̃ one below the other and a second bias, 0."""
    gates = {"W": cell.W.mT, "U": cell.U.mT, "b": cell.b}  # (3H, D), (3H, H), (3H,)  u, r, h̃
    u, r, h = (
        {name: part for name, part in zip(gates, row, strict=True)}
        for row in zip(*(g.chunk(3) for g in gates.values()), strict=True)
    )
    stack = {name: torch.cat([r[name], u[name], h[name]]) for name in gates}
    return prefixed(
        prefix,
        {
            f"weight_ih{suffix}": stack["W"],
            f"weight_hh{suffix}": stack["U"],
            f"bias_ih{suffix}": stack["b"],
            f"bias_hh{suffix}": torch.zeros_like(stack["b"]),
        },
    )


def torch_gru(cell: nn.Module, prefix: str) -> Weights:
    """The same for ``torch.nn.GRU``, whose update gate is 1 − u, so that its weights have the other sign."""
    found = gru(cell, prefix, "_l0")
    n = cell.states
    return {name: torch.cat([w[:n], -w[n : 2 * n], w[2 * n :]]) for name, w in found.items()}
