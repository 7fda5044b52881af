"""The formulas of 4.5 hold their code: the real functions and classes agree, and one with a slip does not."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from rec_lib.derive import Disagreement, youtube_recall
from rec_lib.layers import sampled_softmax_loss
from rec_lib.models.watch_network import WatchNetwork
from rec_lib.retrieval import ExactIndex
from rec_lib.retrieval.inner_product import InnerProductIndex
from rec_lib.schema import FIRST

PAIRS = [
    (youtube_recall.layer, youtube_recall.look_up),
    (youtube_recall.layer, lambda table, ids: torch.eye(3, dtype=table.dtype)[ids] @ table),
    (youtube_recall.scatter, youtube_recall.look_up),
    (youtube_recall.network, WatchNetwork),
    (youtube_recall.softmax, WatchNetwork),
    (youtube_recall.draws, sampled_softmax_loss),
    (youtube_recall.nearest, youtube_recall.squared_distance),
]


@pytest.mark.parametrize(("derivation", "code"), PAIRS, ids=[f"{d.id}-{n}" for n, (d, _) in enumerate(PAIRS)])
def test_code_agrees(derivation, code):
    assert derivation.agrees_with(code).draws == 5


def test_the_index_stores_the_longer_vectors_of_the_formula():
    rng = np.random.default_rng(0)
    vectors, query = rng.normal(size=(9, 3)), rng.normal(size=3)
    inner = ExactIndex()
    index = InnerProductIndex(inner).build(vectors)
    scaled = query * index.longest / np.linalg.norm(query)
    found, distances = inner.query(np.append(scaled, 0.0), 9)
    for item, distance in zip(found[0], distances[0], strict=True):
        t = [torch.from_numpy(a) for a in (vectors[item], index.mean, scaled)]
        expected = youtube_recall.squared_distance(*t, torch.tensor(index.longest + 1e-12))
        assert distance**2 == pytest.approx(expected.item(), rel=1e-6)


class SumOfWatches(WatchNetwork):
    def user(self, batch):
        count = (batch["history"] != 0).sum(dim=1, keepdim=True)
        u = torch.cat([self.e[batch["history"]].sum(dim=1) * (1 + 0 * count), batch["age"].unsqueeze(1)], dim=1)
        for layer in self.layers:
            u = torch.relu(layer(u))
        return u


class AgeLast(WatchNetwork):
    """The age is added after the layers."""

    def user(self, batch):
        return super().user(batch | {"age": 0 * batch["age"]}) + batch["age"].unsqueeze(1)


class AllItemsBut(WatchNetwork):
    """The softmax is over the other items alone."""

    def loss(self, batch):
        s = self(batch)[:, FIRST:]
        own = s.gather(1, batch["item"].unsqueeze(1) - FIRST).squeeze(1)
        return (s.exp().sum(dim=1) - own.exp()).log().mean() - own.mean()


def last_write_wins(table, ids):
    """A gradient that assigns where it should add: the first look-up of a repeated row is cut off."""
    rows = table.index_select(0, ids)
    keep = torch.tensor([[0.0], [1.0], [1.0]], dtype=table.dtype)
    return rows * keep + rows.detach() * (1 - keep)


def uncorrected(logits, log_q, target):
    return cross_entropy(logits, target) + 0 * log_q.sum()


def shortened(vector, mean, query, longest):
    return youtube_recall.squared_distance(vector, 0 * mean, query, longest)


SLIPS = [
    (youtube_recall.layer, lambda table, ids: table[ids].flip(1), "does not agree"),
    (youtube_recall.scatter, last_write_wins, "does not agree"),
    (youtube_recall.network, SumOfWatches, "does not agree"),
    (youtube_recall.network, AgeLast, "does not agree"),
    (youtube_recall.softmax, AllItemsBut, "does not agree"),
    (youtube_recall.draws, uncorrected, "does not agree"),
    (youtube_recall.nearest, shortened, "does not agree"),
]


@pytest.mark.parametrize(("derivation", "code", "said"), SLIPS, ids=range(len(SLIPS)))
def test_a_slip_is_seen_and_named(derivation, code, said):
    with pytest.raises(Disagreement, match=said):
        derivation.agrees_with(code)
