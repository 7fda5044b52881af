"""DeepCTR-Torch 0.3.0: which of its weights is which of ours, and what it does otherwise."""

import torch
from pairs import changes as c
from pairs.core import DIM, Pair, Weights, gru, layer, linears, prefixed, reordered, torch_gru
from pairs.recbole import of_unit_one, one_matrix, theta_pairs
from torch import nn

from rec_lib.models import AFM, DCN, DIEN, DIN, IPNN, LSPLM, NFM, OPNN, DCNv2, DeepFM, WideDeep

BASE = ("user", "item", "city", "genres")
WITH_DENSE = (*BASE, "age")
SEQUENTIAL = ("user", "item", "city", "genres", "history")
HIDDEN = (6, 5)


def tables(emb: nn.Module) -> Weights:
    return {f"embedding_dict.{name}.weight": emb.rows(name) for name in BASE}


def first_order(linear: nn.Module | None, dense: bool) -> Weights:
    """The linear term; zeros where ours has none."""
    if linear is None:
        sizes = dict(zip(BASE, (11, 13, 6, 7), strict=True))
        found = {f"embedding_dict.{name}.weight": torch.zeros(size, 1) for name, size in sizes.items()}
        found |= {"weight": torch.zeros(1, 1)} if dense else {}
    else:
        found = {f"embedding_dict.{name}.weight": linear.w.rows(name) for name in BASE}
        found |= {"weight": linear.dense.unsqueeze(1)} if dense else {}
    return prefixed("linear_model.", found)


def dnn(layers: list[nn.Linear], first: torch.Tensor) -> Weights:
    """Its hidden layers."""
    found: Weights = {}
    for k, linear in enumerate(layers):
        found |= layer(f"dnn.linears.{k}.", linear, first if k == 0 else None)
    return found


def last(linear: nn.Linear, w0: torch.Tensor | float = 0.0, name: str = "dnn_linear.weight") -> Weights:
    """The layer on top has no bias; one bias stands before the sigmoid."""
    bias = torch.zeros(1) if linear.bias is None else linear.bias
    return {name: linear.weight, "out.bias": bias + w0}


def mlr(m: LSPLM) -> Weights:
    found = {f"embedding_dict.{name}.weight": torch.zeros(len(m.theta.rows(name)), 4) for name in BASE}
    found |= first_order(None, True) | {"out.bias": torch.zeros(1)}
    for kind, start in (("region", 0), ("base", m.m)):
        for k in range(m.m):
            at = start + k
            own = {f"embedding_dict.{name}.weight": m.theta.rows(name)[:, at : at + 1] for name in BASE}
            found |= prefixed(f"{kind}_linear_model.{k}.", own | {"weight": m.dense[:, at : at + 1]})
    return found


def no_constant(m: LSPLM) -> None:
    m.bias.zero_()


def deepfm(m: DeepFM) -> Weights:
    *hidden, top = linears(m.mlp)
    own = tables(m.emb) | first_order(m.linear, True)
    return own | dnn(hidden, hidden[0].weight) | last(top, m.linear.w0)


def nfm(m: NFM) -> Weights:
    *hidden, top = linears(m.mlp)
    first = torch.cat([hidden[0].weight, torch.zeros(len(hidden[0].weight), 1)], dim=1)
    return tables(m.emb) | first_order(m.linear, True) | dnn(hidden, first) | last(top, m.linear.w0)


def afm(m: AFM) -> Weights:
    attention = {"attention_W": m.score.weight.mT, "attention_b": m.score.bias}
    attention |= {"projection_h": m.h.unsqueeze(1), "projection_p": m.p.unsqueeze(1)}
    return tables(m.emb) | first_order(m.linear, False) | prefixed("fm.", attention) | {"out.bias": m.linear.w0.view(1)}


def product(m: IPNN | OPNN, signals: torch.Tensor) -> Weights:
    """z, then the products, then what is dense."""
    *hidden, top = linears(nn.Sequential(m.linear, m.mlp))
    z = [reordered(m.linear.weight, m.emb, part) for part in (BASE, ("age",))]
    own = tables(m.emb) | dnn(hidden, torch.cat([z[0], signals, z[1]], dim=1))
    return own | last(top)


def inner(m: IPNN) -> Weights:
    return product(m, theta_pairs(m, BASE))


def outer(m: OPNN) -> Weights:
    c_n, W = of_unit_one(m)
    kernel = (W + W.mT).unsqueeze(1).expand(-1, 6, -1)
    return product(m, c_n.unsqueeze(1).expand(-1, 6)) | {"outterproduct.kernel": kernel}


def wdl(m: WideDeep) -> Weights:
    *hidden, top = linears(m.deep.mlp)
    own = tables(m.deep.emb) | first_order(m.wide.linear, True)
    return own | dnn(hidden, hidden[0].weight) | last(top, m.wide.linear.w0)


def dcn(m: DCN | DCNv2) -> Weights:
    hidden = linears(m.deep)
    kernels = m.w.unsqueeze(2) if m.w.dim() == 2 else m.w
    own = {"crossnet.kernels": kernels, "crossnet.bias": m.b.unsqueeze(2)}
    return tables(m.emb) | first_order(None, True) | dnn(hidden, hidden[0].weight) | own | last(m.logits)


def din(m: DIN) -> Weights:
    *hidden, top = linears(m.mlp)
    unit = m.units[0]
    first = hidden[0].weight  # user, item, city, genres, pooled: the order of ours
    own = layer("attention.local_att.dnn.linears.0.", unit.hidden) | layer("attention.local_att.dense.", unit.out)
    return history(m) | dnn(hidden, first) | last(top) | own | activations(m)


def history(m: DIN | DIEN) -> Weights:
    return tables(m.emb)


