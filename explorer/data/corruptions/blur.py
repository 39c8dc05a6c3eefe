"""Blurs: of lenses, glass, motion and zooming."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from . import filters
from .draws import Draws
from .filters import correlated, eight_bits, filtered, gaussian_weights, mirrored, nearest_bytes, zoomed


def gaussian_blur(x: Float[Tensor, "batch c h w"], sigma: float, draws: Draws) -> Float[Tensor, "batch c h w"]:
    return filters.gaussian_blur(x, sigma)


def defocus_blur(x: Float[Tensor, "batch c h w"], constants: tuple[float, float], draws: Draws) -> Float[Tensor, "batch c h w"]:
    """A disk of that radius in pixels, its edge smoothed by a Gaussian of that σ."""
    return filtered(x, _without_margin(disk(*constants, like=x)))


def disk(radius: float, alias: float, like: Tensor) -> Float[Tensor, "size size"]:
    reach, smooth = (8, 1) if radius <= 8 else (math.ceil(radius), 2)
    places = torch.arange(-reach, reach + 1, dtype=torch.float64)
    inside = (places[:, None].square() + places.square() <= radius**2).double()
    weights = gaussian_weights(alias, smooth, inside)
    kernel = correlated(mirrored((inside / inside.sum())[None, None], smooth, smooth), weights[:, None] * weights)
    return kernel[0, 0].to(like)


def _without_margin(kernel: Float[Tensor, "size size"]) -> Float[Tensor, "inner inner"]:
    """Without the zeros around it."""
    margin = int((kernel != 0).any(0).int().argmax())
    return kernel[margin : len(kernel) - margin, margin : len(kernel) - margin]


def glass_blur(x: Float[Tensor, "batch c h w"], constants: tuple[float, int, int], draws: Draws, exchange: bool = False) -> Float[Tensor, "batch c h w"]:
    """Pixels trade places with near ones, so many times over, between two Gaussian blurs.

    The published code names it a swap, but its arrays share memory, so that both pixels end with the second one's value; `exchange` is a true
    swap. It goes from the last pixel to the first, and its offsets are from −reach to reach − 1."""
    sigma, reach, rounds = constants
    x = eight_bits(filters.gaussian_blur(x, sigma))
    for _ in range(rounds):
        offsets = draws.integers((*x.shape[2:], 2), -reach, reach)
        x = _moved(x, offsets, reach, exchange)
    return filters.gaussian_blur(x, sigma)


def _moved(x: Float[Tensor, "batch c h w"], offsets: Int[Tensor, "batch h w 2"], reach: int, exchange: bool) -> Float[Tensor, "batch c h w"]:
    height, width = x.shape[2:]
    rows, columns = (each.long() for each in filters.grid_of(x))
    moves = (rows > reach) & (columns > reach) & (rows <= height - reach) & (columns <= width - reach)
    sources = torch.where(moves[..., None], torch.stack([rows, columns], -1) + offsets.flip(-1), torch.stack([rows, columns], -1))
    sources = (sources[..., 0] * width + sources[..., 1]).flatten(1)
    if reach > 1 or exchange:
        sources = _in_order(sources, moves.flatten(), exchange)
    return x.flatten(2).gather(2, sources[:, None].expand(-1, x.shape[1], -1)).view_as(x)


def _in_order(sources: Int[Tensor, "batch pixels"], moves: Tensor, exchange: bool) -> Int[Tensor, "batch pixels"]:
    """Where each pixel's value comes from after one move after another. With a reach of 1 every source is visited later, and this changes nothing."""
    values = torch.arange(sources.shape[1], device=sources.device).repeat(len(sources), 1)
    for pixel in reversed(moves.nonzero().flatten().tolist()):
        source = sources[:, pixel : pixel + 1]
        taken = values.gather(1, source)
        if exchange:
            values.scatter_(1, source, values[:, pixel : pixel + 1].clone())
        values[:, pixel : pixel + 1] = taken
    return values


def motion_blur(x: Float[Tensor, "batch c h w"], constants: tuple[int, float], draws: Draws) -> Float[Tensor, "batch c h w"]:
    """Along a line at an angle from −45° to 45°, rounded to bytes as ImageMagick does."""
    return nearest_bytes(moved_along(x, *constants, draws.uniform((), -45, 45)))


def moved_along(x: Float[Tensor, "batch c h w"], radius: int, sigma: float, degrees: Float[Tensor, "batch"]) -> Float[Tensor, "batch c h w"]:
    """ImageMagick's motion blur: half a Gaussian of 2·radius + 1 taps on whole pixels along the line; the edge pixel goes on."""
    taps = torch.arange(2 * radius + 1, device=x.device, dtype=torch.float64)
    weights = torch.exp(-taps.square() / (2 * sigma**2))
    weights = (weights / weights.sum()).to(x)
    radians = torch.deg2rad(degrees.double())[:, None]
    along, down = (torch.ceil(taps * part - 0.5).long() for part in (radians.cos(), radians.sin()))
    height, width = x.shape[2:]
    rows = (torch.arange(height, device=x.device) + down[..., None]).clamp(0, height - 1) * width
    columns = (torch.arange(width, device=x.device) + along[..., None]).clamp(0, width - 1)
    blurred, flat = torch.zeros_like(x), x.flatten(2)
    for tap in range(len(taps)):
        places = (rows[:, tap, :, None] + columns[:, tap, None, :]).flatten(1)
        blurred += weights[tap] * flat.gather(2, places[:, None].expand(-1, x.shape[1], -1)).view_as(x)
    return blurred


def zoom_blur(x: Float[Tensor, "batch c h w"], constants: tuple[float, float], draws: Draws) -> Float[Tensor, "batch c h w"]:
    """The mean of the image and of enlargements from 1 up to the first constant, in steps of the second. NumPy's `arange`, as published: with
    these floating-point ends it reaches the last one at some severities and not at others."""
    factors = np.arange(1, *constants).tolist()
    return (x + torch.stack([zoomed(x, factor) for factor in factors]).sum(0)) / (len(factors) + 1)
