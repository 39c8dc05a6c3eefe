"""The classic baseline: x + δ with an ℓ∞, ℓ2 or ℓ1 bound on δ."""

import math
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.errors import InvalidInput

from .base import Perturbations
from .checks import check_images, check_radius
from .regions import Box, Clipped, L1Ball, L2Ball


@dataclass(frozen=True)
class LpBall:
    """All x + δ in [0, 1] with ‖δ‖ₚ ≤ radius, in units of pixel intensity. `norm` is 1, 2 or math.inf."""

    norm: int | float
    radius: int | float

    def __post_init__(self):
        if self.norm not in (1, 2, math.inf):
            raise InvalidInput(f"norm must be the number 1, 2 or math.inf, got {self.norm!r}.")
        check_radius(self.radius)

    def at(self, x: Float[Tensor, "batch channels height width"], labels: Tensor | None = None) -> Perturbations:
        """Raises InvalidInput unless x lies in [0, 1]."""
        check_images(x)
        x = x.detach()
        if self.norm == math.inf:
            ball = Box(x.new_tensor(self.radius).expand_as(x))
        else:
            ball = {1: L1Ball, 2: L2Ball}[self.norm](x.new_full((len(x),), self.radius), tuple(x.shape[1:]))
        return Perturbations(Clipped(ball, -x, 1 - x), Shift(x))


class Shift(nn.Module):
    """δ -> x + δ."""

    def __init__(self, x: Float[Tensor, "batch ..."]):
        super().__init__()
        self.register_buffer("x", x, persistent=False)

    def forward(self, delta: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        return self.x + delta

    def of_rows(self, rows: Int[Tensor, "pairs"]) -> "Shift":
        return Shift(self.x[rows])
