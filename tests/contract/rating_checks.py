"""What every rating model promises: one list of checks, each a function of the model's class.

The contract tests run each check on each class of the catalogue; the mutant tests run them on broken ones.
"""

import inspect
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from oracles.rating_naive import NAIVE, Known, parameter_count

from rec_lib.data.low_rank import low_rank
from rec_lib.data.table import Table
from rec_lib.models import MF, IAutoRec, ModelFileError, RatingModel
from rec_lib.schema import OOV, PAD, Schema, Sparse
from rec_lib.training import fit

# One other value for each constructor argument. A model with a new argument has to add it here.
OTHER = {"dim": 5, "l2": 0.7, "l2_y": 0.7, "init_sd": 0.5, "bias": False}
NO_PENALTY = {"l2": 0.0, "l2_y": 0.0}
USERS, ITEMS = 11, 13
# How a model and its subclasses are trained on the planted matrix, and to within how many times the noise they come.
RECIPES: dict[type[RatingModel], dict[str, Any]] = {
    MF: {
        "settings": {"l2": 0.02, "l2_y": 0.005},
        "optimizer": torch.optim.Adam,
        "lr": 0.02,
        "epochs": 60,
        "patience": 5,
        "batch_size": 256,
        "within": 1.35,
    },
    # all rows at once, as its paper does; learning to read a row takes more ratings than this world has
    IAutoRec: {
        "settings": {"l2": 0.3},
        "optimizer": torch.optim.Rprop,
        "lr": 0.01,
        "epochs": 600,
        "patience": 60,
        "batch_size": 10_000,
        "within": 1.5,
    },
}
STRANGER, UNSEEN = USERS - 1, ITEMS - 1  # a user and an item in the tables without training ratings


def schema() -> Schema:
    return Schema((Sparse("user", USERS), Sparse("item", ITEMS)))


def train(n: int = 40, seed: int = 0) -> Table:
    """Random ratings of 1 to 5 stars; the last user and the last item have none, and nobody has two for one item."""
    g = torch.Generator().manual_seed(seed)
    pairs = torch.randperm((USERS - 3) * (ITEMS - 3), generator=g)[:n]
    user, item = pairs // (ITEMS - 3) + 2, pairs % (ITEMS - 3) + 2
    stars = torch.cat([torch.tensor([1.0, 5.0]), torch.randint(1, 6, (n - 2,), generator=g).float()])
    return Table(schema(), {"user": user, "item": item, "label": stars})


def asked() -> Table:
    """Pairs to predict: seen and unseen ones, strangers, unknown ids and padding on either side and on both."""
    odd = [
        (STRANGER, 3),
        (OOV, 4),
        (PAD, 5),
        (3, UNSEEN),
        (4, OOV),
        (5, PAD),
        (STRANGER, UNSEEN),
        (OOV, OOV),
        (PAD, PAD),
    ]
    user = torch.cat([torch.arange(2, 10).repeat(2), torch.tensor([u for u, _ in odd])])
    item = torch.cat([torch.arange(2, 10), torch.arange(4, 12), torch.tensor([i for _, i in odd])])
    return Table(schema(), {"user": user, "item": item, "label": 1 + torch.arange(len(user)) % 5.0})


def build(cls: type[RatingModel], seed: int = 0, **settings) -> RatingModel:
    torch.manual_seed(seed)
    return cls(settings.pop("train", None) or train(), **settings)


def stirred(cls: type[RatingModel], seed: int = 0) -> RatingModel:
    """A model in eval mode whose weights are all away from their initial values, rows of strangers included."""
    model = build(cls, seed)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.3)
    return model.eval()


def given(cls: type[RatingModel], settings: dict) -> dict:
    """Those of the settings that the class takes."""
    return {k: v for k, v in settings.items() if k in inspect.signature(cls.__init__).parameters}


def check_output_is_one_finite_float32_a_row(cls):
    y = build(cls)(asked().batch())
    assert y.shape == (len(asked()),), f"got shape {tuple(y.shape)}"
    assert y.dtype == torch.float32
    assert torch.isfinite(y).all()


def check_rows_are_independent_in_eval_mode(cls):
    model, batch = stirred(cls), asked().batch()
    y = model(batch)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model({k: v[order] for k, v in batch.items()}), y[order])
    for row in (0, 7, len(y) - 1):
        one = model({k: v[row : row + 1] for k, v in batch.items()})
        assert one.shape == (1,), f"a batch of one gives shape {tuple(one.shape)}"
        torch.testing.assert_close(one[0], y[row])


