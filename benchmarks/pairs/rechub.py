"""torch-rechub 0.9.0: which of its weights is which of ours, and what it does otherwise."""

import torch
from pairs import changes as c
from pairs.core import DIM, Pair, Weights, layer, linears, norms, prefixed, reordered, torch_gru
from torch import nn

from rec_lib.models import AFM, DCN, DIEN, DIN, DCNv2, DeepFM, WideDeep

BASE = ("user", "item", "city", "genres")
SEQUENTIAL = (*BASE, "history")
HIDDEN = (6, 5)


def tables(emb: nn.Module) -> Weights:
    return {f"embedding.embed_dict.{name}.weight": emb.rows(name) for name in BASE}


def mlp(network: nn.Module, prefix: str, first: torch.Tensor) -> Weights:
    """Linear, batch norm, activation, dropout, and so on; a last linear layer."""
    found: Weights = {}
    for k, linear in enumerate(linears(network)):
        found |= layer(f"{prefix}{4 * k}.", linear, first if k == 0 else None)
    for k, norm in enumerate(norms(network)):
        found |= prefixed(f"{prefix}{4 * k + 1}.", norm.state_dict())
    alphas = [part.alpha for part in network.modules() if isinstance(part, c.DiceOverUnits)]
    return found | {f"{prefix}{4 * k + 2}.alpha": alpha for k, alpha in enumerate(alphas)}


def over_vectors(linear: c.LinearOverVectors) -> Weights:
    return {"linear.fc.weight": linear.u.unsqueeze(0), "linear.fc.bias": linear.w0.view(1)}


def deepfm(m: DeepFM) -> Weights:
    return tables(m.emb) | over_vectors(m.linear) | mlp(m.mlp, "mlp.mlp.", m.mlp[0].weight)


def widedeep(m: WideDeep) -> Weights:
    deep = m.deep
    top = linears(deep.mlp)[-1]
    found = tables(deep.emb) | over_vectors(m.wide.linear) | mlp(deep.mlp, "mlp.mlp.", deep.mlp[0].weight)
    return found | ({"mlp.mlp.8.bias": torch.zeros(1)} if top.bias is None else {})


def afm(m: AFM) -> Weights:
    own = layer("attention_liner.", m.score) | {"h": m.h.unsqueeze(1), "p": m.p.unsqueeze(1)}
    return tables(m.emb) | over_vectors(m.linear) | own


def dcn(m: DCN | DCNv2, network: str = "mlp.mlp.", crosses: str = "cn.") -> Weights:
    own = {f"{crosses}w.{k}.weight": w.unsqueeze(0) if w.dim() == 1 else w for k, w in enumerate(m.w)}
    own |= {f"{crosses}b.{k}": b for k, b in enumerate(m.b)}
    return tables(m.emb) | mlp(m.deep, network, linears(m.deep)[0].weight) | own | layer("linear.fc.", m.logits)


def dcn_v2(m: DCNv2) -> Weights:
    return dcn(m, "parallel_dnn.mlp.", "crossnet.")


def din(m: DIN) -> Weights:
    unit = m.units[0]
    attention = "attention_layers.0.attention.mlp."
    own = layer(f"{attention}0.", unit.hidden) | layer(f"{attention}4.", unit.out)
    own |= prefixed(f"{attention}1.", unit.activation.norm.state_dict())
    own |= {f"{attention}2.alpha": unit.activation.activation.alpha}
    first = reordered(m.mlp[0].weight, m.emb, ("pooled", "item", "user", "city", "genres"))
    return tables(m.emb) | own | mlp(m.mlp, "mlp.mlp.", first)


def dien(m: DIEN) -> Weights:
    cell = {}
    for name, gates in (("W", m.evolver.W), ("U", m.evolver.U), ("b", m.evolver.b.unsqueeze(0))):
        for gate, part in zip("urh", gates.chunk(3, dim=1), strict=True):
            cell[f"augru_cell.{name}{gate}"] = part
    own = prefixed("interest_evolving_layers.0.", cell | {"Wa": m.W})
    first = reordered(m.mlp[0].weight, m.emb, ("pooled", "item", "user", "city", "genres"))
    extractor = torch_gru(m.extractor, "interest_extractor_layers.0.")
    return tables(m.emb) | extractor | own | mlp(m.mlp, "mlp.mlp.", first)


def _pair(theirs, ours, weights, changes=(), fields=BASE, options=None, **rest) -> Pair:
    return Pair("rechub", theirs, ours, fields, weights, {"dim": DIM} | (options or {}), changes=changes, **rest)


NETWORK = {"dims": list(HIDDEN)}
NEUTRAL = "batch norm is neutral in eval mode"
PAIRS = (
    _pair(
        "DeepFM",
        lambda s: DeepFM(s, DIM, HIDDEN),
        deepfm,
        (c.linear_reads_vectors, c.normalises_hidden),
        options=NETWORK,
        said=NEUTRAL,
    ),
    _pair(
        "WideDeep",
        lambda s: WideDeep(s, DIM, HIDDEN),
        widedeep,
        (c.linear_reads_vectors, c.normalises_hidden),
        options=NETWORK,
        said=f"{NEUTRAL}; its second bias is 0",
    ),
    _pair("AFM", lambda s: AFM(s, DIM, 3), afm, (c.linear_reads_vectors, c.attention_is_one), options={"t": 3}),
    _pair("DCN", lambda s: DCN(s, DIM, HIDDEN), dcn, (c.normalises_hidden,), options=NETWORK, said=NEUTRAL),
    _pair(
        "DCNv2, matrix",
        lambda s: DCNv2(s, DIM, HIDDEN),
        dcn_v2,
        (c.bias_outside, c.normalises_hidden),
        options=NETWORK,
        said=NEUTRAL,
    ),
    _pair(
        "DIN",
        lambda s: DIN(s, DIM, HIDDEN, 3),
        din,
        (c.dice_over_units, c.normalises_hidden, c.normalises_the_unit),
        SEQUENTIAL,
        NETWORK | {"attention": [3]},
        said=NEUTRAL,
    ),
    _pair(
        "DIEN",
        lambda s: DIEN(s, DIM, HIDDEN),
        dien,
        (c.dice_over_units, c.normalises_hidden),
        SEQUENTIAL,
        NETWORK,
        said=NEUTRAL,
    ),
)
