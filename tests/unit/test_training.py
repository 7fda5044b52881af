"""fit keeps the best weights whatever ends it, and says why when the numbers break."""

import pytest
import torch
from contract.ctr_checks import build, table
from torch import nn

from rec_lib.evaluation import auc_on
from rec_lib.models import FM, LR
from rec_lib.training import TrainingDiverged, fit


def adam(model, lr=0.01):
    return [torch.optim.Adam(model.parameters(), lr=lr)]


def test_loss_falls_and_history_tells():
    model = build(FM)
    history = fit(model, table(), optimizers=adam(model, 0.05), epochs=5, batch_size=8, progress=False)
    assert history.loss[-1] < history.loss[0]
    assert len(history.loss) == len(history.seconds) == history.best_epoch == 5
    assert history.stopped == "epochs"
    assert "5 epochs" in repr(history)
    assert not model.training


def test_best_weights_are_restored_and_patience_counts_epochs_without_progress():
    values = iter([0.5, 0.7, 0.6, 0.7, 0.6, 0.9])
    kept = []

    def validate(model):
        kept.append({k: v.clone() for k, v in model.state_dict().items()})
        return next(values)

    model = build(FM)
    history = fit(model, table(), optimizers=adam(model), epochs=9, validate=validate, patience=3, progress=False)
    assert (history.best_epoch, history.stopped, len(history.loss)) == (2, "patience", 5)
    assert all(torch.equal(model.state_dict()[k], v) for k, v in kept[1].items())


def test_the_bar_is_full_when_patience_ends_training(capsys):
    values = iter([0.7, 0.6, 0.5])
    model = build(FM)
    fit(model, table(), optimizers=adam(model), epochs=9, validate=lambda _: next(values), patience=2)
    assert "3/3" in capsys.readouterr().err


@pytest.mark.parametrize("with_validation", [True, False])
def test_an_interrupt_keeps_the_best_so_far(with_validation):
    model, snapshots = build(FM), []

    class Interrupted(torch.optim.Adam):
        steps = 0

        def step(self, closure=None):
            super().step(closure)
            self.steps += 1
            if self.steps % 3 == 0:  # three batches an epoch
                snapshots.append({k: v.clone() for k, v in model.state_dict().items()})
            if self.steps == 8:
                raise KeyboardInterrupt

    history = fit(
        model,
        table(),
        optimizers=[Interrupted(model.parameters(), lr=0.01)],
        batch_size=8,
        validate=auc_on(table()) if with_validation else None,
        progress=False,
    )
    assert history.stopped == "interrupted"
    assert history.best_epoch in ((1, 2) if with_validation else (2,))
    best = snapshots[history.best_epoch - 1]
    assert all(torch.equal(model.state_dict()[k], v) for k, v in best.items())


def test_a_step_that_is_too_large_is_named_and_the_best_weights_return():
    model = build(LR)

    class Explodes(torch.optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            if explode:
                for group in self.param_groups:
                    for p in group["params"]:
                        p.data.fill_(float("nan"))

    explode = False
    optimizer = Explodes(model.parameters(), lr=0.1)
    fit(model, table(), optimizers=[optimizer], epochs=1, progress=False)
    good = {k: v.clone() for k, v in model.state_dict().items()}
    explode = True
    with pytest.raises(TrainingDiverged, match=r"epoch 1, batch 1.*'linear.*Lower the learning rate"):
        fit(model, table(), optimizers=[optimizer], batch_size=8, progress=False)
    assert all(torch.equal(model.state_dict()[k], v) for k, v in good.items())


def test_a_forward_pass_that_breaks_by_itself_is_told_apart():
    class Overflows(LR):
        def loss(self, batch):
            return super().loss(batch) * float("inf")

    model = build(Overflows)
    with pytest.raises(TrainingDiverged, match=r"loss is inf in epoch 1, batch 0.*the weights are finite"):
        fit(model, table(), optimizers=adam(model), progress=False)


def test_weights_that_break_behind_a_finite_loss_are_named():
    """The last step of an epoch breaks a row that no later batch reads, so no loss tells of it."""
    model = build(LR)

    class BreaksTheLastRow(torch.optim.SGD):
        steps = 0

        def step(self, closure=None):
            super().step(closure)
            self.steps += 1
            if self.steps == 6:  # three batches an epoch: the end of the second
                good.update({k: v.clone() for k, v in model.state_dict().items()})
                model.linear.w.table.data[-1] = float("inf")

    good = {}
    optimizers = [BreaksTheLastRow(model.parameters(), lr=0.0)]
    with pytest.raises(TrainingDiverged, match=r"finite to the end of epoch 2: the weights 'linear.*learning rate"):
        fit(model, table(), optimizers=optimizers, epochs=2, batch_size=8, progress=False)
    assert all(torch.equal(model.state_dict()[k], v) for k, v in good.items())


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_validation_value_that_is_no_number_ends_training_with_the_best_weights(bad):
    values = iter([0.5, bad])
    kept = []

    def validate(model):
        kept.append({k: v.clone() for k, v in model.state_dict().items()})
        return next(values)

    model = build(FM)
    with pytest.raises(TrainingDiverged, match=rf"validation gave {bad} after epoch 2: the weights are finite"):
        fit(model, table(), optimizers=adam(model), epochs=3, validate=validate, progress=False)
    assert all(torch.equal(model.state_dict()[k], v) for k, v in kept[0].items())


def test_an_error_inside_validation_leaves_the_best_weights_too():
    calls, kept = [], {}

    def validate(model):
        calls.append(model)
        kept.update({k: v.clone() for k, v in model.state_dict().items()} if len(calls) == 1 else {})
        return 1 / (2 - len(calls))

    model = build(FM)
    with pytest.raises(ZeroDivisionError):
        fit(model, table(), optimizers=adam(model), epochs=3, validate=validate, progress=False)
    assert all(torch.equal(model.state_dict()[k], v) for k, v in kept.items())


def test_a_loss_that_is_no_scalar_is_refused():
    class PerRow(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(()))

        def loss(self, batch):
            return self.w * batch["age"]

    model = PerRow()
    with pytest.raises(TypeError, match=r"shape \(24,\); expected a scalar"):
        fit(model, table(), optimizers=adam(model), progress=False)


def test_every_optimizer_steps():
    model = build(FM)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    wide, deep = torch.optim.SGD(model.linear.parameters(), lr=1.0), torch.optim.Adagrad(model.emb.parameters(), lr=0.1)
    fit(model, table(), optimizers=[wide, deep], epochs=1, progress=False)
    assert not torch.equal(before["linear.w.table"], model.state_dict()["linear.w.table"])
    assert not torch.equal(before["emb.table"], model.state_dict()["emb.table"])


def test_same_seed_same_weights_other_seed_other_weights():
    def trained(seed):
        model = build(FM)
        fit(model, table(), optimizers=adam(model), epochs=2, batch_size=8, seed=seed, progress=False)
        return model.emb.table.detach()

    assert torch.equal(trained(1), trained(1))
    assert not torch.equal(trained(1), trained(2))


@pytest.mark.parametrize("bad", [{"epochs": 0}, {"batch_size": 0}, {"patience": 0}, {"optimizers": []}])
def test_bad_arguments(bad):
    model = build(LR)
    with pytest.raises(ValueError, match="at least 1"):
        fit(model, table(), **({"optimizers": adam(model), "progress": False} | bad))
    with pytest.raises(ValueError, match="0 rows"):
        fit(model, table().rows(torch.arange(0)), optimizers=adam(model), progress=False)
