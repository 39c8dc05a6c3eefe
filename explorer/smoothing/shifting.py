"""The same map around another point, so that a smoothed classifier can be asked there."""

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.sets import Perturbations


class Shift(nn.Module):
    """δ -> δ + its own point."""

    def __init__(self, point: Float[Tensor, "batch ..."]):
        super().__init__()
        self.register_buffer("point", point, persistent=False)

    def forward(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        return self.point + delta

    def of_rows(self, rows: Int[Tensor, "pairs"]) -> "Shift":
        return Shift(self.point[rows])


def shifted(perturbations: Perturbations, point: Float[Tensor, "batch ..."]) -> Perturbations:
    """What was at `point` is now at 0; the region stays where it was around 0."""
    map_: Callable[[Tensor], Tensor] = perturbations.perturb
    return Perturbations(perturbations.region, nn.Sequential(Shift(point), *(map_ if isinstance(map_, nn.Sequential) else [map_])))
