"""The click models as plain loops over one sample, from the papers' formulas and the weights' names alone.

They share no code with the library: a look-up is a Python index, a sum is a loop.
"""

import math

import torch

from rec_lib import models
from rec_lib.schema import PAD, Bag, Dense, Schema, Sequence, Sparse


def offsets(schema: Schema) -> dict[str, int]:
    """Where each vocabulary starts in the table: sparse fields first, then bags, in the schema's order."""
    start, at = {}, 0
    for kind in (Sparse, Bag):
        for f in schema.fields:
            if isinstance(f, kind):
                start[f.name] = at
                at += f.size
    return start | {f.name: start[f.of] for f in schema.fields if isinstance(f, Sequence)}


def field_vectors(schema: Schema, table: torch.Tensor, batch: dict, row: int) -> list[list[float]]:
    """One vector a field: the row, the mean of the rows, or zeros."""
    start, dim = offsets(schema), table.shape[1]
    vectors = []
    for kind in (Sparse, Bag, Sequence):
        for f in schema.fields:
            if not isinstance(f, kind):
                continue
            ids = batch[f.name][row].tolist()
            ids = [ids] if isinstance(ids, int) else ids
            real = [i for i in ids if i != PAD]
            total = [0.0] * dim
            for i in real:
                for d in range(dim):
                    total[d] += table[start[f.name] + i, d].item()
            vectors.append([t / len(real) if real else 0.0 for t in total])
    return vectors


def dense_values(schema: Schema, batch: dict, row: int) -> list[float]:
    return [batch[f.name][row].item() for f in schema.fields if isinstance(f, Dense)]


def linear(model, batch: dict, row: int, schema: Schema | None = None) -> float:
    term, schema = model.linear, schema or model.schema
    y = term.w0.item() + sum(v[0] for v in field_vectors(schema, term.w.table, batch, row))
    return y + sum(w.item() * x for w, x in zip(term.dense, dense_values(schema, batch, row), strict=True))


def pairwise(v: list[list[float]]) -> float:
    return sum(sum(a * b for a, b in zip(v[i], v[j], strict=True)) for i in range(len(v)) for j in range(i + 1, len(v)))


def bi_interaction(v: list[list[float]]) -> list[float]:
    dim = len(v[0])
    return [sum(v[i][d] * v[j][d] for i in range(len(v)) for j in range(i + 1, len(v))) for d in range(dim)]


def dense_layers(sequential: torch.nn.Sequential, x: list[float], activation) -> float:
    layers = [m for m in sequential if isinstance(m, torch.nn.Linear)]
    for k, layer in enumerate(layers):
        bias = layer.bias.tolist() if layer.bias is not None else [0.0] * layer.out_features
        x = [
            sum(w * a for w, a in zip(ws, x, strict=True)) + b
            for ws, b in zip(layer.weight.tolist(), bias, strict=True)
        ]
        if k < len(layers) - 1:
            x = [activation(a) for a in x]
    return x[0]


def relu(a: float) -> float:
    return max(a, 0.0)


def lr(model, batch, row):
    return linear(model, batch, row)


def fm(model, batch, row):
    return linear(model, batch, row) + pairwise(field_vectors(model.schema, model.emb.table, batch, row))


def deepfm(model, batch, row):
    v = field_vectors(model.schema, model.emb.table, batch, row)
    x = [a for vector in v for a in vector] + dense_values(model.schema, batch, row)
    return linear(model, batch, row) + pairwise(v) + dense_layers(model.mlp, x, relu)


def fnn(model, batch, row):
    w_and_v = field_vectors(model.schema, model.emb.table, batch, row)
    z = [model.w0.item()] + [a for of_field in w_and_v for a in of_field] + dense_values(model.schema, batch, row)
    return dense_layers(model.mlp, z, math.tanh)


