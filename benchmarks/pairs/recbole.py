"""RecBole 1.2.1: which of its weights is which of ours, and what it does otherwise."""

import torch
from pairs import changes as c
from pairs.core import DIM, Pair, Weights, gru, layer, linears, norms, prefixed, reordered, stacked, torch_gru
from torch import nn

from rec_lib.models import AFM, DCN, DIEN, DIN, FFM, FM, FNN, IPNN, LR, NFM, OPNN, DCNv2, DeepFM, WideDeep
from rec_lib.models.neural_cf import GMF, MLP, NeuMF

BASE = ("user", "item", "city", "genres")
IDS, ORDER = BASE[:3], ("genres", "user", "item", "city")  # it puts bags first
SEQUENTIAL = ("user", "item", "history")
HIDDEN = (6, 5)


def first_order(linear: nn.Module | None) -> Weights:
    """The linear term that every context-aware model carries; zeros where it is not read."""
    found = {"token_embedding_table.embedding.weight": torch.zeros(30, 1)}
    found |= {"token_seq_embedding_table.0.weight": torch.zeros(7, 1), "bias": torch.zeros(1)}
    if linear is not None:
        found["token_embedding_table.embedding.weight"] = stacked(linear.w, IDS)
        found |= {"token_seq_embedding_table.0.weight": linear.w.rows("genres"), "bias": linear.w0.view(1)}
    return prefixed("first_order_linear.", found)


def vectors(emb: nn.Module | None) -> Weights:
    """The tables that every context-aware model carries; zeros where they are not read."""
    if emb is None:
        tables = torch.zeros(30, DIM), torch.zeros(7, DIM)
    else:
        tables = stacked(emb, IDS), emb.rows("genres")
    return {"token_embedding_table.embedding.weight": tables[0], "token_seq_embedding_table.0.weight": tables[1]}


def mlp(network: nn.Module, first: torch.Tensor, prefix: str = "mlp_layers.", head: str | None = None) -> Weights:
    """Dropout, linear, [batch norm,] activation, and so on; `head` names the last layer if it stands apart."""
    found, stride = {}, 4 if norms(network) else 3
    layers = linears(network)
    hidden = layers if head is None else layers[:-1]
    for k, linear in enumerate(hidden):
        found |= layer(f"{prefix}mlp_layers.{stride * k + 1}.", linear, first if k == 0 else None)
    for k, norm in enumerate(norms(network)):
        found |= prefixed(f"{prefix}mlp_layers.{stride * k + 2}.", norm.state_dict())
    return found if head is None else found | layer(head, layers[-1])


def lr(m: LR) -> Weights:
    return first_order(m.linear) | vectors(None)


def fm(m: FM) -> Weights:
    return first_order(m.linear) | vectors(m.emb)


def ffm(m: FFM) -> Weights:
    fields = len(BASE)
    ids, bag = (t.view(len(t), fields, DIM) for t in (stacked(m.emb, IDS), m.emb.rows("genres")))
    own = {f"ffm.token_embeddings.{g}.weight": ids[:, g] for g in range(fields)}
    tables = {f"{g}.weight": bag[:, g] for g in range(fields)}  # one a partner, in one list …
    lists = {f"ffm.token_seq_embeddings.{g}.{name}": t for g in range(fields) for name, t in tables.items()}
    return lr(m) | own | prefixed("ffm.token_seq_embedding.", tables) | lists  # … which stands there for each partner


def fnn(m: FNN) -> Weights:
    tables = {name: rows[:, 1:] for name, rows in vectors(m.emb).items()}  # without w_i
    first = reordered(m.mlp[0].weight[:, 1:], m.emb, ORDER)  # without w0
    of_v = first.view(-1, len(BASE), 1 + DIM)[:, :, 1:].flatten(1)
    return first_order(None) | tables | mlp(m.mlp, of_v, head="predict_layer.")


