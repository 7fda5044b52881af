"""What every click model promises: one list of checks, each a function of the model's class.

The contract tests run each check on each class of the catalogue; the mutant tests run them on broken ones.
"""

import inspect
import io
from collections.abc import Callable

import torch
from oracles.ctr_naive import NAIVE, parameter_count
from torch import Tensor

from rec_lib.data.table import Table
from rec_lib.models import CTRModel
from rec_lib.schema import PAD, Bag, Dense, Schema, Sequence, Sparse

# One other value for each constructor argument. A model with a new argument has to add it here.
OTHER = {
    "dim": 5,
    "hidden": (7, 6),
    "dropout": 0.5,
    "init_sd": 0.5,
    "batch_norm": False,
    "buckets": 32,
    "m": 3,
    "trees": 7,
    "leaves": 4,
    "raw": False,
    "attention": 7,
    "interaction": "paper",
    "softmax": True,
    "dice": False,
    "mba": 0.5,
    "evolution": "agru",
    "auxiliary": 0.5,
    "crosses": (("user", "genres"), ("item", "history")),
    "cross_layers": 3,
}


def schema(maxlen: int = 4) -> Schema:
    return Schema(
        (
            Sparse("user", 11),
            Dense("age"),
            Sparse("item", 13),
            Bag("genres", 7, maxlen=maxlen),
            Sequence("history", of="item", maxlen=maxlen),
            Dense("hour"),
        )
    )


def table(n: int = 24, seed: int = 0) -> Table:
    """Random samples: short and full bags, row 0 with an empty bag and history, unknown ids among the rest."""
    g = torch.Generator().manual_seed(seed)

    def ids(size: int) -> Tensor:
        return torch.randint(1, size, (n,), generator=g)

    def lists(size: int) -> Tensor:
        x = torch.randint(1, size, (n, 4), generator=g)
        keep = torch.arange(4) < torch.randint(1, 5, (n, 1), generator=g)
        x = torch.where(keep, x, PAD)
        x[0] = PAD
        return x

    columns = {
        "user": ids(11),
        "item": ids(13),
        "genres": lists(7),
        "history": lists(13),
        "negatives": torch.randint(1, 13, (n, 4), generator=g),  # of the history; only DIEN reads them
        "age": torch.randn(n, generator=g),
        "hour": torch.randn(n, generator=g),
        "label": torch.arange(n) % 2.0,
    }
    return Table(Schema((*schema().fields, Sequence("negatives", of="item", maxlen=4))), columns)


def build(cls: type[CTRModel], seed: int = 0, **settings) -> CTRModel:
    """A model; one that grows trees before it is trained has grown them on ``table()``."""
    torch.manual_seed(seed)
    model = cls(settings.pop("schema", None) or schema(), **settings)
    if hasattr(model, "fit_trees"):
        model.fit_trees(table(), min_leaf=2)
    return model


def stirred(cls: type[CTRModel], seed: int = 0) -> CTRModel:
    """A model in eval mode whose weights and running statistics are all away from their initial values."""
    model = build(cls, seed)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.3)
        for name, b in model.named_buffers():
            if "running" in name:
                b.add_(torch.rand_like(b))
    return model.eval()


def check_output_is_one_finite_float32_a_row(cls):
    y = build(cls)(table().batch())
    assert y.shape == (24,), f"got shape {tuple(y.shape)}"
    assert y.dtype == torch.float32
    assert torch.isfinite(y).all()


def check_forward_gives_logits_and_predict_proba_their_sigmoid(cls):
    model = stirred(cls)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(20)
        y = model(table().batch())
    assert ((y < 0) | (y > 1)).any(), "outputs stay within [0, 1]: a sigmoid inside forward?"
    torch.testing.assert_close(model.predict_proba(table()), torch.sigmoid(y))
    torch.testing.assert_close(model.predict_proba(table(), chunk=5), torch.sigmoid(y))


def check_rows_are_independent_in_eval_mode(cls):
    model, batch = stirred(cls), table().batch()
    y = model(batch)
    order = torch.randperm(24, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model({k: v[order] for k, v in batch.items()}), y[order])
    for row in (0, 7):
        one = model({k: v[row : row + 1] for k, v in batch.items()})
        assert one.shape == (1,), f"a batch of one gives shape {tuple(one.shape)}"
        torch.testing.assert_close(one[0], y[row])


def check_padding_changes_nothing(cls):
    model = stirred(cls)
    longer = build(cls, schema=schema(maxlen=9)).eval()
    longer.load_state_dict(model.state_dict())
    batch = table().batch()
    padded = dict(batch)
    padded["history"] = torch.nn.functional.pad(batch["history"], (0, 5))
    padded["genres"] = torch.nn.functional.pad(
        batch["genres"], (5, 0)
    )  # a bag has no order: its padding may stand anywhere
    torch.testing.assert_close(longer(padded), model(batch))
    torch.testing.assert_close(longer.loss(padded), model.loss(batch))