def nfm(model, batch, row):
    f_bi = bi_interaction(field_vectors(model.schema, model.emb.table, batch, row))
    norm = model.pool[0]
    if isinstance(norm, torch.nn.BatchNorm1d):  # eval mode: running statistics
        f_bi = [
            (a - m.item()) / math.sqrt(s.item() + norm.eps) * g.item() + b.item()
            for a, m, s, g, b in zip(f_bi, norm.running_mean, norm.running_var, norm.weight, norm.bias, strict=True)
        ]
    return linear(model, batch, row) + dense_layers(model.mlp, f_bi, relu)


def feature_values(schema: Schema, batch: dict, row: int) -> list[list[tuple[int, float]]]:
    """For each field the ids that are there, each with its value: 1 for one id, 1/n for each of n."""
    fields = []
    for kind in (Sparse, Bag, Sequence):
        for f in schema.fields:
            if isinstance(f, kind):
                ids = batch[f.name][row].tolist()
                real = [i for i in ([ids] if isinstance(ids, int) else ids) if i != PAD]
                fields.append([(i, 1 / len(real)) for i in real])
    return fields


def scramble(z: int) -> int:
    """The finaliser of SplitMix64 on Python's unlimited whole numbers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
    return z ^ (z >> 31)


def pair_row(sizes: list[int], f: int, g: int, a: int, b: int, buckets: int | None) -> int:
    """Row of the weight of id a of field f with id b of field g > f: count all pairs before it, then hash."""
    before = sum(sizes[i] * sizes[j] for j in range(len(sizes)) for i in range(j) if (j, i) < (g, f))
    number = before + a * sizes[g] + b
    return number if buckets is None else scramble(number) % 2**63 % buckets


def poly2(model, batch, row):
    schema = model.schema
    sizes = [schema.size(f.name) for kind in (Sparse, Bag, Sequence) for f in schema.fields if isinstance(f, kind)]
    fields = feature_values(schema, batch, row)
    y = linear(model, batch, row)
    for g in range(len(fields)):
        for f in range(g):
            for a, x_a in fields[f]:
                for b, x_b in fields[g]:
                    y += model.w[pair_row(sizes, f, g, a, b, model.buckets)].item() * x_a * x_b
    return y


def ffm(model, batch, row):
    rows = field_vectors(model.schema, model.emb.table, batch, row)
    n = len(rows)
    k = len(rows[0]) // n  # a row holds n vectors of k numbers, one a partner field
    y = linear(model, batch, row)
    for f in range(n):
        for g in range(f + 1, n):
            y += sum(rows[f][g * k + d] * rows[g][f * k + d] for d in range(k))
    return y


def gbdt_lr(model, batch, row):
    """Leaf by leaf: all conditions of its path must hold."""
    x = dense_values(model.schema, batch, row)
    y = model.w0.item()
    trees, leaves = model.leaf.shape
    for t in range(trees):
        reached = []
        for leaf in range(leaves):
            conditions = [s for s in range(leaves - 1) if model.path[t, s, leaf] != 0]
            if len(conditions) != model.length[t, leaf]:
                continue  # this tree has fewer leaves
            goes_left = [x[model.feature[t, s]] <= model.threshold[t, s].item() for s in conditions]
            if all(left == (model.path[t, s, leaf] > 0) for left, s in zip(goes_left, conditions, strict=True)):
                reached.append(leaf)
        assert len(reached) == 1, f"tree {t} has the leaves {reached} for one sample"
        y += model.leaf[t, reached[0]].item()
    y += sum(v[0] for v in field_vectors(model.schema, model.w.table, batch, row))
    return y + sum(w.item() * value for w, value in zip(model.dense, x, strict=True))


def ls_plm(model, batch, row):
    """p = Σ_i softmax(u)_i σ(w_i), then its log-odds."""
    total = [b.item() for b in model.bias]
    for v in field_vectors(model.schema, model.theta.table, batch, row):
        total = [a + b for a, b in zip(total, v, strict=True)]
    for x, weights in zip(dense_values(model.schema, batch, row), model.dense.tolist(), strict=True):
        total = [a + x * b for a, b in zip(total, weights, strict=True)]
    u, w = total[: model.m], total[model.m :]
    z = sum(math.exp(a) for a in u)
    p = sum(math.exp(a) / z / (1 + math.exp(-b)) for a, b in zip(u, w, strict=True))
    return math.log(p / (1 - p))


def affine(layer: torch.nn.Linear, x: list[float]) -> list[float]:
    return [
        sum(w * a for w, a in zip(ws, x, strict=True)) + b
        for ws, b in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    ]


def deep_crossing(model, batch, row):
    """Fields with more ids than a vector has numbers get a vector, the others stand as shares of their values."""
    schema, dim = model.schema, model.bias.shape[1]
    large = Schema(tuple(f for f in schema.fields if not isinstance(f, Dense) and schema.size(f.name) > dim))
    x = []
    for vector, bias in zip(field_vectors(large, model.emb.table, batch, row), model.bias.tolist(), strict=True):
        x += [relu(a + b) for a, b in zip(vector, bias, strict=True)]
    x += dense_values(schema, batch, row)
    for kind in (Sparse, Bag, Sequence):
        for f in schema.fields:
            if isinstance(f, kind) and schema.size(f.name) <= dim:
                ids = batch[f.name][row].tolist()
                ids = [i for i in ([ids] if isinstance(ids, int) else ids) if i != PAD]
                x += [ids.count(value) / len(ids) if ids else 0.0 for value in range(1, schema.size(f.name))]
    for unit in model.units:
        change = affine(unit.outer, [relu(a) for a in affine(unit.inner, x)])
        x = [relu(a + b) for a, b in zip(x, change, strict=True)]
    return affine(model.score, x)[0]


def inner_by_pairs(f: list[list[float]], theta: list[list[float]]) -> list[float]:
    """Every ordered pair of fields, i = j among them, weighed by θ_i θ_j: one number a unit."""
    n = range(len(f))
    dot = [[sum(a * b for a, b in zip(f[i], f[j], strict=True)) for j in n] for i in n]
    return [sum(t[i] * t[j] * dot[i][j] for i in n for j in n) for t in theta]


def outer_by_pairs(f: list[list[float]], w: list[list[list[float]]]) -> list[float]:
    """Every ordered pair's outer product, entry by entry, weighed by the unit's one matrix."""
    n, m = range(len(f)), range(len(f[0]))
    return [sum(w_n[a][b] * f[i][a] * f[j][b] for i in n for j in n for a in m for b in m) for w_n in w]


def product_network(model, batch, row, quadratic):
    f = field_vectors(model.schema, model.emb.table, batch, row)
    z = [a for vector in f for a in vector] + dense_values(model.schema, batch, row)
    l_1 = [relu(a + b) for a, b in zip(affine(model.linear, z), quadratic(f), strict=True)]
    return dense_layers(model.mlp, l_1, relu)


def ipnn(model, batch, row):
    return product_network(model, batch, row, lambda f: inner_by_pairs(f, model.theta.tolist()))


def opnn(model, batch, row):
    return product_network(model, batch, row, lambda f: outer_by_pairs(f, model.w_p.tolist()))


def pnn(model, batch, row):
    def both(f):
        pairs = zip(inner_by_pairs(f, model.theta.tolist()), outer_by_pairs(f, model.w_p.tolist()), strict=True)
        return [a + b for a, b in pairs]

    return product_network(model, batch, row, both)


def afm(model, batch, row):
    """Pair by pair; a pair is there if both of its fields have a value."""
    v = field_vectors(model.schema, model.emb.table, batch, row)
    there = [bool(values) for values in feature_values(model.schema, batch, row)]
    pairs = [(i, j) for i in range(len(v)) for j in range(i + 1, len(v)) if there[i] and there[j]]
    products = [[a * b for a, b in zip(v[i], v[j], strict=True)] for i, j in pairs]
    h = model.h.tolist()
    scores = [sum(a * b for a, b in zip(h, map(relu, affine(model.score, x)), strict=True)) for x in products]
    total = sum(math.exp(s) for s in scores)
    y = linear(model, batch, row)
    for s, x in zip(scores, products, strict=True):
        y += math.exp(s) / total * sum(p * a for p, a in zip(model.p.tolist(), x, strict=True))
    return y


def dice(layer, x):
    """In eval mode: a gate at the moving mean. A layer without one is PReLU, whose gate is a step at 0."""
    out = []
    for k, (a, alpha) in enumerate(zip(x, layer.alpha.tolist(), strict=True)):
        if hasattr(layer, "running_mean"):
            z = (a - layer.running_mean[k].item()) / math.sqrt(layer.running_var[k].item() + 1e-8)
            p = 1 / (1 + math.exp(-z))
        else:
            p = float(a > 0)
        out.append(p * a + (1 - p) * alpha * a)
    return out


def activation_unit(unit, q, k):
    """One weight from one candidate and one item, before any softmax: the concatenation written out."""
    both = {
        "code": [a - b for a, b in zip(q, k, strict=True)] + [a * b for a, b in zip(q, k, strict=True)],
        "book": [a - b for a, b in zip(q, k, strict=True)],
        "paper": [a * b for a in q for b in k],
    }[unit.interaction]
    h = dice(unit.activation, affine(unit.hidden, q + k + both))
    bias = 0.0 if unit.out.bias is None else unit.out.bias.item()
    return sum(w * a for w, a in zip(unit.out.weight[0].tolist(), h, strict=True)) + bias


def din(model, batch, row):
    """History by history, item by item: weigh it, add it up."""
    rest = Schema(tuple(f for f in model.schema.fields if not isinstance(f, Sequence)))
    v, start = field_vectors(rest, model.emb.table, batch, row), offsets(rest)
    x = [a for vector in v for a in vector] + dense_values(rest, batch, row)
    names = [f.name for kind in (Sparse, Bag) for f in rest.fields if isinstance(f, kind)]
    for history, unit in zip(model.schema.sequences, model.units, strict=True):
        q = v[names.index(history.of)]
        keys = [model.emb.table[start[history.of] + i].tolist() for i in batch[history.name][row].tolist() if i != PAD]
        weights = [activation_unit(unit, q, k) for k in keys]
        if unit.softmax:
            total = sum(math.exp(w) for w in weights)
            weights = [math.exp(w) / total for w in weights]
        x += [sum(w * k[d] for w, k in zip(weights, keys, strict=True)) for d in range(len(q))]
    for layer in model.mlp[:-1]:
        x = affine(layer, x) if isinstance(layer, torch.nn.Linear) else dice(layer, x)
    return affine(model.mlp[-1], x)[0]


def gru_row(gru, inputs, attention=None):
    """All states of one history, step by step, from the equations. Gates stand side by side: [u], r, then h̃."""
    H, W, U, b = gru.states, gru.W.tolist(), gru.U.tolist(), gru.b.tolist()
    names = ["r", "new"] if gru.gate == "agru" else ["u", "r", "new"]
    h, states = [0.0] * H, []
    for t, x in enumerate(inputs):

        def share(name, k, values, weights, names=names):
            column = names.index(name) * H + k
            return sum(v * w[column] for v, w in zip(values, weights, strict=True))

        def gate(name, k, x=x, h=h, share=share, names=names):
            z = share(name, k, x, W) + share(name, k, h, U) + b[names.index(name) * H + k]
            return 1 / (1 + math.exp(-z))

        a = 1.0 if attention is None else attention[t]
        u = [a * (gate("u", k) if "u" in names else 1.0) for k in range(H)]
        new = [
            math.tanh(share("new", k, x, W) + gate("r", k) * share("new", k, h, U) + b[names.index("new") * H + k])
            for k in range(H)
        ]
        h = [(1 - u[k]) * h[k] + u[k] * new[k] for k in range(H)]
        states.append(h)
    return states


def dien(model, batch, row):
    """One history from its first film to its last, twice."""
    rest = Schema(tuple(f for f in model.schema.fields if not isinstance(f, Sequence)))
    v, start = field_vectors(rest, model.emb.table, batch, row), offsets(rest)
    names = [f.name for kind in (Sparse, Bag) for f in rest.fields if isinstance(f, kind)]
    e_a, dim = v[names.index("item")], len(v[0])
    e = [model.emb.table[start["item"] + i].tolist() for i in batch["history"][row].tolist() if i != PAD]
    h = gru_row(model.extractor, e)
    scores = [sum(s[p] * model.W[p, q].item() * e_a[q] for p in range(dim) for q in range(dim)) for s in h]
    total = sum(math.exp(s) for s in scores)
    a = [math.exp(s) / total for s in scores]
    if model.evolution == "aigru":
        evolved = gru_row(model.evolver, [[w * k for k in s] for w, s in zip(a, h, strict=True)])
    else:
        evolved = gru_row(model.evolver, h, a)
    x = [k for vector in v for k in vector] + dense_values(rest, batch, row)
    x += evolved[-1] if evolved else [0.0] * dim
    for layer in model.mlp[:-1]:
        x = affine(layer, x) if isinstance(layer, torch.nn.Linear) else dice(layer, x)
    return affine(model.mlp[-1], x)[0]


def cross_products(model, batch, row):
    """For each cross and each combination of ids that the row shows: its weight; a mean where there are several."""
    schema, cross, at, y = model.schema, model.wide.cross, 0, 0.0
    starts = {}
    for kinds in ((Sparse,), (Bag, Sequence)):  # crosses of two single ids stand first in the table
        for a, b in cross.crosses:
            if isinstance(schema[b], kinds):
                starts[a, b] = at
                at += 2 + (schema.size(a) - 1) * (schema.size(b) - 1)
    for (a, b), start in starts.items():
        x, ids = batch[a][row].item(), batch[b][row].tolist()
        real = [i for i in ([ids] if isinstance(ids, int) else ids) if i != PAD and x != PAD]
        weights = [cross.w.table[start + 2 + (x - 1) * (schema.size(b) - 1) + i - 1, 0].item() for i in real]
        y += sum(weights) / len(weights) if weights else 0.0
    return y


def wide_deep(model, batch, row):
    v = field_vectors(model.schema, model.deep.emb.table, batch, row)
    x = [a for vector in v for a in vector] + dense_values(model.schema, batch, row)
    phi = cross_products(model, batch, row) if model.wide.cross is not None else 0.0
    return linear(model.wide, batch, row, model.schema) + phi + dense_layers(model.deep.mlp, x, relu)


def cross_and_deep(model, batch, row, scale):
    """x_0 scaled, layer by layer, then [x_L, h] weighed. `scale(l, x)` gives one number for each of x_0's."""
    v = field_vectors(model.schema, model.emb.table, batch, row)
    x_0 = [a for vector in v for a in vector] + dense_values(model.schema, batch, row)
    x, h = x_0, x_0
    for layer in range(len(model.w)):
        x = [a * s + c for a, s, c in zip(x_0, scale(layer, x), x, strict=True)]
        x = [a + b for a, b in zip(x, bias_outside(model, layer), strict=True)]
    for layer in (m for m in model.deep if isinstance(m, torch.nn.Linear)):
        h = [relu(a) for a in affine(layer, h)]
    return affine(model.logits, x + h)[0]