def activations(m: DIN) -> Weights:
    """α of the unit, and of the network on top; a Dice stands on a batch norm of its own."""
    prefix = "attention.local_att.dnn.activation_layers.0."
    act = m.units[0].activation
    if hasattr(act, "eps"):
        ones, zeros = torch.ones_like(act.running_mean), torch.zeros_like(act.running_mean)
        norm = {"weight": ones, "bias": zeros, "running_mean": act.running_mean, "running_var": act.running_var}
        norm["num_batches_tracked"] = torch.tensor(0)
        return {f"{prefix}alpha": act.alpha.unsqueeze(1)} | prefixed(f"{prefix}bn.", norm)
    top = {f"dnn.activation_layers.{k}.weight": a.alpha[:1] for k, a in enumerate(prelus(m.mlp))}
    return top | {f"{prefix}weight": act.alpha[:1]}


def prelus(network: nn.Module) -> list[nn.Module]:
    return [part for part in network if hasattr(part, "alpha")]


def one_slope(m: DIN) -> None:
    for part in [m.units[0].activation, *prelus(m.mlp)]:
        part.alpha.fill_(part.alpha[0].item())


def dien(m: DIEN) -> Weights:
    *hidden, top = linears(m.mlp)
    first = reordered(hidden[0].weight, m.emb, ("pooled", "user", "item", "city"))
    attention = "attention.local_att."
    unit = layer(f"{attention}dnn.linears.0.", m.net[0]) | layer(f"{attention}dense.", m.net[2])
    cell = "interest_evolution.interest_evolution.rnn."
    evolver = gru(m.evolver, cell)
    half = evolver[f"{cell}bias_ih"] / 2  # one tensor under two names
    evolver |= {f"{cell}bias_ih": half, f"{cell}bias_hh": half}
    return (
        tables(m.emb)
        | torch_gru(m.extractor, "interest_extractor.gru.")
        | evolver
        | prefixed("interest_evolution.", unit)
        | dnn(hidden, first)
        | last(top, name="linear.weight")
    )


def no_bag(m: DIEN) -> None:
    m.mlp[0].weight[:, 3 * DIM : 4 * DIM] = 0.0


def _pair(theirs, ours, weights, changes=(), fields=WITH_DENSE, options=None, **rest) -> Pair:
    return Pair("deepctr", theirs, ours, fields, weights, {"dim": DIM} | (options or {}), changes=changes, **rest)


NETWORK = {"dnn_hidden_units": list(HIDDEN)}
PAIRS = (
    _pair(
        "MLR",
        lambda s: LSPLM(s, 2),
        mlr,
        (c.gate_is_the_regions,),
        options={"region_num": 2},
        neutral=no_constant,
        said="our constants are 0: it has none",
    ),
    _pair("DeepFM", lambda s: DeepFM(s, DIM, HIDDEN), deepfm, options=NETWORK),
    _pair(
        "NFM",
        lambda s: NFM(s, DIM, HIDDEN, batch_norm=False),
        nfm,
        options=NETWORK,
        said="its weights of dense features in the network are 0; ours is built without batch norm",
    ),
    _pair("AFM", lambda s: AFM(s, DIM, 3), afm, (c.absent_fields_share,), BASE, {"attention_factor": 3}),
    _pair(
        "PNN, inner",
        lambda s: IPNN(s, DIM, HIDDEN),
        inner,
        (c.without_squares,),
        options=NETWORK | {"use_inner": True, "use_outter": False},
        said="its free weight a pair and unit is 2 θ_ni θ_nj",
    ),
    _pair(
        "PNN, outer",
        lambda s: OPNN(s, DIM, HIDDEN),
        outer,
        (c.without_squares,),
        neutral=one_matrix,
        options=NETWORK | {"use_inner": False, "use_outter": True, "kernel_type": "mat"},
        said="W_n = c_n W, its matrices W + Wᵀ: it has a matrix a pair, we have one a unit",
    ),
    _pair("WDL", lambda s: WideDeep(s, DIM, HIDDEN), wdl, options=NETWORK),
    _pair(
        "DCN, vector",
        lambda s: DCN(s, DIM, HIDDEN),
        dcn,
        options=NETWORK | {"cross_parameterization": "vector"},
        said="the weights of its additional linear term are 0",
    ),
    _pair(
        "DCN, matrix",
        lambda s: DCNv2(s, DIM, HIDDEN),
        dcn,
        options=NETWORK | {"cross_parameterization": "matrix"},
        said="the weights of its additional linear term are 0",
    ),
    _pair(
        "DIN, PReLU",
        lambda s: DIN(s, DIM, HIDDEN, 3, dice=False),
        din,
        (),
        SEQUENTIAL,
        NETWORK | {"att_hidden_size": [3], "att_activation": "prelu", "dnn_activation": "prelu"},
        neutral=one_slope,
        said="our slopes are the same for all units of a layer: it has one a layer",
    ),
    _pair(
        "DIN, Dice",
        lambda s: DIN(s, DIM, HIDDEN, 3),
        din,
        (c.relu_for_dice, c.dice_counts_padding),
        SEQUENTIAL,
        NETWORK | {"att_hidden_size": [3], "att_activation": "Dice", "dnn_activation": "relu"},
        said="scale and shift of the batch norm in its Dice are 1 and 0",
    ),
    _pair(
        "DIEN",
        lambda s: DIEN(s, DIM, HIDDEN),
        dien,
        (c.network_attention, c.relu_for_dice, c.tied_bias),
        SEQUENTIAL,
        NETWORK | {"att_hidden_units": [3], "gru_type": "AUGRU", "dnn_activation": "relu"},
        neutral=no_bag,
        said="weights of the bag are 0: it takes a bag and leaves it out",
    ),
)
