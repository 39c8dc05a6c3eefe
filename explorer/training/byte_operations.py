"""AugMix's nine operations on batches of images in bytes, pixel by pixel what Pillow makes of them.

Images are whole numbers from 0 to 255 in float32; each has its own level, drawn between 0.1 and a severity, and its own sign of ±1. As in
the published code (Hendrycks et al., 2020b) levels of posterize, rotate, solarize and translate are cut to whole numbers, so that small ones
do nothing; pixels are cut to whole numbers after every operation, and what comes in from outside is black."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

Bytes = Float[Tensor, "batch c h w"]
Levels = Float[Tensor, " batch"]
Matrix = tuple[Tensor | float, ...]  # six numbers, each one for all images or one for each


def autocontrast(images: Bytes, level: Levels) -> Bytes:
    """Each channel stretched to all of 0 to 255."""
    low, high = (edge.double() for edge in (images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)))
    scale = torch.full_like(high, 255) / (high - low)  # a true quotient: 255 / tensor would be 255 times the reciprocal
    return torch.where(high > low, (images * scale - low * scale).trunc().clamp(0, 255).float(), images)


def equalize(images: Bytes, level: Levels) -> Bytes:
    """Each channel's brightnesses spread evenly; a channel of too few different ones stays."""
    values = images.long().flatten(2)
    counts = torch.zeros(*values.shape[:2], 256, dtype=torch.long, device=images.device)
    counts.scatter_add_(2, values, torch.ones_like(values))
    step = (values.shape[2] - counts.gather(2, values.amax(2, keepdim=True))) // 255
    table = ((step // 2 + counts.cumsum(2) - counts) // step.clamp(min=1)).clamp(max=255)
    return torch.where(step > 0, table.gather(2, values), values).view(images.shape).to(images)


def posterize(images: Bytes, level: Levels) -> Bytes:
    """4 bits of brightness, less from level 2.5 on."""
    steps = (2 ** (4 + (level * 4 / 10).trunc())).view(-1, 1, 1, 1)
    return (images / steps).floor() * steps


def solarize(images: Bytes, level: Levels) -> Bytes:
    """The brightest pixels become their negatives."""
    return torch.where(images < 256 - _whole(level, 256).view(-1, 1, 1, 1), images, 255 - images)


def rotate(level: Levels, sign: Levels, height: int, width: int) -> Matrix:
    """By up to 3 degrees a level, around the centre."""
    angle = -torch.deg2rad(sign.double() * _whole(level, 30))
    cosine, sine = angle.cos(), angle.sin()
    across, down = width / 2, height / 2
    return cosine, sine, across - cosine * across - sine * down, -sine, cosine, down + sine * across - cosine * down


def shear_x(level: Levels, sign: Levels, height: int, width: int) -> Matrix:
    return 1, sign * level.double() * 0.03, 0, 0, 1, 0


def shear_y(level: Levels, sign: Levels, height: int, width: int) -> Matrix:
    return 1, 0, 0, sign * level.double() * 0.03, 1, 0


def translate_x(level: Levels, sign: Levels, height: int, width: int) -> Matrix:
    return 1, 0, sign * _whole(level, width / 3), 0, 1, 0


def translate_y(level: Levels, sign: Levels, height: int, width: int) -> Matrix:
    return 1, 0, 0, 0, 1, sign * _whole(level, height / 3)


OF_PIXELS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"autocontrast": autocontrast, "equalize": equalize, "posterize": posterize, "solarize": solarize}
OF_PLACES: dict[str, Callable[..., Matrix]] = {"rotate": rotate, "shear_x": shear_x, "shear_y": shear_y, "translate_x": translate_x, "translate_y": translate_y}
OPERATIONS = (*OF_PIXELS, *OF_PLACES)


def operated(images: Bytes, chosen: Int[Tensor, " batch"], levels: Levels, signs: Levels) -> Bytes:
    """Each image after its own operation, by its number in OPERATIONS; −1 for none."""
    changed = images.clone()
    for number, name in enumerate(OPERATIONS):
        if name in OF_PIXELS:
            rows = (chosen == number).nonzero().flatten()
            if len(rows):
                changed[rows] = OF_PIXELS[name](images[rows], levels[rows])
    rows = (chosen >= len(OF_PIXELS)).nonzero().flatten()
    if len(rows):
        matrices = torch.zeros(len(rows), 6, dtype=torch.float64, device=images.device)
        for number, name in enumerate(OPERATIONS):
            if name in OF_PLACES:
                own = (chosen[rows] == number).nonzero().flatten()
                for column, value in enumerate(OF_PLACES[name](levels[rows[own]], signs[rows[own]], *images.shape[2:])):
                    matrices[own, column] = torch.as_tensor(value, dtype=torch.float64, device=images.device)
        changed[rows] = warp(images[rows], matrices)
    return changed


def warp(images: Bytes, matrices: Float[Tensor, "batch 6"]) -> Bytes:
    """The pixel at (x, y) is taken between those around (ax + by + c, dx + ey + f) for an image's matrix a to f."""
    a, b, c, d, e, f = matrices[:, :, None, None].unbind(1)
    height, width = images.shape[2:]
    y, x = torch.meshgrid(*(torch.arange(edge, device=images.device, dtype=torch.float64) + 0.5 for edge in (height, width)), indexing="ij")
    across, down = a * x + b * y + c, d * x + e * y + f
    inside = (across >= 0) & (across < width) & (down >= 0) & (down < height)
    left, top = (across - 0.5).floor(), (down - 0.5).floor()
    right, below = across - 0.5 - left, down - 0.5 - top
    columns, rows = ([each.long().clamp(0, edge - 1) for each in (first, first + 1)] for first, edge in ((left, width), (top, height)))
    flat = images.flatten(2)

    def pixels(row: Tensor, column: Tensor) -> Tensor:
        place = (row * width + column).flatten(1)[:, None].expand(-1, images.shape[1], -1)
        return flat.gather(2, place).view(images.shape)

    upper, lower = (torch.lerp(pixels(row, columns[0]).double(), pixels(row, columns[1]).double(), right[:, None]) for row in rows)
    return torch.where(inside[:, None], torch.lerp(upper, lower, below[:, None]).trunc().float(), 0.0)


def _whole(level: Levels, largest: float) -> Float[Tensor, " batch"]:
    """`int(level · largest / 10)`."""
    return (level.double() * largest / 10).trunc()
