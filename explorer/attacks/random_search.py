"""A search without gradients, over any perturbation set: random changes that are kept where they raise the objective."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.sets import Perturbations
from explorer.sets.regions import as_column
from explorer.types import Progress, Silent, stop_if_cancelled

from .projected_gradient import AttackResult, start_of

FIRST_SHARE, LAST_SHARE = 0.5, 0.01  # of a point's coordinates that one proposal changes
LONGEST = 2.0  # steps, in radii: across the region


def random_search(
    perturbations: Perturbations,
    objective: Callable[[Tensor], Tensor],
    *,
    steps: int,
    start: str | Tensor = "uniform",
    streams: Streams,
    progress: Progress | None = None,
    observe: Callable[[Tensor, Tensor], None] | None = None,
) -> AttackResult:
    """The best of steps + 1 points. Each proposal adds a step of random length along the region's own extreme point for a random direction
    within a random part of the coordinates: a window of an image as in the Square Attack (Andriushchenko et al., 2020), any coordinates of a
    latent. The part shrinks as the search goes on. Works where gradients vanish or are not there. `start` and errors are those of `pgd`;
    `observe` is shown every proposal."""
    if steps < 0:
        raise InvalidInput(f"steps must be at least 0, got {steps}.")
    progress, region = progress or Silent(), perturbations.region

    @torch.no_grad()
    def value(delta: Tensor) -> Tensor:
        loss = objective(perturbations.perturb(delta))
        if observe:
            observe(delta, loss)
        return torch.where(loss.isfinite(), loss, -torch.inf)

    best = start_of(region, start, streams)
    loss = value(best)
    for step in range(1, steps + 1):
        stop_if_cancelled(progress)
        share = FIRST_SHARE * (LAST_SHARE / FIRST_SHARE) ** (step / steps)
        direction = region.ascent_direction(_directions(region.shape, share, streams).to(best))
        lengths = LONGEST * share ** streams.uniform(()).to(best)
        proposed = region.project(best + as_column(lengths, best) * direction)
        found = value(proposed)
        won = found > loss
        best, loss = torch.where(as_column(won, best), proposed, best), torch.where(won, found, loss)
        progress.advance(step, steps)
    with torch.no_grad():
        return AttackResult(best, perturbations.perturb(best), loss)


def _directions(shape: tuple[int, ...], share: float, streams: Streams) -> Float[Tensor, "batch ..."]:
    """Random directions within a window of an image, the same for all pixels of a channel; or along a random part of other coordinates."""
    if len(shape) != 3:
        chosen = streams.uniform(shape) < max(share, 1 / math.prod(shape))
        return streams.normal(shape) * chosen
    channels, height, width = shape
    edges = [max(1, round(math.sqrt(share) * edge)) for edge in (height, width)]
    corners = streams.uniform((2,))
    inside = []
    for number, (edge, whole) in enumerate(zip(edges, (height, width))):
        first = (corners[:, number] * (whole - edge + 1)).long().clamp(max=whole - edge)
        places = torch.arange(whole)
        inside.append((places >= first[:, None]) & (places < first[:, None] + edge))
    window = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return streams.normal((channels, 1, 1)) * window
