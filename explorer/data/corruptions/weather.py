"""Fog, frost and snow."""

import torch
from jaxtyping import Float
from torch import Tensor

from .blur import moved_along
from .draws import Draws
from .filters import eight_bits, nearest_bytes, zoomed
from .frost_textures import frost_textures

LUMINANCE = (0.299, 0.587, 0.114)


def grey(x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch 1 h w"]:
    """Luminance (ITU-R BT.601)."""
    return x if x.shape[1] == 1 else (x * x.new_tensor(LUMINANCE)[:, None, None]).sum(1, keepdim=True)


def fog(x: Float[Tensor, "batch c h w"], constants: tuple[float, float], draws: Draws) -> Float[Tensor, "batch c h w"]:
    """A fractal of that weight on the image, darkened so that its largest value stays."""
    amount, decay = constants
    size = 1 << (max(x.shape[2:]) - 1).bit_length()
    largest = x.amax((1, 2, 3), keepdim=True)
    return (x + amount * plasma(size, decay, draws)[:, None, : x.shape[2], : x.shape[3]]) * largest / (largest + amount).clamp(min=1e-12)


def plasma(size: int, decay: float, draws: Draws) -> Float[Tensor, "batch size size"]:
    """A periodic fractal in [0, 1] by diamond-square, with noise that shrinks by `decay` from one octave to the next. `size` is a power of 2."""
    field = draws.like.new_zeros(len(draws.like), size, size)
    step, wibble = size, 100.0

    def noisy(total: Tensor) -> Tensor:
        return total / 4 + wibble * draws.uniform(total.shape[1:], -wibble, wibble)

    while step >= 2:
        half = step // 2
        corners = field[:, ::step, ::step]
        square = corners + corners.roll(-1, 1)
        field[:, half::step, half::step] = noisy(square + square.roll(-1, 2))
        middles = field[:, half::step, half::step]
        field[:, ::step, half::step] = noisy(middles + middles.roll(1, 1) + corners + corners.roll(-1, 2))
        field[:, half::step, ::step] = noisy(middles + middles.roll(1, 2) + corners + corners.roll(-1, 1))
        step, wibble = half, wibble / decay
    field = field - field.amin((1, 2), keepdim=True)
    return field / field.amax((1, 2), keepdim=True).clamp(min=1e-12)


def frost(x: Float[Tensor, "batch 3 h w"], constants: tuple[float, float], draws: Draws) -> Float[Tensor, "batch 3 h w"]:
    """The image and a random part of one of five pictures of frost, with their weights."""
    own, added = constants
    textures = frost_textures(tuple(x.shape[2:])).to(x)
    height, width = x.shape[2:]
    places = [draws.integers((), 0, most).tolist() for most in (len(textures), textures.shape[2] - height + 1, textures.shape[3] - width + 1)]
    ice = torch.stack([textures[which, :, top : top + height, left : left + width] for which, top, left in zip(*places, strict=True)]) if len(x) else x
    return own * x + added * ice


def snow(x: Float[Tensor, "batch c h w"], constants: tuple[float, float, float, float, int, float, float], draws: Draws) -> Float[Tensor, "batch c h w"]:
    """Flakes of normal noise above a threshold, enlarged, moved along −135° to −45°, and again turned by 180°, on a whitened image."""
    mean, deviation, zoom, threshold, radius, sigma, kept = constants
    layer = zoomed(mean + deviation * draws.normal((1, *x.shape[2:])), zoom)
    layer = eight_bits(torch.where(layer < threshold, 0.0, layer))
    layer = nearest_bytes(moved_along(layer, radius, sigma, draws.uniform((), -135, -45)))
    white = kept * x + (1 - kept) * torch.maximum(x, grey(x) * 1.5 + 0.5)
    return white + layer + layer.flip(2, 3)
