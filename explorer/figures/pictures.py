"""Images side by side, with crisp pixels."""

import math

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from explorer.errors import InvalidInput

# a diverging map (ColorBrewer's BrBG ends, grey middle): negative, zero, positive
DIVERGING = np.array([[1, 102, 94], [128, 128, 128], [140, 81, 10]], dtype=np.float64)


def pixels(images: Float[Tensor, "n channels height width"]) -> UInt8[np.ndarray, "n height width 3"]:
    """Images in [0, 1] as bytes, grey ones repeated to RGB."""
    if images.shape[1] not in (1, 3):
        raise InvalidInput(f"expected images of 1 or 3 channels, got {images.shape[1]}")
    array = (images.detach().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return np.repeat(array, 3, axis=-1) if array.shape[-1] == 1 else array


def difference(
    images: Float[Tensor, "n channels height width"], reference: Float[Tensor, "m channels height width"], factor: float
) -> UInt8[np.ndarray, "n height width 3"]:
    """factor·(images − reference), mean over the channels, from −1 (teal) through 0 (grey) to 1 (brown); clipped there."""
    signed = (factor * (images - reference)).mean(1).clamp(-1, 1).cpu().numpy()
    position = signed + 1
    lower = np.clip(np.floor(position).astype(int), 0, 1)
    share = (position - lower)[..., None]
    return ((1 - share) * DIVERGING[lower] + share * DIVERGING[lower + 1]).round().astype(np.uint8)


def tile(
    images: UInt8[np.ndarray, "n height width 3"], columns: int | None = None, gap: int = 1, colour: int = 128
) -> UInt8[np.ndarray, "rows columns 3"]:
    """One picture of all images, row by row; as square as it goes where the number of columns is not given."""
    count, height, width, _ = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), colour, np.uint8)
    for index, image in enumerate(images):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def strip(images: UInt8[np.ndarray, "n height width 3"], gap: int = 1) -> UInt8[np.ndarray, "rows columns 3"]:
    """All images in one row."""
    return tile(images, len(images), gap)


def upscale(picture: UInt8[np.ndarray, "... height width 3"], factor: int) -> UInt8[np.ndarray, "... tall wide 3"]:
    """Every pixel as a square of factor × factor."""
    return picture.repeat(factor, axis=-3).repeat(factor, axis=-2)
