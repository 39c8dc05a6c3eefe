"""Boxes with another half-width for every pixel: the budgets that a generator gives an image (Budgets, §3.1)."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.metrics import check_budgets

from .base import Perturbations
from .checks import check_images, check_radius
from .lp_ball import Shift
from .regions import Box, Clipped


@runtime_checkable
class Budgeted(Protocol):
    """What knows the budgets of images; a BudgetedClassifier, DrawnBudgets."""

    def budgets(self, x: Tensor, volume: float | None = None, alpha: float | None = None, alpha_bar: float | None = None) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class BudgetBox:
    """All x + δ in [0, 1] with |δᵢ| ≤ εᵢ(x), in units of pixel intensity (Budgets, eq. 2). Volume ε0, α and ᾱ are the model's own where
    they are not given; a volume of 0 is the image alone."""

    model: Budgeted
    volume: int | float | None = None
    alpha: int | float | None = None
    alpha_bar: int | float | None = None

    def __post_init__(self):
        if self.volume is not None:
            check_radius(self.volume, "volume")

    def at(self, x: Float[Tensor, "batch channels height width"], labels: Tensor | None = None) -> Perturbations:
        """Raises InvalidInput unless x lies in [0, 1] and is of the size that the model takes, and for impossible volumes."""
        check_images(x)
        x = x.detach()
        with torch.no_grad():
            budgets = self.model.budgets(x, self.volume, self.alpha, self.alpha_bar)
        return Perturbations(Clipped(Box(budgets), -x, 1 - x), Shift(x))


@dataclass(frozen=True, eq=False)
class DrawnBudgets:
    """Budgets that somebody drew: one image of them for all inputs, or one for each."""

    drawn: Float[Tensor, "_ channels height width"]

    def __post_init__(self):
        check_budgets(self.drawn)

    def budgets(
        self,
        x: Float[Tensor, "batch channels height width"],
        volume: int | float | None = None,
        alpha: int | float | None = None,
        alpha_bar: int | float | None = None,
    ) -> Float[Tensor, "batch channels height width"]:
        """The drawn ones, in the type and on the device of x. Raises InvalidInput for images of another size or number, and where a
        volume or range is asked for."""
        if any(each is not None for each in (volume, alpha, alpha_bar)):
            raise InvalidInput("drawn budgets have the volume and range they were drawn with. Bring them to others with refine_volume first.")
        if self.drawn.shape[1:] != x.shape[1:] or len(self.drawn) not in (1, len(x)):
            raise InvalidInput(f"the budgets were drawn for images of shape {tuple(self.drawn.shape)}, got {tuple(x.shape)}.")
        return self.drawn.to(x).expand_as(x)
