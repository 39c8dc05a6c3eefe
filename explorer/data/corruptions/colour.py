"""Changes of contrast, brightness and saturation."""

import torch
from jaxtyping import Float
from torch import Tensor

from .draws import Draws


def contrast(x: Float[Tensor, "batch c h w"], factor: float, draws: Draws) -> Float[Tensor, "batch c h w"]:
    """About the mean of each channel."""
    mean = x.mean((2, 3), keepdim=True)
    return (x - mean) * factor + mean


def brightness(x: Float[Tensor, "batch c h w"], added: float, draws: Draws) -> Float[Tensor, "batch c h w"]:
    """Added to the value of HSV, the largest channel; hue and saturation stay."""
    value = x.amax(1, keepdim=True)
    after = (value + added).clamp(0, 1)
    return torch.where(value > 0, x * after / value.clamp(min=1e-12), after)


def saturate(x: Float[Tensor, "batch 3 h w"], constants: tuple[float, float], draws: Draws) -> Float[Tensor, "batch 3 h w"]:
    """Saturation of HSV times the first constant plus the second. Grey has the hue of red, as in the published code."""
    factor, added = constants
    value, low = x.amax(1, keepdim=True), x.amin(1, keepdim=True)
    spread = value - low
    after = (factor * spread / value.clamp(min=1e-12) + added).clamp(0, 1)
    distance = torch.where(spread > 0, (value - x) / spread.clamp(min=1e-12), x.new_tensor([0.0, 1.0, 1.0])[:, None, None])
    return value * (1 - after * distance)