def check_predict_is_forward_clipped_to_the_scale(cls):
    model = stirred(cls)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(20)
    raw = model(asked().batch())
    assert ((raw < 1) | (raw > 5)).any(), "forward stays within the scale: it clips, and the loss has no gradient there"
    torch.testing.assert_close(model.predict(asked(), clip=False), raw)
    torch.testing.assert_close(model.predict(asked().batch()), raw.clamp(1, 5))
    model.train()
    model.predict(asked())
    assert model.training, "predict leaves the model in another mode"


def check_a_stranger_adds_nothing_of_its_own(cls):
    """Whatever stands in the rows of ids without training ratings, it must not reach a prediction."""
    model, batch = stirred(cls), asked().batch()
    y = model(batch)
    with torch.no_grad():
        for p in model.parameters():
            for ids, size in (((PAD, OOV, STRANGER), USERS), ((PAD, OOV, UNSEEN), ITEMS)):
                if p.dim() and len(p) == size:
                    p[list(ids)] += 100
    torch.testing.assert_close(model(batch), y)
    torch.testing.assert_close(y[-3:], model.mu.expand(3))
    three = torch.full((3,), 3)  # why an id is unknown makes no difference
    for odd in (
        {"user": torch.tensor([STRANGER, OOV, PAD]), "item": three},
        {"user": three, "item": torch.tensor([UNSEEN, OOV, PAD])},
    ):
        torch.testing.assert_close(model(odd), model(odd)[:1].expand(3))


def check_knows_says_who_has_ratings(cls):
    model, known = build(cls), Known(train())
    ids = torch.tensor([PAD, OOV, 2, 3, STRANGER, USERS, 999])
    assert model.knows(ids).tolist() == [int(u) in known.of for u in ids]
    ids = torch.tensor([PAD, OOV, 2, 5, UNSEEN, ITEMS, 999])
    assert model.knows_items(ids).tolist() == [int(i) in known.items for i in ids]


def check_strangers_are_finite_in_value_and_gradient(cls):
    model = build(cls).train()
    loss = model.loss(asked().rows(torch.arange(len(asked()) - 9, len(asked()))).batch())
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def check_every_parameter_learns_and_strangers_do_not(cls):
    model = stirred(cls).train()
    model.loss(asked().batch()).backward()
    for name, p in model.named_parameters():
        assert p.grad is not None, f"{name} gets no gradient"
        assert p.grad.abs().sum() > 1e-7, f"{name} gets a gradient of 0"
        if p.dim() and len(p) in (USERS, ITEMS):
            assert (p.grad[[PAD, OOV, len(p) - 1]] == 0).all(), f"a row of {name} without ratings gets a gradient"


def check_loss_is_a_mean_over_rows(cls):
    model, batch = stirred(cls), train().batch()
    twice = {k: torch.cat([v, v]) for k, v in batch.items()}
    torch.testing.assert_close(model.loss(twice), model.loss(batch))
    free = build(cls, **given(cls, NO_PENALTY))
    free.load_state_dict(model.state_dict())
    torch.testing.assert_close(free.loss(batch), (free(batch) - batch["label"]).square().mean())


def check_overfits_six_ratings(cls):
    model, batch = build(cls, **given(cls, NO_PENALTY)), train().rows(torch.arange(6)).batch()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        model.loss(batch).backward()
        optimizer.step()
    loss = model.loss(batch).item()
    assert loss < 0.02, f"squared error on six ratings is still {loss:.3f} after 300 steps"


def check_weights_come_from_the_callers_seed_alone(cls):
    for a, b in zip(build(cls, 3).parameters(), build(cls, 3).parameters(), strict=True):
        assert torch.equal(a, b)
    after = [build(cls, seed) and torch.rand(4) for seed in (1, 2)]
    assert not torch.equal(*after), "the constructor seeds the global generator"


def check_two_models_share_nothing(cls):
    shared = train()
    before = {name: column.clone() for name, column in shared.batch().items()}
    a, b = cls(shared), cls(shared)
    columns = {c.data_ptr() for c in shared.batch().values()}
    pointers = {p.data_ptr() for p in [*a.parameters(), *a.buffers()] if p.numel()}
    assert not pointers & {p.data_ptr() for p in [*b.parameters(), *b.buffers()] if p.numel()}
    assert not pointers & columns, "a buffer is a view of the caller's table"
    assert all(torch.equal(shared[name], column) for name, column in before.items())


