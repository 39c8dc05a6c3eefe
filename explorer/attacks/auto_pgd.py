"""Projected gradient ascent that finds its own step size (AutoPGD: Croce & Hein, 2020), over any perturbation set."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.sets import Perturbations
from explorer.sets.regions import as_column
from explorer.types import Progress, Silent, stop_if_cancelled

from .projected_gradient import AttackResult, loss_and_gradient, start_of

FIRST_STEP = 2.0  # of the region's radius (§3.2)
MOMENTUM = 0.75  # α: the share of the new step (eq. 1)
RISING = 0.75  # ρ: the share of steps since the last checkpoint that has to go up


def checkpoints(steps: int) -> list[int]:
    """After which steps the step size is looked at: at the shares 0.22, 0.41, 0.57, … of them, never closer than 0.06 (§3.3)."""
    hundredths = [0, 22]
    while hundredths[-1] < 100:
        hundredths.append(hundredths[-1] + max(hundredths[-1] - hundredths[-2] - 3, 6))
    return sorted({-(-share * steps // 100) for share in hundredths[1:] if share <= 100})


def auto_pgd(
    perturbations: Perturbations,
    objective: Callable[[Tensor], Tensor],
    *,
    steps: int = 100,
    restarts: int = 1,
    start: str | Tensor = "uniform",
    streams: Streams,
    progress: Progress | None = None,
    observe: Callable[[Tensor, Tensor], None] | None = None,
) -> AttackResult:
    """The best of all iterates of AutoPGD on a per-example objective, which it maximises (Croce & Hein, 2020, Algorithm 1).

    Steps are multiples of the region's own steepest ascent, so that one size fits boxes, balls and latents; after the checkpoints an
    example that has stopped rising goes back to its best point with half of it. `start` and `observe` are as in `pgd`. Costs steps + 1 gradients for each restart.
    Raises InvalidInput for impossible arguments, Cancelled where the progress asks for it."""
    if steps < 1 or restarts < 1:
        raise InvalidInput(f"steps and restarts must be at least 1, got {steps} and {restarts}.")
    if restarts > 1 and (isinstance(start, Tensor) or start == "zero"):
        raise InvalidInput(f"{restarts} restarts from the same start find the same point. Use restarts=1 or a random start.")
    progress, best = progress or Silent(), None
    for restart in range(restarts):
        delta = start_of(perturbations.region, start, streams.restarted(streams.restart + restart))
        found = _ascend(perturbations, objective, delta, steps, progress, observe, restart * steps, restarts * steps)
        if best is None:
            best = found
            continue
        won = found[1] > best[1]
        best = torch.where(as_column(won, best[0]), found[0], best[0]), torch.where(won, found[1], best[1])
    with torch.no_grad():
        return AttackResult(best[0], perturbations.perturb(best[0]), best[1])


@dataclass
class _Best:
    """The best point so far of each example, with its loss and the gradient there."""

    delta: Float[Tensor, "batch ..."]
    loss: Float[Tensor, "batch"]
    gradient: Float[Tensor, "batch ..."]

    def update(self, delta: Tensor, loss: Tensor, gradient: Tensor) -> None:
        won = loss > self.loss
        column = as_column(won, delta)
        self.delta, self.gradient = torch.where(column, delta, self.delta), torch.where(column, gradient, self.gradient)
        self.loss = torch.where(won, loss, self.loss)


def _ascend(perturbations, objective, delta, steps, progress, observe, done, total) -> tuple[Tensor, Tensor]:
    region = perturbations.region

    def value(delta: Tensor) -> tuple[Tensor, Tensor]:
        loss, gradient = loss_and_gradient(perturbations.perturb, objective, delta)
        if observe:
            observe(delta, loss)
        return torch.where(loss.isfinite(), loss, -torch.inf), gradient

    loss, gradient = value(delta)
    best, before, size = _Best(delta, loss, gradient), delta, torch.full_like(loss, FIRST_STEP)
    watch, marks = _Watch(loss), set(checkpoints(steps))
    for step in range(1, steps + 1):
        stop_if_cancelled(progress)
        ahead = region.project(delta + as_column(size, delta) * region.ascent_direction(gradient))
        if step > 1:
            ahead = region.project(delta + MOMENTUM * (ahead - delta) + (1 - MOMENTUM) * (delta - before))
        before, delta = delta, ahead
        loss, gradient = value(delta)
        best.update(delta, loss, gradient)
        watch.see(loss)
        if step in marks:
            stuck = watch.stuck(best.loss)
            size = torch.where(stuck, size / 2, size)
            column = as_column(stuck, delta)
            delta, before = torch.where(column, best.delta, delta), torch.where(column, best.delta, before)
            gradient = torch.where(column, best.gradient, gradient)
            watch.last = torch.where(stuck, best.loss, watch.last)
        progress.advance(done + step, total)
    return best.delta, best.loss


class _Watch:
    """Which examples have stopped rising since the last checkpoint (§3.3, conditions 1 and 2)."""

    def __init__(self, loss: Float[Tensor, "batch"]):
        self.last, self.best_at_mark = loss, loss
        self.rises, self.seen = torch.zeros_like(loss), 0
        self.halved = torch.zeros_like(loss, dtype=torch.bool)

    def see(self, loss: Float[Tensor, "batch"]) -> None:
        self.rises = self.rises + (loss > self.last)
        self.last, self.seen = loss, self.seen + 1

    def stuck(self, best: Float[Tensor, "batch"]) -> Bool[Tensor, "batch"]:
        """And begin anew."""
        found = (self.rises < RISING * self.seen) | (~self.halved & (best <= self.best_at_mark))
        self.halved, self.best_at_mark = found, best
        self.rises, self.seen = torch.zeros_like(self.rises), 0
        return found


def difference_of_logits_ratio(classifier: Callable[[Tensor], Tensor], labels: Int[Tensor, "batch"]) -> Callable[[Tensor], Tensor]:
    """−(z_y − max of the others)/(z_π1 − z_π3), which neither a shift nor a scale of the logits changes (Croce & Hein, 2020, eq. 6). Above 0
    where the class is another. Needs three classes."""

    def objective(perturbed: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        logits = classifier(perturbed)
        if logits.shape[1] < 3:
            raise InvalidInput(f"the difference of logits ratio needs at least three classes, got {logits.shape[1]}. Use the margin or the cross-entropy.")
        ordered = logits.sort(1, descending=True).values
        own = logits.gather(1, labels[:, None]).squeeze(1)
        other = torch.where(own == ordered[:, 0], ordered[:, 1], ordered[:, 0])
        return -(own - other) / (ordered[:, 0] - ordered[:, 2] + 1e-12)

    return objective
