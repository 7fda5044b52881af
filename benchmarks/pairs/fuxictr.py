"""FuxiCTR 2.3.10: which of its weights is which of ours, and what it does otherwise."""

import torch
from pairs import changes as c
from pairs.core import DIM, Pair, Weights, layer, linears, prefixed, reordered, torch_gru
from torch import nn

from rec_lib.layers import Dice
from rec_lib.models import DIEN, DIN, DCNv2

SEQUENTIAL = ("user", "item", "city", "genres", "history")
ORDER = ("user", "city", "genres", "item")  # then the history
HIDDEN = (6, 5)


def tables(emb: nn.Module) -> Weights:
    names = {"user": "user", "city": "city", "genres": "genres", "item": "item"}
    return {f"embedding_layer.embedding_layer.embedding_layers.{n}.weight": emb.rows(f) for n, f in names.items()}


def block(network: nn.Module, prefix: str, first: torch.Tensor) -> Weights:
    """Linear and activation, in turn."""
    found: Weights = {}
    parts = list(network)
    for k, part in enumerate(parts):
        if isinstance(part, nn.Linear):
            found |= layer(f"{prefix}{k}.", part, first if k == 0 else None)
        elif isinstance(part, Dice):
            found |= prefixed(f"{prefix}{k}.", dice(part))
    return found


def dice(part: Dice) -> Weights:
    norm = {"running_mean": part.running_mean, "running_var": part.running_var, "num_batches_tracked": torch.tensor(0)}
    return {"alpha": part.alpha} | prefixed("bn.", norm)


def dcn_v2(m: DCNv2) -> Weights:
    order = (*ORDER, "history")
    width = m.w.shape[1]
    own: Weights = {}
    for k, (w, b) in enumerate(zip(m.w, m.b, strict=True)):
        own[f"crossnet.cross_layers.{k}.weight"] = reordered(reordered(w, m.emb, order).mT, m.emb, order).mT
        own[f"crossnet.cross_layers.{k}.bias"] = reordered(b.view(1, -1), m.emb, order).view(-1)
    head = torch.cat([reordered(m.logits.weight, m.emb, order), m.logits.weight[:, width:]], dim=1)
    first = reordered(linears(m.deep)[0].weight, m.emb, order)
    return tables(m.emb) | own | block(m.deep, "parallel_dnn.mlp.", first) | layer("fc.", m.logits, head)


def din(m: DIN) -> Weights:
    unit = m.units[0]
    attention = nn.Sequential(unit.hidden, unit.activation, unit.out)
    own = block(attention, "attention_layers.attention_layer.mlp.", unit.hidden.weight)
    return tables(m.emb) | own | block(m.mlp, "dnn.mlp.", reordered(m.mlp[0].weight, m.emb, (*ORDER, "pooled")))


def dien(m: DIEN) -> Weights:
    cell = {"x2h.weight": m.evolver.W.mT, "x2h.bias": m.evolver.b, "h2h.weight": m.evolver.U.mT}
    cell["h2h.bias"] = torch.zeros_like(m.evolver.b)
    own = prefixed("evolving_modules.0.gru_cell.", cell) | {"attention_modules.0.W_kernel": m.W}
    own |= torch_gru(m.extractor, "extraction_modules.0.")
    return tables(m.emb) | own | block(m.mlp, "dnn.mlp.", reordered(m.mlp[0].weight, m.emb, (*ORDER, "pooled")))


def _pair(theirs, ours, weights, changes=(), options=None, **rest) -> Pair:
    options = {"embedding_dim": DIM} | (options or {})
    return Pair("fuxictr", theirs, ours, SEQUENTIAL, weights, options, changes=changes, **rest)


NETWORK = {"dnn_hidden_units": list(HIDDEN), "dnn_activations": "Dice"}
PAIRS = (
    _pair(
        "DCNv2",
        lambda s: DCNv2(s, DIM, HIDDEN),
        dcn_v2,
        options={"num_cross_layers": 2, "parallel_dnn_hidden_units": list(HIDDEN), "model_structure": "parallel"},
    ),
    _pair(
        "DIN",
        lambda s: DIN(s, DIM, HIDDEN, 3),
        din,
        (c.dice_counts_padding,),
        NETWORK | {"attention_hidden_units": [3], "attention_hidden_activations": "Dice"},
    ),
    _pair("DIEN", lambda s: DIEN(s, DIM, HIDDEN), dien, options=NETWORK | {"batch_norm": False, "gru_type": "AUGRU"}),
)