def only_vectors(m: FNN) -> None:
    m.w0.zero_()
    m.emb.table[:, 0].zero_()
    weight = m.mlp[0].weight
    weight[:, 0] = 0.0
    weight[:, 1:].view(-1, len(BASE), 1 + DIM)[:, :, 0] = 0.0


def deepfm(m: DeepFM) -> Weights:
    return fm(m) | mlp(m.mlp, reordered(m.mlp[0].weight, m.emb, ORDER), head="deep_predict_layer.")


def nfm(m: NFM) -> Weights:
    return fm(m) | prefixed("bn.", m.pool[0].state_dict()) | mlp(m.mlp, m.mlp[0].weight, head="predict_layer.")


def afm(m: AFM) -> Weights:
    return fm(m) | {"p": m.p, "attlayer.h": m.h, "attlayer.w.weight": m.score.weight}


def no_bias(m: AFM) -> None:
    m.score.bias.zero_()


def theta_pairs(m: IPNN, order: tuple[str, ...]) -> torch.Tensor:
    """The weight of ⟨f_i, f_j⟩ in each unit, both orders of a pair together: (D1, P)."""
    at = [m.emb.field_names.index(name) for name in order]
    i, j = torch.triu_indices(len(at), len(at), 1)
    theta = m.theta[:, at]
    return 2 * theta[:, i] * theta[:, j]


def one_matrix(m: OPNN) -> None:
    """W_n = c_n W: all that a matrix a pair and a weight a unit can say."""
    m.w_p.copy_(torch.linspace(-1, 1, len(m.w_p)).view(-1, 1, 1) * m.w_p[0])


def of_unit_one(m: OPNN) -> tuple[torch.Tensor, torch.Tensor]:
    """Of W_n = c_n W, the c_n (D1,) with c_0 = −1, and W."""
    return torch.linspace(-1, 1, len(m.w_p)), -m.w_p[0]


def pnn(m: IPNN) -> Weights:
    first = torch.cat([reordered(m.linear.weight, m.emb, ORDER), theta_pairs(m, ORDER)], dim=1)
    return first_order(None) | vectors(m.emb) | product_mlp(m, first)


def product_mlp(m: nn.Module, first: torch.Tensor) -> Weights:
    return mlp(nn.Sequential(m.linear, m.mlp), first, head="predict_layer.")


def outer(m: OPNN) -> Weights:
    c_n, W = of_unit_one(m)
    pairs = len(BASE) * (len(BASE) - 1) // 2
    first = torch.cat([reordered(m.linear.weight, m.emb, ORDER), c_n.unsqueeze(1).expand(-1, pairs)], dim=1)
    kernel = {"outer_product.kernel": (W + W.mT).unsqueeze(1).expand(-1, pairs, -1)}
    return first_order(None) | vectors(m.emb) | product_mlp(m, first) | kernel


def widedeep(m: WideDeep) -> Weights:
    deep = m.deep
    last = {"deep_predict_layer.bias": torch.zeros(1)}
    weights = mlp(deep.mlp, reordered(deep.mlp[0].weight, deep.emb, ORDER), head="deep_predict_layer.")
    return first_order(m.wide.linear) | vectors(deep.emb) | weights | last


def cross(m: nn.Module) -> Weights:
    """What DCN and DCN-v2 share."""
    head = reordered(m.logits.weight, m.emb, ORDER)
    width = head.shape[1]
    first = reordered(linears(m.deep)[0].weight, m.emb, ORDER)
    last = layer("predict_layer.", m.logits, torch.cat([head, m.logits.weight[:, width:]], dim=1))
    return first_order(None) | vectors(m.emb) | mlp(m.deep, first) | last


def dcn(m: DCN) -> Weights:
    w, b = (reordered(part, m.emb, ORDER) for part in (m.w, m.b))
    own = {f"cross_layer_w.{k}": row for k, row in enumerate(w)} | {
        f"cross_layer_b.{k}": row for k, row in enumerate(b)
    }
    return cross(m) | own


