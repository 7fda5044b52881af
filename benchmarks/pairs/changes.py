"""What other libraries do otherwise, re-created by us: each function changes one thing in one of our models, in place.

A docstring's first line is the cause that the report prints. Weights that only the changed model has are drawn from torch's
global generator, or neutral where a value is neutral.
"""

import torch
from torch import Tensor, nn

from rec_lib.layers import GRU, ActivationUnit, Dice, FieldEmbedding, inner_signal, masked_softmax, outer_signal
from rec_lib.models import AFM, DIEN, IPNN, LSPLM, OPNN, DCNv2
from rec_lib.models.wide_deep import Wide
from rec_lib.schema import PAD, Batch


class _OneSetOfWeights(LSPLM):
    def scores(self, batch: Batch) -> tuple[Tensor, Tensor]:
        u, _ = super().scores(batch)
        return u, u


def gate_is_the_regions(model: nn.Module) -> None:
    """the gate's weights serve as the regions' too; the regions' own are made and never read"""
    model.__class__ = _OneSetOfWeights


class _SummedBags(FieldEmbedding):
    def forward(self, batch: Batch) -> Tensor:
        mean = super().forward(batch)  # (B, F, D)
        n = [(batch[name] != PAD).view(len(mean), -1).sum(dim=1).clamp(min=1) for name in self.field_names]
        return mean * torch.stack(n, dim=1).unsqueeze(2)


def sums_bags(model: nn.Module) -> None:
    """the linear term adds up the weights of a bag's ids, where the vectors are averaged"""
    _linear(model).w.__class__ = _SummedBags


