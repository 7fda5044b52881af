"""The loop and the models that a practitioner writes first, in plain torch; the job is described in ctr.py.

One nn.Embedding with offsets for all single ids, nn.EmbeddingBag for the genres, shuffled index batches, no checks, no bar.
"""

import torch
from ctr import run
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, softmax

HISTORIES = ("history", "negatives")


class Vectors(nn.Module):
    """Ids of a row → one vector a field, (B, F, D)."""

    def __init__(self, sizes, bags, dim):
        super().__init__()
        single = [size for name, size in sizes.items() if name not in bags]
        self.register_buffer("offsets", torch.tensor([0, *single[:-1]]).cumsum(0))
        self.table = nn.Embedding(sum(single), dim)
        self.bags = nn.ModuleList(nn.EmbeddingBag(sizes[bag], dim, mode="mean", padding_idx=0) for bag in bags)
        for table in (self.table, *self.bags):
            nn.init.normal_(table.weight, std=0.05)

    def forward(self, x, bags):
        v = [self.table(x + self.offsets)]
        return torch.cat(v + [table(ids).unsqueeze(1) for table, ids in zip(self.bags, bags, strict=True)], dim=1)


def mlp(width, hidden, activation=nn.ReLU):
    layers = []
    for narrower in hidden:
        layers += [nn.Linear(width, narrower), activation()]
        width = narrower
    return nn.Sequential(*layers, nn.Linear(width, 1))


class Model(nn.Module):
    """All of them have the vectors v; `linear` is Σ w_i x_i + w0, for those that have it."""

    needs_linear = True

    def __init__(self, spec, sizes, bags, fields):
        super().__init__()
        self.spec, self.fields, self.dim, self.hidden = spec, fields, spec["dim"], spec["hidden"]
        self.width = fields * self.dim
        self.v = Vectors(sizes, bags, self.dim)
        if self.needs_linear:
            self.w, self.w0 = Vectors(sizes, bags, 1), nn.Parameter(torch.zeros(1))
        self.make()

    def make(self):
        pass

    def forward(self, x, bags, histories):
        y = self.deep(self.v(x, bags), x, histories)
        return y + self.w0 + self.w(x, bags).sum((1, 2)) if self.needs_linear else y

    def loss(self, x, bags, histories, y):
        return binary_cross_entropy_with_logits(self(x, bags, histories), y)


class LR(nn.Module):
    def __init__(self, spec, sizes, bags, fields):
        super().__init__()
        self.w, self.w0 = Vectors(sizes, bags, 1), nn.Parameter(torch.zeros(1))

    def forward(self, x, bags, histories):
        return self.w0 + self.w(x, bags).sum((1, 2))

    loss = Model.loss


class FM(Model):
    def deep(self, v, x, histories):
        return 0.5 * (v.sum(1).square() - v.square().sum(1)).sum(1)


class DeepFM(FM):
    def make(self):
        self.mlp = mlp(self.width, self.hidden)

    def deep(self, v, x, histories):
        return super().deep(v, x, histories) + self.mlp(v.flatten(1)).squeeze(1)


class WideDeep(Model):
    def make(self):
        self.mlp = mlp(self.width, self.hidden)

    def deep(self, v, x, histories):
        return self.mlp(v.flatten(1)).squeeze(1)


class NFM(Model):
    def make(self):
        self.norm, self.mlp = nn.BatchNorm1d(self.dim), mlp(self.dim, self.hidden)

    def deep(self, v, x, histories):
        return self.mlp(self.norm(0.5 * (v.sum(1).square() - v.square().sum(1)))).squeeze(1)


class AFM(Model):
    def make(self):
        self.pairs = torch.triu_indices(self.fields, self.fields, 1)
        self.score = nn.Sequential(nn.Linear(self.dim, self.dim), nn.ReLU(), nn.Linear(self.dim, 1, bias=False))
        self.p = nn.Linear(self.dim, 1, bias=False)

    def deep(self, v, x, histories):
        products = v[:, self.pairs[0]] * v[:, self.pairs[1]]
        return self.p((softmax(self.score(products), dim=1) * products).sum(1)).squeeze(1)


class FNN(Model):
    needs_linear = False

    def make(self):
        self.mlp = mlp(self.width, self.hidden, nn.Tanh)

    def deep(self, v, x, histories):
        return self.mlp(v.flatten(1)).squeeze(1)


class PNN(Model):
    needs_linear = False

    def make(self):
        self.pairs = torch.triu_indices(self.fields, self.fields, 1)
        self.mlp = mlp(self.width + self.pairs.shape[1], self.hidden)

    def deep(self, v, x, histories):
        products = (v[:, self.pairs[0]] * v[:, self.pairs[1]]).sum(2)
        return self.mlp(torch.cat([v.flatten(1), products], dim=1)).squeeze(1)


class Cross(Model):
    needs_linear, matrix = False, False

    def make(self):
        self.cross = nn.ModuleList(
            nn.Linear(self.width, self.width if self.matrix else 1, bias=False) for _ in range(2)
        )
        self.b = nn.ParameterList(torch.zeros(self.width) for _ in range(2))
        self.network = nn.Sequential(*list(mlp(self.width, self.hidden))[:-1])
        self.out = nn.Linear(self.width + self.hidden[-1], 1)

    def deep(self, v, x, histories):
        first = crossed = v.flatten(1)
        for layer, b in zip(self.cross, self.b, strict=True):
            crossed = (
                first * (layer(crossed) + b if self.matrix else layer(crossed)) + (0 if self.matrix else b) + crossed
            )
        return self.out(torch.cat([crossed, self.network(first)], dim=1)).squeeze(1)


