"""What every set asks of the radii and images it is given."""

import math

import torch
from torch import Tensor

from explorer.errors import InvalidInput


def check_radius(radius: float, name: str = "radius") -> None:
    """Raises InvalidInput unless the number is finite and at least 0."""
    if isinstance(radius, bool) or not isinstance(radius, (int, float)) or not 0 <= radius < math.inf:
        raise InvalidInput(f"{name} must be a finite number of at least 0, got {radius!r}.")


def check_radii(radii: Tensor, name: str = "radius") -> None:
    """Raises InvalidInput unless all radii of the batch are finite and at least 0."""
    good = torch.isfinite(radii) & (radii >= 0)
    if not good.all():
        raise InvalidInput(f"{name} must be finite and at least 0 everywhere, got {radii[~good][0].item()}.")


def check_images(x: Tensor) -> None:
    """Raises InvalidInput unless x is a floating batch × channels × height × width with all values in [0, 1]."""
    if x.ndim != 4 or not x.is_floating_point():
        raise InvalidInput(
            f"images must be floating point, batch × channels × height × width, got {x.dtype} of shape {tuple(x.shape)}. "
            "Convert bytes with x.float() / 255 and add a batch axis with x[None]."
        )
    if not ((x >= 0) & (x <= 1)).all():
        raise InvalidInput(
            f"images must lie in [0, 1] without NaN, got values from {x.min().item():.3g} to {x.max().item():.3g}. "
            "Scale them to [0, 1], and give normalisation to the classifier as its first layer."
        )