def bias_outside(model, layer: int) -> list[float]:
    """DCN adds its bias after the product; DCN-V2 has it within, where `scale` reads it."""
    return model.b[layer].tolist() if model.w.dim() == 2 else [0.0] * model.b.shape[1]


def dcn(model, batch, row):
    def scale(layer, x):
        return [sum(w * a for w, a in zip(model.w[layer].tolist(), x, strict=True))] * len(x)

    return cross_and_deep(model, batch, row, scale)


def dcn_v2(model, batch, row):
    def scale(layer, x):
        rows = zip(model.w[layer].tolist(), model.b[layer].tolist(), strict=True)
        return [sum(w * a for w, a in zip(ws, x, strict=True)) + b for ws, b in rows]

    return cross_and_deep(model, batch, row, scale)


NAIVE = {
    models.LR: lr,
    models.POLY2: poly2,
    models.FM: fm,
    models.FFM: ffm,
    models.DeepFM: deepfm,
    models.FNN: fnn,
    models.NFM: nfm,
    models.GBDTLR: gbdt_lr,
    models.LSPLM: ls_plm,
    models.DeepCrossing: deep_crossing,
    models.IPNN: ipnn,
    models.OPNN: opnn,
    models.PNN: pnn,
    models.DIN: din,
    models.DIEN: dien,
    models.WideDeep: wide_deep,
    models.DCN: dcn,
    models.DCNv2: dcn_v2,
    models.AFM: afm,
}


