"""How large a box around one image can be certified: uniform, by the generator's budgets, and by Liu et al. (2019) (Budgets, §2.2)."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.evaluation import CertifiedVolume, largest_certified_radius, largest_certified_volume
from explorer.types import Inner, Progress, Silent, stop_if_cancelled

from .exploration import SMALLEST, Explored, Settings, Surroundings, budgets_of, examined

HALVINGS = 14


@dataclass(frozen=True, eq=False)
class LargestBoxes:
    """All *certified* by the method of the settings, and each the largest that its search found: the radius of a uniform box, the volume of
    learned budgets in the range that was asked for, None without a generator, and the budgets of Liu et al. with their volume. Each is 0
    where nothing is certified."""

    uniform: float
    learned: float | None
    optimum: CertifiedVolume
    explored: Explored | None


def largest_boxes(around: Surroundings, settings: Settings, progress: Progress | None = None) -> LargestBoxes:
    """Seconds for a DM-small. Liu's optimum starts from the larger of the other two. Raises Cancelled."""
    progress = progress or Silent()
    label = torch.tensor([around.label], device=around.image.device)
    uniform = float(largest_certified_radius(around.graph, around.image, label, method=settings.method, progress=Inner(progress)))
    learned, start = (None, None) if around.shares is None else _largest_learned(around, settings, progress)
    found = largest_certified_volume(around.graph, around.image, label, method=settings.method, warm_start=start, progress=progress)
    explored = examined(around, found.budgets, settings.method)[0] if bool(found.certified) else None
    return LargestBoxes(uniform, learned, found, explored)


def _largest_learned(around: Surroundings, settings: Settings, progress: Progress) -> tuple[float, Float[Tensor, "1 c h w"] | None]:
    """The largest ε0 that bisection of its logarithm finds certified with the generator's budgets, and these."""

    def certified(log_volume: float) -> Tensor | None:
        stop_if_cancelled(progress)
        budgets = budgets_of(around, "learned", replace(settings, volume=math.exp(log_volume)))
        return budgets if examined(around, budgets, settings.method)[0].verdict == "certified" else None

    low, high = math.log(SMALLEST), 0.0
    best = certified(low)
    if best is None:
        return 0.0, None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        found = certified(middle)
        low, high, best = (low, middle, best) if found is None else (middle, high, found)
    return math.exp(low), best