class _OneVectorABag(FieldEmbedding):
    def forward(self, batch: Batch) -> Tensor:
        v = super().forward(batch)  # (B, F, F·D)
        n, fields = len(self.schema.sparse), len(self.field_names)
        first = v[:, n:, : self.dim // fields].repeat(1, 1, fields)
        return torch.cat([v[:, :n], first], dim=1)


def one_vector_a_bag(model: nn.Module) -> None:
    """a bag shows the same vector to every partner field: the list of its tables is one list, and the first is read"""
    model.emb.__class__ = _OneVectorABag


def sigmoid_inside(model: nn.Module) -> None:
    """sigmoid in the hidden layers, where ours has ReLU"""
    for at, layer in enumerate(model.mlp):
        if isinstance(layer, nn.ReLU):
            model.mlp[at] = nn.Sigmoid()


def normalises_hidden(model: nn.Module) -> None:
    """batch norm before each hidden activation"""
    name = "deep" if hasattr(model, "logits") else "mlp"  # the cross networks' deep part ends before the last layer
    owner, name = (model.deep, "mlp") if hasattr(model, "wide") else (model, name)
    layers = list(getattr(owner, name))
    hidden = [isinstance(layer, nn.Linear) and following is not None for layer, following in _pairs(layers)]
    parts = [
        part
        for layer, here in zip(layers, hidden, strict=True)
        for part in ([layer, neutral_norm(layer.out_features)] if here else [layer])
    ]
    setattr(owner, name, nn.Sequential(*parts).train(model.training))


def neutral_norm(width: int) -> nn.BatchNorm1d:
    """A batch norm that changes nothing in eval mode."""
    norm = nn.BatchNorm1d(width)
    nn.init.constant_(norm.weight, (1 + norm.eps) ** 0.5)
    return norm


class _AllPairs(AFM):
    def attention(self, pairs: Tensor, batch: Batch) -> Tensor:
        return torch.softmax(torch.relu(self.score(pairs)) @ self.h, dim=1)


def absent_fields_share(model: nn.Module) -> None:
    """a pair with a field that has no value takes its share of the attention"""
    model.__class__ = _AllPairs


class _NoAttention(AFM):
    def attention(self, pairs: Tensor, batch: Batch) -> Tensor:
        return pairs.new_ones(pairs.shape[:2])


def attention_is_one(model: nn.Module) -> None:
    """the pairs are added up before the attention sees them; its softmax over one number is 1, so h, W and b never matter"""
    model.__class__ = _NoAttention


class _InnerPairs(IPNN):
    def quadratic(self, f: Tensor) -> Tensor:
        return inner_signal(f, self.theta) - f.square().sum(dim=2) @ self.theta.square().mT


class _OuterPairs(OPNN):
    def quadratic(self, f: Tensor) -> Tensor:
        return outer_signal(f, self.w_p) - torch.einsum("bia,nac,bic->bn", f, self.w_p, f)


def without_squares(model: nn.Module) -> None:
    """pairs i < j only: a field does not meet itself"""
    model.__class__ = _InnerPairs if isinstance(model, IPNN) else _OuterPairs


class LinearOverVectors(nn.Module):
    """w0 + Σ_f u_f · v_f: what stands in for the linear term reads the model's own vectors."""

    def __init__(self, emb: FieldEmbedding, w0: nn.Parameter):
        super().__init__()
        self.w0, self.u = w0, nn.Parameter(torch.randn(len(emb.field_names) * emb.dim) * 0.5)
        self.emb = emb

    def forward(self, batch: Batch) -> Tensor:
        return self.w0 + self.emb(batch).flatten(1) @ self.u


def linear_reads_vectors(model: nn.Module) -> None:
    """the linear term is a layer over the vectors, Σ_f u_f · v_f: no id has a weight of its own"""
    if hasattr(model, "wide"):
        model.wide.linear = LinearOverVectors(model.deep.emb, model.wide.linear.w0)
    else:
        model.linear = LinearOverVectors(model.emb, model.linear.w0)


class _BiasOutside(DCNv2):
    def forward(self, batch: Batch) -> Tensor:
        x_0 = self.emb.flat(self.emb(batch), batch)
        x = x_0
        for w, b in zip(self.w, self.b, strict=True):
            x = x_0 * (x @ w.mT) + b + x
        return self.logits(torch.cat([x, self.deep(x_0)], dim=1)).squeeze(-1)


def bias_outside(model: nn.Module) -> None:
    """x_0 ⊙ (W x) + b + x: the cross layer's bias is added, not multiplied by the input"""
    model.__class__ = _BiasOutside


class _SigmoidOf(nn.Module):
    def forward(self, s: Tensor, mask: Tensor) -> Tensor:
        return torch.sigmoid(s)


def sigmoid_in_the_unit(model: nn.Module) -> None:
    """sigmoid in the activation unit, where the paper has Dice"""
    for unit in model.units:
        unit.activation = _SigmoidOf()


class _Scaled(ActivationUnit):
    def forward(self, q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
        return super().forward(q, k, mask) / q.shape[1] ** 0.5


def scaled_scores(model: nn.Module) -> None:
    """the weights of the history are divided by √D"""
    for unit in model.units:
        unit.__class__ = _Scaled


def dice_without_statistics(model: nn.Module) -> None:
    """Dice with p(s) = σ(s), no mean, no variance, and an α that is 0 for good: s σ(s)"""
    _replace_dice(model.mlp, lambda dice: nn.SiLU())


def relu_for_dice(model: nn.Module) -> None:
    """ReLU in the network on top, where the paper has Dice"""
    _replace_dice(model.mlp, lambda dice: nn.ReLU())


class _OverPadding(Dice):
    def forward(self, s: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().forward(s)


def dice_counts_padding(model: nn.Module) -> None:
    """while training, the unit's Dice takes its mean and variance over padding too"""
    for unit in model.units:
        unit.activation.__class__ = _OverPadding


class DiceOverUnits(nn.Module):
    """p = σ((s − m) / √(Σ_h ((s_h − m)² + ε))) with the mean m over a row's own units, and one α for all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.randn(1))

    def forward(self, s: Tensor, mask: Tensor | None = None) -> Tensor:
        centred = s - s.mean(dim=-1, keepdim=True)
        p = torch.sigmoid(centred / (centred.square() + 1e-3).sum(dim=-1, keepdim=True).sqrt())
        return p * s + (1 - p) * self.alpha * s


def dice_over_units(model: nn.Module) -> None:
    """Dice compares a row's units with each other, not a unit with itself over rows; its variance is a sum, its α one number"""
    _replace_dice(model.mlp, lambda dice: DiceOverUnits())
    for unit in getattr(model, "units", ()):
        unit.activation = DiceOverUnits()


class Normed(nn.Module):
    """A batch norm over all places, padding too, then an activation."""

    def __init__(self, width: int, activation: nn.Module):
        super().__init__()
        self.norm, self.activation = neutral_norm(width), activation

    def forward(self, s: Tensor, mask: Tensor) -> Tensor:
        return self.activation(self.norm(s.flatten(0, -2)).view_as(s), mask)


def normalises_the_unit(model: nn.Module) -> None:
    """batch norm in the activation unit, over padding too"""
    for unit in model.units:
        unit.activation = Normed(unit.hidden.out_features, unit.activation).train(model.training)


class _NetworkAttention(DIEN):
    def attention(self, h: Tensor, mask: Tensor, e_a: Tensor) -> Tensor:
        q = e_a.expand_as(h)  # (T, B, D)
        scores = self.net(torch.cat([q, h, q - h, q * h], dim=2)).squeeze(2)  # (T, B)
        return masked_softmax(scores.mT * self.scale, mask.mT).mT


def _network_attention(model: nn.Module, activation: nn.Module, units: int, scale: float) -> None:
    dim = len(model.W)
    model.W = None
    model.net = nn.Sequential(nn.Linear(4 * dim, units), activation, nn.Linear(units, 1))
    model.scale = scale
    model.__class__ = _NetworkAttention


def network_attention(model: nn.Module) -> None:
    """attention by DIN's network over e_a, h, their difference and product, where the paper has h W e_a"""
    _network_attention(model, nn.ReLU(), 3, 1.0)


def scaled_network_attention(model: nn.Module) -> None:
    """attention by DIN's network with sigmoid units, divided by √D, where the paper has h W e_a"""
    _network_attention(model, nn.Sigmoid(), 6, len(model.W) ** -0.5)


class _TiedBias(GRU):
    def forward(self, i: Tensor, mask: Tensor, a: Tensor | None = None) -> Tensor:
        b_u, b_r, b_h = (self.b / 2).chunk(3)
        h, states = i.new_zeros(i.shape[1], self.states), []
        for x, a_t in zip(i, mask.to(i.dtype) if a is None else a, strict=True):
            (x_u, x_r, x_h), (h_u, h_r, h_h) = (x @ self.W).chunk(3, dim=1), (h @ self.U).chunk(3, dim=1)
            u, r = torch.sigmoid(x_u + h_u + 2 * b_u), torch.sigmoid(x_r + h_r + 2 * b_r)
            h = torch.lerp(h, torch.tanh(x_h + b_h + r * (h_h + b_h)), a_t.unsqueeze(1) * u)
            states.append(h)
        return torch.stack(states)


def tied_bias(model: nn.Module) -> None:
    """the second GRU's two biases are one tensor: half of the candidate's bias passes the reset gate"""
    model.evolver.__class__ = _TiedBias


def _linear(model: nn.Module) -> nn.Module:
    part = getattr(model, "wide", model)
    return part.linear if isinstance(part, Wide) else model.linear


def _pairs(layers: list[nn.Module]) -> list[tuple[nn.Module, nn.Module | None]]:
    return list(zip(layers, [*layers[1:], None], strict=True))


def _replace_dice(network: nn.Sequential, other) -> None:
    for at, layer in enumerate(network):
        if isinstance(layer, Dice):
            network[at] = other(layer)