def parameter_count(cls: type, schema: Schema, dim: int, hidden: tuple[int, ...]) -> int:
    """Numbers to learn, counted from the paper's formula with V ids, F fields and N dense features."""
    v = sum(f.size for f in schema.fields if isinstance(f, Sparse | Bag))
    f = sum(not isinstance(x, Dense) for x in schema.fields)
    n = sum(isinstance(x, Dense) for x in schema.fields)

    def layers(width: int, out_bias: bool) -> int:
        total = 0
        for h in hidden:
            total += width * h + h
            width = h
        return total + width + out_bias

    def residual_units() -> int:
        large = [x for x in schema.fields if not isinstance(x, Dense) and schema.size(x.name) > dim]
        small = [x for x in schema.fields if not isinstance(x, Dense) and schema.size(x.name) <= dim]
        rows = sum(x.size for x in large if not isinstance(x, Sequence))
        width = len(large) * dim + n + sum(schema.size(x.name) - 1 for x in small)  # no number for PAD
        return rows * dim + len(large) * dim + sum(2 * width * h + h + width for h in hidden) + width + 1

    def interest_network() -> int:
        unit = (4 * dim * 36 + 36) + 36 + (36 + 1)  # layer over [q, k, q − k, q ⊙ k], Dice's α, layer to one number
        return (
            v * dim + unit + layers(f * dim + n, True) + sum(hidden)
        )  # every field has D numbers; α of the MLP's units

    inner, outer = hidden[0] * f, hidden[0] * dim * dim
    product_network = v * dim + layers(f * dim + n, True)
    stacked = f * dim + n
    beside_crosses = v * dim + layers(stacked, True) + stacked  # the last layer also reads x_L
    first_order = 1 + v + n
    return {
        models.LR: lambda: first_order,
        models.FM: lambda: first_order + v * dim,
        models.DeepFM: lambda: first_order + v * dim + layers(f * dim + n, True),
        models.FNN: lambda: 1 + v + v * dim + layers(1 + f * (1 + dim) + n, True),
        models.POLY2: lambda: first_order + 2**18,
        models.FFM: lambda: first_order + v * f * dim,
        models.NFM: lambda: first_order + v * dim + 2 * dim + layers(dim, False),
        models.GBDTLR: lambda: first_order + 50 * 8,  # LR, and a weight a leaf
        models.LSPLM: lambda: first_order * 2 * 2,  # each feature for gate and region, two regions
        models.DeepCrossing: residual_units,
        models.IPNN: lambda: product_network + inner,
        models.OPNN: lambda: product_network + outer,
        models.PNN: lambda: product_network + inner + outer,
        models.DIN: interest_network,
        models.DIEN: lambda: (
            v * dim + 2 * 3 * dim * (2 * dim + 1) + dim * dim + layers(f * dim + n, True) + sum(hidden)
        ),
        models.WideDeep: lambda: first_order + v * dim + layers(stacked, False),
        models.DCN: lambda: beside_crosses + 2 * 2 * stacked,  # two layers of w and b
        models.DCNv2: lambda: beside_crosses + 2 * stacked * (stacked + 1),
        models.AFM: lambda: first_order + v * dim + (dim * 16 + 16) + 16 + dim,
    }[cls]()
