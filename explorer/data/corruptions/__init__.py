"""Common corruptions of images (Hendrycks & Dietterich, 2019): the 15 and 4 more of CIFAR-10-C and ImageNet-C, at severities 1 to 5.

Tensors in and out, on any device; each image's randomness comes from its own stream. The published code's libraries are followed step by step;
where they round to bytes, so do we. Frost is laid over textures made by the code (`frost_textures`)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.registry import look_up

from . import blur, colour, geometry, noise, spatter, weather
from .constants import LARGE, LARGEST_SMALL, SMALL
from .draws import Draws
from .filters import eight_bits

__all__ = ["CORRUPTIONS", "EXTRA", "SEVERITIES", "STANDARD", "Corruption", "applicable", "corrupt"]

SEVERITIES = (1, 2, 3, 4, 5)
SMALLEST = 8  # pixels


@dataclass(frozen=True)
class Corruption:
    """`apply(images, constants, draws)`, and the group that it belongs to; `coloured` ones need three channels."""

    apply: Callable[[Tensor, object, Draws], Tensor]
    group: str
    coloured: bool = False


CORRUPTIONS = {
    "gaussian_noise": Corruption(noise.gaussian_noise, "noise"),
    "shot_noise": Corruption(noise.shot_noise, "noise"),
    "impulse_noise": Corruption(noise.impulse_noise, "noise"),
    "defocus_blur": Corruption(blur.defocus_blur, "blur"),
    "glass_blur": Corruption(blur.glass_blur, "blur"),
    "motion_blur": Corruption(blur.motion_blur, "blur"),
    "zoom_blur": Corruption(blur.zoom_blur, "blur"),
    "snow": Corruption(weather.snow, "weather"),
    "frost": Corruption(weather.frost, "weather", coloured=True),
    "fog": Corruption(weather.fog, "weather"),
    "brightness": Corruption(colour.brightness, "weather"),
    "contrast": Corruption(colour.contrast, "digital"),
    "elastic_transform": Corruption(geometry.elastic_transform, "digital"),
    "pixelate": Corruption(geometry.pixelate, "digital"),
    "jpeg_compression": Corruption(geometry.jpeg_compression, "digital"),
    "speckle_noise": Corruption(noise.speckle_noise, "noise"),
    "gaussian_blur": Corruption(blur.gaussian_blur, "blur"),
    "spatter": Corruption(spatter.spatter, "weather", coloured=True),
    "saturate": Corruption(colour.saturate, "digital", coloured=True),
}
STANDARD = tuple(CORRUPTIONS)[:15]  # the mean corruption error's
EXTRA = tuple(CORRUPTIONS)[15:]


def applicable(channels: int, names: tuple[str, ...] = tuple(CORRUPTIONS)) -> tuple[str, ...]:
    """Of these corruptions those that images of so many channels can have: those of colours need three."""
    return tuple(name for name in names if channels == 3 or not CORRUPTIONS[name].coloured)


def corrupt(
    images: Float[Tensor, "batch c h w"], name: str, severity: int, streams: Streams, *, exchange: bool = False, rounded: bool = True
) -> Float[Tensor, "batch c h w"]:
    """The images under that corruption, in [0, 1], `rounded` down to bytes as in the published files.

    Constants are CIFAR-10-C's up to 64 pixels, ImageNet-C's above. `exchange` makes glass blur's swap a true one. Raises UnknownName for a
    corruption, InvalidInput for a severity other than 1 to 5, grey images where colours are changed, and images outside [0, 1]."""
    corruption = look_up(CORRUPTIONS, name, "corruption")
    _check(images, name, corruption, severity, streams)
    table = SMALL if min(images.shape[2:]) <= LARGEST_SMALL else LARGE
    apply = partial(corruption.apply, exchange=exchange) if name == "glass_blur" else corruption.apply
    corrupted = apply(images, table[name][severity - 1], Draws(streams, images)).clamp(0, 1)
    return eight_bits(corrupted) if rounded else corrupted


def _check(images: Tensor, name: str, corruption: Corruption, severity: int, streams: Streams) -> None:
    if severity not in SEVERITIES:
        raise InvalidInput(f"severity must be 1, 2, 3, 4 or 5, got {severity!r}.")
    if images.ndim != 4 or not images.is_floating_point() or not ((images >= 0) & (images <= 1)).all():
        raise InvalidInput(f"corruptions take floating-point images in [0, 1], batch × channels × height × width, got {images.dtype} of shape {tuple(images.shape)}.")
    if corruption.coloured and images.shape[1] != 3:
        raise InvalidInput(f"{name} changes colours, so images need 3 channels, got {images.shape[1]}. Repeat the channel: x.expand(-1, 3, -1, -1).")
    if min(images.shape[2:]) < SMALLEST:
        raise InvalidInput(f"corruptions take images from {SMALLEST} pixels on, got {images.shape[2]} × {images.shape[3]}.")
    if len(streams) != len(images):
        raise InvalidInput(f"expected one random stream for each of {len(images)} images, got {len(streams)}.")
