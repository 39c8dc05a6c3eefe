"""The one projected-gradient loop, over any perturbation set (Madry et al., 2018)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.registry import look_up
from explorer.sets import Perturbations, Region
from explorer.sets.regions import as_column, unit
from explorer.types import Progress, Silent, stop_if_cancelled


@dataclass(frozen=True)
class AttackResult:
    """The best point found for each example, the input it stands for, and its loss."""

    delta: Float[Tensor, "batch ..."]
    perturbed: Float[Tensor, "batch ..."]
    loss: Float[Tensor, "batch"]


def region_step(region: Region, gradient: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
    """Steepest ascent in the region's own norm; the step size is a fraction of the region."""
    return region.ascent_direction(gradient)


def sign_step(region: Region, gradient: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
    """The same for each coordinate; the step size is in units of δ (FGSM; AdA, Appendix B)."""
    return gradient.sign_()  # nobody else has it


def gradient_step(region: Region, gradient: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
    """Along the gradient; the step size is a Euclidean length in units of δ."""
    return unit(gradient)


STEPS = {"region": region_step, "sign": sign_step, "gradient": gradient_step}


def pgd(
    perturbations: Perturbations,
    objective: Callable[[Tensor], Tensor],
    *,
    steps: int,
    step_size: int | float,
    step: str = "region",
    maximise: bool = True,
    restarts: int = 1,
    start: str | Tensor = "uniform",
    keep: Literal["best", "last"] = "best",
    streams: Streams,
    progress: Progress | None = None,
    observe: Callable[[Tensor, Tensor], None] | None = None,
) -> AttackResult:
    """The best of all iterates, starts included, of projected gradient ascent (or descent) on a per-example objective.

    `start` is a law that the region samples from, "zero", or a point, which is projected first. A loss that is not finite never
    wins against a finite one. With `keep` "last" only the ends of the restarts count (AdA, Algorithm 1). `observe` is shown every iterate with its loss, in order. Costs steps gradients and one forward pass
    for each restart, and one map to inputs at the end. Raises InvalidInput or UnknownName for impossible arguments, Cancelled
    where the progress asks for it."""
    direction = look_up(STEPS, step, "step rule")
    _check(steps, step_size, restarts, start)
    progress = Silent() if progress is None else progress
    region, perturb = perturbations.region, perturbations.perturb
    signed_size = step_size if maximise else -step_size
    best = None
    for restart in range(restarts):
        delta = start_of(region, start, streams.restarted(streams.restart + restart))
        for done in range(steps):
            stop_if_cancelled(progress)
            loss, gradient = loss_and_gradient(perturb, objective, delta)
            if keep == "best":
                best = _better(best, (delta, loss), maximise)
            if observe:
                observe(delta, loss)
            delta = region.project(torch.add(delta, direction(region, gradient), alpha=signed_size))
            progress.advance(restart * steps + done + 1, restarts * steps)
        stop_if_cancelled(progress)
        with torch.no_grad():
            perturbed = perturb(delta)
            loss = _per_example(objective(perturbed), delta)
            best = _better(best, (delta, loss), maximise)
            if observe:
                observe(delta, loss)
    best_delta, loss = best
    with torch.no_grad():
        return AttackResult(best_delta, perturbed if best_delta is delta else perturb(best_delta), loss)


def fgsm(perturbations: Perturbations, objective: Callable[[Tensor], Tensor], *, streams: Streams) -> AttackResult:
    """One step of `pgd` from δ = 0 to the region's edge: the fast gradient sign method (Goodfellow et al., 2015) where the region is a box,
    its like in other regions; the better of its two ends."""
    return pgd(perturbations, objective, steps=1, step_size=1.0, start="zero", streams=streams)


def _check(steps, step_size, restarts, start):
    if steps < 0:
        raise InvalidInput(f"steps must be at least 0, got {steps}.")
    if not 0 < step_size < math.inf:
        raise InvalidInput(f"step_size must be a finite number above 0, got {step_size}. For descent give maximise=False.")
    if restarts < 1:
        raise InvalidInput(f"restarts must be at least 1, got {restarts}.")
    if restarts > 1 and (isinstance(start, Tensor) or start == "zero"):
        raise InvalidInput(f"{restarts} restarts from the same start find the same point. Use restarts=1 or a random start.")


def start_of(region: Region, start: str | Tensor, streams: Streams) -> Float[Tensor, "batch ..."]:
    """A feasible point: sampled by a law, "zero", or a given one. Raises InvalidInput for another number of streams than examples."""
    if isinstance(start, Tensor):
        delta = region.project(start.detach())
    elif start == "zero":
        delta = torch.zeros_like(region.sample(streams, "uniform"))
    else:
        delta = region.sample(streams, start)
    if len(delta) != len(streams):
        raise InvalidInput(f"expected one random stream for each of {len(delta)} examples, got {len(streams)}.")
    return delta


def loss_and_gradient(
    perturb: Callable[[Tensor], Tensor], objective: Callable[[Tensor], Tensor], delta: Float[Tensor, "batch ..."]
) -> tuple[Float[Tensor, "batch"], Float[Tensor, "batch ..."]]:
    """Each example's objective and its gradient in δ, 0 where that is not finite."""
    with torch.enable_grad():
        delta = delta.detach().requires_grad_()
        loss = _per_example(objective(perturb(delta)), delta)
        (gradient,) = torch.autograd.grad(loss.sum(), delta)  # summed: no example sees another's loss
    if not gradient.sum().isfinite():
        gradient = gradient.nan_to_num(0.0, 0.0, 0.0)  # a coordinate without a finite slope stays where it is
    return loss.detach(), gradient


def _per_example(loss, delta):
    if loss.shape != delta.shape[:1]:
        raise InvalidInput(
            f"the objective must return one loss for each of {len(delta)} examples, got shape {tuple(loss.shape)}. "
            'Use reduction="none".'
        )
    return loss


def _better(best, candidate, maximise):
    """Example by example the better of two (delta, loss)."""
    if best is None:
        return candidate
    (best_delta, best_loss), (delta, loss) = best, candidate
    improves = loss > best_loss if maximise else loss < best_loss
    won = loss.isfinite() & (improves | ~best_loss.isfinite())
    if won.all():
        return candidate
    return torch.where(as_column(won, delta), delta, best_delta), torch.where(won, loss, best_loss)
