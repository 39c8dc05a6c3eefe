"""AdA's guard against images that are lost: back towards the clean image until the SSIM distance allows it (AdA, Appendix F)."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from explorer.errors import InvalidInput

from .structural_similarity import Segment, ssim

GAMMAS, BISECTIONS = 9, 24
ROUNDING = 2e-6  # of an SSIM in float32, which may differ a little from batch to batch


@dataclass(frozen=True, eq=False)
class LineSearch:
    """`perturbed` is (1 − gamma)·x + gamma·x̂, at SSIM distance `distance` = 1 − SSIM from x; `curve` is the distance at so many equally
    spaced gammas from 0 to 1; `bisected` says where the quadratic fit had no root or left the distance too large."""

    perturbed: Float[Tensor, "batch channels height width"]
    gamma: Float[Tensor, "batch"]
    distance: Float[Tensor, "batch"]
    curve: Float[Tensor, "batch gammas"]
    bisected: Bool[Tensor, "batch"]


@torch.no_grad()
def similarity_line_search(
    x: Float[Tensor, "batch channels height width"], corrupted: Float[Tensor, "batch channels height width"], limit: float
) -> LineSearch:
    """The most corrupted image between `x` and `corrupted` at a distance of at most `limit`, by a quadratic fit for each example.

    gamma is 1 where the distance is within the limit already. Else it is the root nearest to 1, clipped to [0, 1], of the parabola through
    9 distances less the limit. The parabola can have no root and can underfit: gamma is bisected then between 0 and the smallest gamma known
    to be too large, so that no distance exceeds the limit. Raises InvalidInput for a limit outside (0, 2)."""
    if not 0 < limit < 2:
        raise InvalidInput(f"the limit of the SSIM distance 1 − SSIM must be within (0, 2), got {limit:g}. AdA takes 0.3 for 32 × 32 pixels and 0.7 for 128 × 128.")
    gammas = torch.linspace(0, 1, GAMMAS, device=x.device)
    segment = Segment.between(x, corrupted)
    curve = torch.stack([1 - segment.ssim(gamma.expand(len(x))) for gamma in gammas], 1)
    inside = curve[:, -1] <= limit
    if inside.all():
        return LineSearch(corrupted, torch.ones_like(curve[:, -1]), curve[:, -1], curve, torch.zeros_like(inside))
    root, found = _root_nearest_1(gammas, curve - limit)
    gamma = torch.where(inside, 1.0, root)
    distance = _distance(x, corrupted, gamma)
    bisected = ~inside & (~found | (distance > limit))
    if bisected.any():
        gamma[bisected] = _bisect(segment.of_rows(bisected), gammas, curve[bisected], limit)
        distance = _distance(x, corrupted, gamma)
    return LineSearch(_between(x, corrupted, gamma), gamma, distance, curve, bisected)


def _between(x: Tensor, corrupted: Tensor, gamma: Float[Tensor, "batch"]) -> Tensor:
    return torch.lerp(x, corrupted, gamma[:, None, None, None])


def _distance(x: Tensor, corrupted: Tensor, gamma: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    return 1 - ssim(x, _between(x, corrupted, gamma))


def _root_nearest_1(gammas: Float[Tensor, "gammas"], values: Float[Tensor, "batch gammas"]) -> tuple[Float[Tensor, "batch"], Bool[Tensor, "batch"]]:
    """Of the parabola of least squares, clipped to [0, 1]; and where it has a real one."""
    powers = torch.stack([torch.ones_like(gammas), gammas, gammas**2], 1).double()
    constant, slope, curvature = (values.double() @ torch.linalg.pinv(powers).mT).unbind(1)
    discriminant = slope**2 - 4 * curvature * constant
    half = -(slope + torch.copysign(discriminant.clamp(min=0).sqrt(), slope)) / 2  # without cancellation: the roots are half/curvature and constant/half
    roots = torch.stack([half / curvature, constant / half], 1)
    usable = roots.isfinite() & (discriminant >= 0)[:, None]
    nearest = torch.where(usable, roots.clamp(0, 1), -1).amax(1)
    return nearest.clamp(min=0).to(values.dtype), usable.any(1)


def _bisect(segment: Segment, gammas: Tensor, curve: Float[Tensor, "batch gammas"], limit: float) -> Float[Tensor, "batch"]:
    """From the largest of the gammas before the first that is too large; the distance at the result is within the limit."""
    first = (curve > limit).int().argmax(1)
    low, high = gammas[first - 1], gammas[first]
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        within = 1 - segment.ssim(middle) <= limit - ROUNDING
        low, high = torch.where(within, middle, low), torch.where(within, high, middle)
    return low