def dcn_v2(m: DCNv2) -> Weights:
    own = {}
    for k, (w, b) in enumerate(zip(m.w, m.b, strict=True)):
        rows = reordered(reordered(w, m.emb, ORDER).mT, m.emb, ORDER).mT
        own |= {f"cross_layer_w.{k}": rows, f"bias.{k}": reordered(b.view(1, -1), m.emb, ORDER).mT}
    return {n: v for n, v in cross(m).items() if not n.startswith("first_order")} | first_order(None) | own


def interest(m: DIN | DIEN) -> Weights:
    return {
        f"embedding_layer.token_embedding_table.{name}.embedding.weight": m.emb.rows(name) for name in ("user", "item")
    }


def din(m: DIN) -> Weights:
    unit = m.units[0]
    first = reordered(m.mlp[0].weight, m.emb, ("pooled", "item", DIM))
    return (
        interest(m)
        | layer("attention.att_mlp_layers.mlp_layers.1.", unit.hidden)
        | layer("attention.dense.", unit.out)
        | mlp(m.mlp, first, "dnn_mlp_layers.", "dnn_predict_layers.")
    )


def no_profile(m: DIN) -> None:
    m.mlp[0].weight[:, :DIM] = 0.0  # the first field is the user


def dien(m: DIEN) -> Weights:
    first = reordered(m.mlp[0].weight, m.emb, ("pooled", "item", "user"))
    attention = "interest_evolution.attention_layer."
    unit = layer(f"{attention}att_mlp_layers.mlp_layers.1.", m.net[0]) | layer(f"{attention}dense.", m.net[2])
    auxiliary = {  # of the auxiliary loss, which takes no part in the answer
        "interset_extractor.auxiliary_net.mlp_layers.1.weight": torch.zeros(HIDDEN[0], 2 * DIM),
        "interset_extractor.auxiliary_net.mlp_layers.1.bias": torch.zeros(HIDDEN[0]),
        "interset_extractor.auxiliary_net.mlp_layers.3.weight": torch.zeros(1, HIDDEN[0]),
        "interset_extractor.auxiliary_net.mlp_layers.3.bias": torch.zeros(1),
    }
    return (
        interest(m)
        | torch_gru(m.extractor, "interset_extractor.gru.")
        | gru(m.evolver, "interest_evolution.dynamic_rnn.rnn.")
        | mlp(m.mlp, first, "dnn_mlp_layers.", "dnn_predict_layer.")
        | unit
        | auxiliary
    )


def neumf(m: NeuMF) -> Weights:
    found: Weights = {}
    for kind in ("mf", "mlp"):
        tower = next((t for t in m.towers if isinstance(t, GMF if kind == "mf" else MLP)), None)
        size = DIM if kind == "mf" else HIDDEN[0]
        found[f"user_{kind}_embedding.weight"] = torch.zeros(11, size) if tower is None else tower.p
        found[f"item_{kind}_embedding.weight"] = torch.zeros(13, size) if tower is None else tower.q
        if kind == "mlp":
            layers = MLP(1, 1, HIDDEN, 0.0) if tower is None else tower
            found |= mlp(layers.layers, layers.layers[0].weight)
    return found | {"predict_layer.weight": m.h.unsqueeze(0), "predict_layer.bias": torch.zeros(1)}


def _gmf(schema) -> NeuMF:
    return NeuMF([GMF(11, 13, DIM, 0.05)], [DIM])


def _neumf(schema) -> NeuMF:
    return NeuMF([GMF(11, 13, DIM, 0.05), MLP(11, 13, HIDDEN, 0.05)], [DIM, HIDDEN[-1]])


def _pair(theirs, ours, weights, changes=(), fields=BASE, options=None, **rest) -> Pair:
    sizes = {"embedding_size": DIM, "mlp_hidden_size": list(HIDDEN), "dropout_prob": 0.0, "reg_weight": 0.0}
    return Pair("recbole", theirs, ours, fields, weights, sizes | (options or {}), changes=changes, **rest)