def check_padding_changes_nothing_while_training(cls):
    """Statistics of the batch, as Dice takes them, are those of what is real."""
    model = stirred(cls).train()
    longer = build(cls, schema=schema(maxlen=9)).train()
    longer.load_state_dict(model.state_dict())
    batch = table().batch()
    padded = batch | {n: torch.nn.functional.pad(batch[n], (0, 5)) for n in ("history", "genres")}
    torch.testing.assert_close(longer(padded), model(batch))


def check_empty_history_is_finite_in_value_and_gradient(cls):
    model, batch = build(cls).train(), table().batch()
    empty = {k: torch.zeros_like(v) if k in ("history", "genres") else v for k, v in batch.items()}
    loss = model.loss(empty)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def check_every_parameter_learns_and_padding_does_not(cls):
    model = stirred(cls).train()
    model.loss(table().batch()).backward()
    for name, p in model.named_parameters():
        assert p.grad is not None, f"{name} gets no gradient"
        assert p.grad.abs().sum() > 1e-7, f"{name} gets a gradient of 0"
    for module in model.modules():
        if hasattr(module, "start"):
            assert (module.table.grad.abs().sum(0) > 0).all(), "a column of a table of vectors gets a gradient of 0"
            for field, at in module.start.items():
                assert (module.table.grad[at + PAD] == 0).all(), f"the PAD row of {field!r} gets a gradient"


def check_loss_is_a_mean_over_rows(cls):
    model, batch = stirred(cls), table().batch()
    twice = {k: torch.cat([v, v]) for k, v in batch.items()}
    torch.testing.assert_close(model.loss(twice), model.loss(batch))


def check_overfits_six_rows(cls):
    model, batch = build(cls), table().rows(torch.arange(6)).batch()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        model.loss(batch).backward()
        optimizer.step()
    loss = model.loss(batch).item()
    assert loss < 0.05, f"loss on six rows is still {loss:.3f} after 300 steps"


def check_weights_come_from_the_callers_seed_alone(cls):
    for a, b in zip(build(cls, 3).parameters(), build(cls, 3).parameters(), strict=True):
        assert torch.equal(a, b)
    after = [build(cls, seed) and torch.rand(4) for seed in (1, 2)]
    assert not torch.equal(*after), "the constructor seeds the global generator"


def check_two_models_share_nothing(cls):
    shared = schema()
    a, b = cls(shared), cls(shared)
    pointers = {p.data_ptr() for p in [*a.parameters(), *a.buffers()] if p.numel()}
    assert not pointers & {p.data_ptr() for p in [*b.parameters(), *b.buffers()] if p.numel()}


def check_state_dict_round_trip(cls):
    model, file = stirred(cls), io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other = build(cls, seed=9).eval()
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(table().batch()), model(table().batch()))


def check_double_precision(cls):
    model = stirred(cls)
    single = model(table().batch())
    double = model.double()(table().batch())
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), single, rtol=1e-4, atol=1e-5)


def check_runs_on_another_device(cls):
    """The meta device has no data: whatever was created on the CPU inside forward fails here as it would on a GPU."""
    model = build(cls).to("meta")
    assert model.loss({k: v.to("meta") for k, v in table().batch().items()}).device.type == "meta"


def check_every_option_does_something(cls):
    def outcome(**settings):
        model = build(cls, **settings).train()
        torch.manual_seed(5)
        batch = table().batch()
        return [tuple(p.shape) for p in model.parameters()], model(batch), model.loss(batch)

    shapes, y, loss = outcome()
    for name in inspect.signature(cls.__init__).parameters:
        if name in ("self", "schema"):
            continue
        assert name in OTHER, f"{cls.__name__} has a new option {name!r}: name another value of it in OTHER"
        other_shapes, other_y, other_loss = outcome(**{name: OTHER[name]})
        assert other_shapes != shapes or not torch.equal(other_y, y) or not torch.equal(other_loss, loss), (
            f"{name} is dead"
        )


def check_equals_the_plain_loop(cls):
    naive = next(NAIVE[base] for base in cls.__mro__ if base in NAIVE)
    model, batch = stirred(cls).double(), table().batch()
    expected = torch.tensor([naive(model, batch, row) for row in range(24)], dtype=torch.float64)
    torch.testing.assert_close(model(batch), expected)


def check_gradient_equals_differences(cls):
    model, batch = stirred(cls).double(), table().rows(torch.arange(4)).batch()
    names, values = zip(*((n, p.detach().requires_grad_()) for n, p in model.named_parameters()), strict=True)

    def forward(*weights):
        return torch.func.functional_call(model, dict(zip(names, weights, strict=True)), (batch,))

    assert torch.autograd.gradcheck(forward, values, fast_mode=True)


def check_parameter_count(cls):
    base = next(b for b in cls.__mro__ if b in NAIVE)
    arguments = inspect.signature(cls.__init__).parameters
    settings = {k: v for k, v in {"dim": 6, "hidden": (5, 3)}.items() if k in arguments}
    got = sum(p.numel() for p in build(cls, **settings).parameters())
    expected = parameter_count(base, schema(), 6, (5, 3))
    assert got == expected, f"{got} parameters; the formula has {expected}"


CHECKS: dict[str, Callable[[type[CTRModel]], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