class CrossMatrix(Cross):
    matrix = True


class Dice(nn.Module):
    def __init__(self):
        super().__init__()
        self.alpha, self.norm = nn.Parameter(torch.zeros(1)), nn.LazyBatchNorm1d(affine=False)

    def forward(self, s):
        flat = s.flatten(0, -2)
        p = torch.sigmoid(self.norm(flat))
        return (p * flat + (1 - p) * self.alpha * flat).view(s.shape)


class DIN(Model):
    needs_linear = False

    def make(self):
        self.unit = mlp(4 * self.dim, self.spec["attention"], Dice)
        self.mlp = mlp(self.width + self.dim, self.hidden, Dice)

    def deep(self, v, x, histories):
        ids, target = histories["history"], v[:, self.spec["item"]]
        keys = self.v.table(ids + self.v.offsets[self.spec["item"]])
        query = target.unsqueeze(1).expand_as(keys)
        weights = self.unit(torch.cat([query, keys, query - keys, query * keys], dim=2)) * (ids > 0).unsqueeze(2)
        return self.mlp(torch.cat([v.flatten(1), (weights * keys).sum(1)], dim=1)).squeeze(1)


class DIEN(Model):
    needs_linear = False

    def make(self):
        self.extractor, self.W = nn.GRU(self.dim, self.dim, batch_first=True), nn.Linear(self.dim, self.dim, bias=False)
        self.gates, self.back = nn.Linear(self.dim, 3 * self.dim), nn.Linear(self.dim, 3 * self.dim, bias=False)
        self.mlp = mlp(self.width + self.dim, self.hidden, Dice)

    def keys(self, ids):
        return self.v.table(ids + self.v.offsets[self.spec["item"]]) * (ids > 0).unsqueeze(2)

    def deep(self, v, x, histories):
        mask = histories["history"] > 0
        self.states = self.extractor(self.keys(histories["history"]))[0]
        scores = (self.states * self.W(v[:, self.spec["item"]]).unsqueeze(1)).sum(2)
        attention = softmax(scores.masked_fill(~mask, -1e9), dim=1)
        h = torch.zeros_like(self.states[:, 0])
        for t in range(mask.shape[1]):
            (ru, rr, rn), (hu, hr, hn) = self.gates(self.states[:, t]).chunk(3, 1), self.back(h).chunk(3, 1)
            update = attention[:, t : t + 1] * torch.sigmoid(ru + hu)
            new = torch.tanh(rn + torch.sigmoid(rr + hr) * hn)
            h = torch.where(mask[:, t : t + 1], (1 - update) * h + update * new, h)
        return self.mlp(torch.cat([v.flatten(1), h], dim=1)).squeeze(1)

    def loss(self, x, bags, histories, y):
        loss = super().loss(x, bags, histories, y)
        if "negatives" not in histories:
            return loss
        clicked, drawn = (
            (self.states[:, :-1] * self.keys(histories[name])[:, 1:]).sum(2) for name in ("history", "negatives")
        )
        real = (histories["history"][:, 1:] > 0).float()
        aux = -((logsigmoid(clicked) + logsigmoid(-drawn)) * real).sum() / real.sum().clamp(min=1)
        return loss + self.spec["auxiliary"] * aux


MODELS = {"LR": LR, "FM": FM, "FNN": FNN, "PNN": PNN, "DeepFM": DeepFM, "NFM": NFM, "AFM": AFM, "Wide&Deep": WideDeep}
MODELS |= {"Deep&Cross": Cross, "DCN-v2": CrossMatrix, "DIN": DIN, "DIEN": DIEN}


def build(spec, columns, rows):
    names = [name for name in spec["sizes"] if name not in HISTORIES]
    bags = [name for name in names if columns[name].ndim == 2]
    single = [name for name in names if name not in bags]
    sizes = {name: spec["sizes"][name] for name in names}
    spec = spec | {"item": single.index("item")}
    model = MODELS[spec["model"]](spec, sizes, bags, len(names))
    x = torch.stack([torch.from_numpy(columns[name]) for name in single], dim=1)
    many = [torch.from_numpy(columns[name]) for name in bags]
    histories = {name: torch.from_numpy(columns[name]) for name in HISTORIES if name in spec["sizes"]}
    y = torch.from_numpy(columns["label"])
    rows = {part: torch.from_numpy(index) for part, index in rows.items()}

    def batch(index):
        return x[index], [ids[index] for ids in many], {name: ids[index] for name, ids in histories.items()}

    with torch.no_grad():
        model.eval()(*batch(rows["train"][:2]))  # fixes the width of lazy layers
    adam = torch.optim.Adam(model.parameters(), lr=spec["lr"], weight_decay=spec["weight_decay"])

    def epoch():
        model.train()
        for part in torch.randperm(len(rows["train"])).split(spec["batch_size"]):
            index = rows["train"][part]
            adam.zero_grad()
            model.loss(*batch(index), y[index]).backward()
            adam.step()

    def predict(part):
        model.eval()
        with torch.no_grad():
            return torch.cat([torch.sigmoid(model(*batch(i))) for i in rows[part].split(spec["batch_size"])]).numpy()

    return model, epoch, predict


if __name__ == "__main__":
    run(build)