ONE = {"mlp_hidden_size": list(HIDDEN[:1])}  # it gives the attention the widths of the network on top
PAIRS = (
    _pair("LR", LR, lr, (c.sums_bags,)),
    _pair("FM", lambda s: FM(s, DIM), fm, (c.sums_bags,)),
    _pair("FFM", lambda s: FFM(s, DIM), ffm, (c.sums_bags, c.one_vector_a_bag)),
    _pair(
        "FNN",
        lambda s: FNN(s, DIM, HIDDEN),
        fnn,
        neutral=only_vectors,
        said="the weights of w0 and w_i in z are 0: its z has the vectors alone",
    ),
    _pair("DeepFM", lambda s: DeepFM(s, DIM, HIDDEN), deepfm, (c.sums_bags,)),
    _pair("NFM", lambda s: NFM(s, DIM, HIDDEN), nfm, (c.sums_bags, c.sigmoid_inside, c.normalises_hidden)),
    _pair(
        "AFM",
        lambda s: AFM(s, DIM, 3),
        afm,
        (c.sums_bags, c.absent_fields_share),
        options={"attention_size": 3},
        neutral=no_bias,
        said="b of the attention network is 0: it has none",
    ),
    _pair(
        "PNN, inner",
        lambda s: IPNN(s, DIM, HIDDEN),
        pnn,
        (c.without_squares,),
        options={"use_inner": True, "use_outer": False},
        said="its free weight a pair and unit is 2 θ_ni θ_nj",
    ),
    _pair(
        "PNN, outer",
        lambda s: OPNN(s, DIM, HIDDEN),
        outer,
        (c.without_squares,),
        neutral=one_matrix,
        options={"use_inner": False, "use_outer": True},
        said="W_n = c_n W, its matrices W + Wᵀ: it has a matrix a pair, we have one a unit",
    ),
    _pair("WideDeep", lambda s: WideDeep(s, DIM, HIDDEN), widedeep, (c.sums_bags,), said="its second bias is 0"),
    _pair(
        "DCN",
        lambda s: DCN(s, DIM, HIDDEN),
        dcn,
        (c.normalises_hidden,),
        options={"cross_layer_num": 2},
        said="batch norm is neutral in eval mode",
    ),
    _pair(
        "DCNV2, matrix",
        lambda s: DCNv2(s, DIM, HIDDEN),
        dcn_v2,
        (c.normalises_hidden,),
        options={"cross_layer_num": 2, "structure": "parallel", "mixed": False},
        said="batch norm is neutral in eval mode",
    ),
    _pair(
        "DIN",
        lambda s: DIN(s, DIM, HIDDEN[:1], HIDDEN[0]),
        din,
        (c.sigmoid_in_the_unit, c.scaled_scores, c.dice_without_statistics, c.normalises_hidden),
        SEQUENTIAL,
        ONE,
        neutral=no_profile,
        said="weights of the user are 0 (it leaves the profile out), as are its weights of v_U ⊙ v_A",
    ),
    _pair(
        "DIEN",
        lambda s: DIEN(s, DIM, HIDDEN[:1]),
        dien,
        (c.scaled_network_attention, c.dice_without_statistics, c.normalises_hidden),
        SEQUENTIAL,
        ONE,
        empty=False,
        said="rows without a history are left out: it stops at them",
    ),
    _pair(
        "NeuMF, GMF alone",
        _gmf,
        neumf,
        (),
        ("user", "item"),
        {"mf_embedding_size": DIM, "mlp_embedding_size": HIDDEN[0], "mf_train": True, "mlp_train": False},
        said="its output bias is 0",
    ),
    _pair(
        "NeuMF",
        _neumf,
        neumf,
        (),
        ("user", "item"),
        {"mf_embedding_size": DIM, "mlp_embedding_size": HIDDEN[0], "mf_train": True, "mlp_train": True},
        said="its output bias is 0",
    ),
)
