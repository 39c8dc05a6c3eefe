"""The one training loop."""

import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.types import Progress, Silent, stop_if_cancelled

from . import distributed
from .arithmetic import PLAIN, Arithmetic
from .losses import Loss, State
from .weight_ascent import WeightAscent

Prepare = Callable[[nn.Module, tuple[Tensor, ...], State], tuple[Tensor, ...]]

@dataclass(frozen=True)
class Epoch:
    """What is known after an epoch: how many are done, the mean training loss, and what `validate` measured."""

    done: int
    loss: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Samples:
    """What a training hands to `Progress.partial` after an epoch, to be looked at: a clean image and samples of what is learned."""

    epoch: int
    images: Float[Tensor, "n channels height width"]


def fit(
    model: nn.Module,
    loss: Loss,
    batches: Callable[[torch.Generator], Iterable[tuple[Tensor, ...]]],
    *,
    epochs: int,
    batches_per_epoch: int,
    optimiser: torch.optim.Optimizer,
    schedules: Mapping[str, Callable[[float], float]],
    generator: torch.Generator,
    validate: Callable[[float], Mapping[str, float]],
    after_epoch: Callable[[Epoch], None],
    start: int = 0,
    clip_norm: float | None = None,
    prepare: Prepare | None = None,
    ascent: WeightAscent | None = None,
    arithmetic: Arithmetic = PLAIN,
    progress: Progress | None = None,
) -> None:
    """Minimise the mean loss of each batch, which `prepare` has made ready for it; with `ascent` the gradient is that at worse weights. `batches(generator)` yields one epoch; the schedule named `learning_rate` is given to the
    optimiser at every batch, at the fractional epoch; a gradient longer than `clip_norm` is shortened to it. `after_epoch` saves;
    a run started again at `start` with the saved weights, optimiser and generator goes on as if never stopped. Of several processes
    each takes its rows of every batch; all have the same weights, and the first alone validates and saves. Raises Cancelled, or
    ExplorerError when the loss is not finite."""
    progress, team = progress or Silent(), distributed.current()
    together = distributed.Together(team, model) if team.processes > 1 else None
    progress.advance(start * batches_per_epoch, epochs * batches_per_epoch)
    for epoch in range(start, epochs):
        model.train()
        total = None
        for index, batch in enumerate(batches(generator)):
            if together is None:
                stop_if_cancelled(progress)
            position = epoch + index / batches_per_epoch
            values = {name: schedule(position) for name, schedule in schedules.items()}
            for group in optimiser.param_groups:
                group["lr"] = values["learning_rate"]
            rows = team.rows(len(batch[0])) if together else None
            state = State(position, values, generator, rows)
            own = arithmetic.ready(batch if rows is None else tuple(rows.of(each) for each in batch))

            def objective() -> Tensor:
                mean = loss(model, ready, state).mean()
                return mean if rows is None else rows.weight * mean

            with distributed.as_one(model, rows), arithmetic.within(model):
                ready = own if prepare is None else prepare(model, own, state)
                with nullcontext() if ascent is None else ascent.worse(model, objective, *([together.all_summed] if together else [])):
                    mean = objective()
                    optimiser.zero_grad(set_to_none=True)
                    mean.backward()
            mean = mean.detach() if together is None else together.gradients(mean, progress.cancelled)
            if clip_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
            optimiser.step()
            total = mean if total is None else total + mean
            progress.advance(epoch * batches_per_epoch + index + 1, epochs * batches_per_epoch)
        average = float(total) / batches_per_epoch
        if not math.isfinite(average):
            raise ExplorerError(f"the training loss became {average} in epoch {epoch + 1}. Lower the learning rate.")
        model.eval()
        if not team.first:
            continue
        metrics = dict(validate(epoch + 1))
        after_epoch(Epoch(epoch + 1, average, metrics))
        shown = " ".join(f"{name} {value:.3f}" for name, value in metrics.items())
        progress.advance((epoch + 1) * batches_per_epoch, epochs * batches_per_epoch, f"epoch {epoch + 1}: loss {average:.2f} {shown}")