def check_state_dict_and_file_round_trip(cls):
    model, file = stirred(cls), io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other = build(
        cls, seed=9, train=train(seed=5)
    ).eval()  # other ratings of the same number: all must come from the file
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(asked().batch()), model(asked().batch()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        model.save(path)
        again = build(cls, seed=8, train=train(seed=6)).eval()
        again.load(path)
        assert torch.equal(again.predict(asked()), model.predict(asked()))
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(ModelFileError):
            again.load(path)
        assert torch.equal(again.predict(asked()), model.predict(asked()))


def check_double_precision(cls):
    model = stirred(cls)
    single = model(asked().batch())
    double = model.double()(asked().batch())
    assert double.dtype == torch.float64
    assert model.loss(asked().batch()).dtype == torch.float64
    torch.testing.assert_close(double.float(), single, rtol=1e-4, atol=1e-5)


def check_runs_on_another_device(cls):
    """The meta device has no data: whatever was created on the CPU inside forward fails here as it would on a GPU."""
    model = build(cls).to("meta")
    assert model.loss({k: v.to("meta") for k, v in asked().batch().items()}).device.type == "meta"


def check_every_option_does_something(cls):
    def outcome(**settings):
        model = build(cls, **settings).train()
        torch.manual_seed(5)
        batch = train().batch()
        return [tuple(p.shape) for p in model.parameters()], model(batch), model.loss(batch)

    shapes, y, loss = outcome()
    for name in inspect.signature(cls.__init__).parameters:
        if name in ("self", "train"):
            continue
        assert name in OTHER, f"{cls.__name__} has a new option {name!r}: name another value of it in OTHER"
        other_shapes, other_y, other_loss = outcome(**{name: OTHER[name]})
        same = other_shapes == shapes and torch.equal(other_y, y) and torch.equal(other_loss, loss)
        assert not same, f"{name} is dead"


def check_equals_the_plain_loop(cls):
    naive = next(NAIVE[base] for base in cls.__mro__ if base in NAIVE)
    model, batch = stirred(cls).double(), asked().batch()
    model.mu.copy_(train()["label"].double().mean())
    pairs = list(zip(batch["user"].tolist(), batch["item"].tolist(), strict=True))
    y, cost = (
        torch.tensor(c, dtype=torch.float64) for c in zip(*(naive(model, train(), u, i) for u, i in pairs), strict=True)
    )
    torch.testing.assert_close(model(batch), y)
    torch.testing.assert_close(model.loss(batch), ((y - batch["label"]).square() + cost).mean())


def check_gradient_equals_differences(cls):
    model, batch = stirred(cls).double(), asked().rows(torch.tensor([0, 1, 17, 20])).batch()
    names, values = zip(*((n, p.detach().requires_grad_()) for n, p in model.named_parameters()), strict=True)

    def forward(*weights):
        return torch.func.functional_call(model, dict(zip(names, weights, strict=True)), (batch,))

    assert torch.autograd.gradcheck(forward, values, fast_mode=True)


def check_parameter_count(cls):
    base = next(b for b in cls.__mro__ if b in NAIVE)
    got = sum(p.numel() for p in build(cls, dim=6).parameters())
    expected = parameter_count(base, USERS, ITEMS, 6)
    assert got == expected, f"{got} parameters; the formula has {expected}"


def check_refuses_no_ratings_and_other_fields(cls):
    with pytest.raises(ValueError, match="no ratings"):
        cls(train().rows(torch.arange(0)))
    other = Table(Schema((Sparse("user", 5), Sparse("film", 5))), {n: torch.tensor([2]) for n in ("user", "film")} | {"label": torch.ones(1)})  # fmt: skip
    with pytest.raises(ValueError, match="'item'"):
        cls(other)


def check_recovers_a_planted_matrix(cls):
    """Rank 2 and noise of 0.3: on test ratings the error comes near the noise, far below what biases alone leave (0.8)."""
    world = low_rank(0, users=120, items=80, rank=2, per_user=40, noise=0.3)
    recipe = RECIPES[next(base for base in cls.__mro__ if base in RECIPES)]
    torch.manual_seed(0)
    model = cls(world.train, dim=4, **given(cls, recipe["settings"]))
    fit(
        model,
        world.train,
        optimizers=[recipe["optimizer"](model.parameters(), lr=recipe["lr"])],
        validate=lambda m: -(m.predict(world.valid) - world.valid["label"]).square().mean().item(),
        epochs=recipe["epochs"],
        patience=recipe["patience"],
        batch_size=recipe["batch_size"],
        progress=False,
    )
    error = (model.predict(world.test) - world.test["label"]).square().mean().sqrt().item()
    assert error < recipe["within"] * world.noise, f"root mean squared error {error:.3f}; the noise is {world.noise}"


CHECKS: dict[str, Callable[[type[RatingModel]], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
