"""The one gradient loop. Its only contract with a model is ``model.loss(batch) -> scalar``."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from rec_lib.data.table import Table
from rec_lib.schema import Batch


class Learner(Protocol):
    """What ``fit`` needs: a ``torch.nn.Module`` with a method ``loss(batch) -> scalar``."""

    def loss(self, batch: Batch) -> Tensor: ...
    def train(self, mode: bool = True) -> Any: ...
    def eval(self) -> Any: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any]) -> Any: ...
    def named_parameters(self) -> Iterator[tuple[str, nn.Parameter]]: ...


L = TypeVar("L", bound=Learner)


class TrainingDiverged(ArithmeticError):
    """The loss, a weight or the validation value became NaN or infinite. The model holds its best weights so far."""


@dataclass
class History:
    """What happened in training, one entry an epoch."""

    loss: list[float] = field(default_factory=list)  # mean training loss
    valid: list[float] = field(default_factory=list)  # validation value, higher is better; empty without validation
    seconds: list[float] = field(default_factory=list)  # wall clock of the epoch, validation included
    best_epoch: int = 0  # counted from 1; the epoch whose weights the model now has
    stopped: str = "epochs"  # "epochs" (all done), "patience" (no more progress) or "interrupted" (by the learner)

    def __repr__(self) -> str:
        best = f", best {self.valid[self.best_epoch - 1]:.4f}" if self.valid else ""
        return f"History({len(self.loss)} epochs, stopped by {self.stopped}, weights of epoch {self.best_epoch}{best})"


def fit(
    model: L,
    train: Table,
    *,
    optimizers: Iterable[torch.optim.Optimizer],
    epochs: int = 20,
    batch_size: int = 1024,
    validate: Callable[[L], float] | None = None,
    patience: int = 3,
    seed: int = 0,
    progress: bool = True,
) -> History:
    """Minimise ``model.loss`` over the rows of a table, shuffled anew each epoch.

    Args:
        model: any module with ``loss(batch) -> scalar``.
        train: the rows.
        optimizers: all of them step after each batch (Wide & Deep has two).
        epochs: at most so many passes.
        batch_size: rows a step.
        validate: ``model -> float``, higher is better, called after each epoch. The best epoch's weights are restored at
            the end; without it, the last whole epoch counts as the best.
        patience: stop after so many epochs without a new best.
        seed: of the shuffling.
        progress: show a progress bar.

    Returns:
        the :class:`History`. An interrupt (the stop button) ends training early. Whatever ends it, an error too, the model
        then has its best weights so far: those that it started with before the first epoch is done.

    Raises:
        ValueError: no rows, or sizes below 1.
        TypeError: a loss that is not a scalar.
        TrainingDiverged: the loss, a weight at the end of an epoch, or the validation value is NaN or infinite.
    """
    optimizers = list(optimizers)
    if len(train) == 0 or min(epochs, batch_size, patience) < 1 or not optimizers:
        raise ValueError(
            f"got {len(train)} rows, epochs={epochs}, batch_size={batch_size}, patience={patience}, "
            f"{len(optimizers)} optimizers; each must be at least 1."
        )
    generator = torch.Generator().manual_seed(seed)
    history = History()
    best = _weights(model)
    bar = tqdm(total=epochs, desc=type(model).__name__, unit="epoch", disable=not progress)
    try:
        for epoch in range(1, epochs + 1):
            start = time.perf_counter()
            model.train()
            total = 0.0
            for i, batch in enumerate(train.batches(batch_size, generator)):
                for optimizer in optimizers:
                    optimizer.zero_grad(set_to_none=True)
                loss = model.loss(batch)
                value = _number(loss, model)
                if not math.isfinite(value):
                    raise _diverged(f"loss is {value} in epoch {epoch}, batch {i} (counted from 0)", model)
                loss.backward()
                for optimizer in optimizers:
                    optimizer.step()
                total += value * len(batch["label"])
            if _broken(model):  # by the last step, or in rows of a table that no later batch read
                raise _diverged(f"the loss was finite to the end of epoch {epoch}", model)
            history.loss.append(total / len(train))
            if validate is not None:
                history.valid.append(float(validate(model)))
                if not math.isfinite(history.valid[-1]):
                    raise _diverged(f"validation gave {history.valid[-1]} after epoch {epoch}", model)
            history.seconds.append(time.perf_counter() - start)
            bar.update()
            bar.set_postfix(
                {"loss": f"{history.loss[-1]:.4f}"} | ({"valid": f"{history.valid[-1]:.4f}"} if validate else {})
            )
            if validate is None or history.valid[-1] > max(history.valid[:-1], default=-float("inf")):
                history.best_epoch = epoch
                best = _weights(model)
            elif epoch - history.best_epoch >= patience:
                history.stopped = "patience"
                bar.total = epoch  # the work is done: a bar that stays short looks like a failure
                bar.refresh()
                break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    finally:
        bar.close()
        model.load_state_dict(best)
        model.eval()
    return history


def _weights(model: Learner) -> dict[str, Tensor]:
    return copy.deepcopy(model.state_dict())


def _number(loss: Tensor, model: Learner) -> float:
    if not isinstance(loss, Tensor) or loss.dim() != 0:
        got = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        raise TypeError(
            f"{type(model).__name__}.loss(batch) returned {got}; expected a scalar tensor, the mean over rows."
        )
    return loss.item()


def _broken(model: Learner) -> str:
    """The name of the first weight that is not finite; empty if all are."""
    return next((name for name, p in model.named_parameters() if not torch.isfinite(p).all()), "")


def _diverged(what: str, model: Learner) -> TrainingDiverged:
    """An error that says what broke, and why."""
    why = (
        f"the weights {name!r} are not finite any more: an earlier step was too large. Lower the learning rate"
        if (name := _broken(model))
        else "the weights are finite, so what is computed from them overflows or divides by zero. Check it (a metric may "
        "have no rows to judge), or lower the learning rate"
    )
    return TrainingDiverged(f"{what}: {why}. The best weights so far are restored.")
