"""Rendering scenes: rays through each pixel, what they meet first, what hides the lamp from there, and the light that comes back."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.errors import InvalidInput

from .layout import OBJECTS, Scenes, draw_scenes
from .paint import paint
from .shading import light_directions, shade, sky_light, srgb
from .shapes import REACH, SHAPES, normals, trace, unit

LIGHTS = 25
FIELD = 0.36  # half the picture's width at distance one
HAZE = 22.0  # in lengths, where the ground begins to melt into the horizon
SMALLEST, LARGEST, FINEST = 8, 1024, 8  # pixels a side, and rays a side of a pixel
RAYS = 1 << 19  # traced together
SKY, GROUND = -2, -1  # what a ray meets where it is no object


@dataclass(frozen=True)
class Rendering:
    """Pictures in [0, 1] rounded to bytes, each pixel's position in MATERIALS at its centre, and the main shape's class."""

    images: Float[Tensor, "batch 3 size size"]
    materials: Int[Tensor, "batch size size"]
    labels: Int[Tensor, "batch"]


@dataclass(frozen=True)
class Surfaces:
    """What rays meet: `number` is the object, GROUND or SKY."""

    along: Float[Tensor, "3 batch rays"]
    points: Float[Tensor, "3 batch rays"]
    normal: Float[Tensor, "3 batch rays"]
    number: Int[Tensor, "batch rays"]
    distance: Float[Tensor, "batch rays"]


def render_scenes(
    indices: Sequence[int], size: int = 32, *, light: int | Sequence[int] | None = None, seed: int = 0, samples: int = 2, device: torch.device | str = "cpu"
) -> Rendering:
    """The scenes at these positions, at any size, each under a lamp of its own or under lamp `light` of 25 (one for all, or one each).

    `samples` squared rays share a pixel. The same position and seed give the same scene, whatever is rendered with it.
    Raises InvalidInput for a size, lamp or number of samples out of range."""
    indices = [int(index) for index in indices]
    if not SMALLEST <= size <= LARGEST or not 1 <= samples <= FINEST:
        raise InvalidInput(f"pictures are {SMALLEST} to {LARGEST} pixels wide with 1 to {FINEST} samples a side, got size {size} and samples {samples}.")
    lamps = [light] * len(indices) if light is None or isinstance(light, int) else list(light)
    if len(lamps) != len(indices) or not all(each is None or 0 <= each < LIGHTS for each in lamps):
        raise InvalidInput(f"light is a number from 0 to {LIGHTS - 1}, or one for each of the {len(indices)} scenes, got {light!r}.")
    chunk = max(1, RAYS // (size * samples) ** 2)
    parts = [_render(indices[first : first + chunk], size, lamps[first : first + chunk], seed, samples, device) for first in range(0, len(indices), chunk)]
    empty = (torch.empty(0, 3, size, size), torch.empty(0, size, size, dtype=torch.int64), torch.empty(0, dtype=torch.int64))
    return Rendering(*(torch.cat(each) for each in zip(*(parts or [empty]), strict=True)))


@torch.no_grad()
def _render(indices: list[int], size: int, lamps: list[int | None], seed: int, samples: int, device: torch.device | str) -> tuple[Tensor, Tensor, Tensor]:
    scenes = draw_scenes(indices, seed, LIGHTS).to(device)
    chosen = torch.tensor([-1 if lamp is None else lamp for lamp in lamps], device=device)
    met = _meet(scenes, *_rays(scenes, size * samples))
    light = _light(scenes, met, torch.where(chosen < 0, scenes.light, chosen))
    fine = srgb(light).view(3, len(indices), size, samples, size, samples)  # shown before they are averaged, so that a highlight's edge is soft
    images = fine.mean((3, 5)).movedim(0, 1).mul(255).round().div(255).contiguous()
    kinds = torch.where(met.number == GROUND, scenes.ground[:, None], scenes.surface.gather(1, met.number.clamp_min(0))) * (met.number != SKY)
    centre = kinds.view(len(indices), size, samples, size, samples)[:, :, samples // 2, :, samples // 2]
    return images, centre.contiguous(), scenes.shape[:, 0]


def _rays(scenes: Scenes, width: int) -> tuple[Tensor, Tensor]:
    """Where each scene's rays start, and their directions, row by row."""
    ahead = torch.nn.functional.normalize(scenes.target - scenes.eye, dim=-1)
    right = torch.nn.functional.normalize(torch.linalg.cross(ahead, ahead.new_tensor([[0.0, 0.0, 1.0]])), dim=-1)
    above = torch.linalg.cross(right, ahead)
    line = ((torch.arange(width, device=ahead.device) + 0.5) / width * 2 - 1) * FIELD
    across, down = line.repeat(width), line.repeat_interleave(width)
    along = ahead.T[:, :, None] + across * right.T[:, :, None] - down * above.T[:, :, None]
    return scenes.eye.T[:, :, None], unit(along)


def _distances(scenes: Scenes, number: int, start: Tensor, along: Tensor, wanted: Tensor | None = None) -> Tensor:
    """How far each (wanted) ray goes before it meets an object; infinity where it does not."""
    place, size = scenes.place[:, number].T[:, :, None], scenes.size[:, number, None]
    gap = place - start
    ahead = (gap * along).sum(0)
    near = (gap.square().sum(0) - ahead.square() < (REACH * size).square()) & (ahead > -REACH * size) & (size > 0)
    near = near if wanted is None else near & wanted
    met = torch.full_like(ahead, torch.inf)
    found = torch.nonzero(near)
    for position, shape in enumerate(SHAPES.values()):
        those = found[scenes.shape[found[:, 0], number] == position]
        if len(those):
            scene, ray = those.unbind(1)
            local = (start - place).expand(3, *near.shape)[:, scene, ray] / size[scene, 0]
            turn = scenes.turn[scene, number].permute(2, 1, 0)  # the world's directions as local ones
            points, directions = ((turn * vector).sum(1) for vector in (local, along.expand(3, *near.shape)[:, scene, ray]))
            met[scene, ray] = trace(shape, scenes.stretch[scene, number], points, directions) * size[scene, 0]
    return met


def _meet(scenes: Scenes, start: Tensor, along: Tensor) -> Surfaces:
    """The first surface on every ray, with its normal."""
    best = torch.where(along[2] < -1e-4, -start[2] / along[2].clamp_max(-1e-4), torch.inf)
    number = torch.where(best.isfinite(), GROUND, SKY)
    for each in range(OBJECTS):
        distance = _distances(scenes, each, start, along)
        number = torch.where(distance < best, each, number)
        best = torch.minimum(best, distance)
    points = start + best.clamp_max(1e4) * along
    normal = along.new_tensor([0.0, 0.0, 1.0])[:, None, None].repeat(1, *best.shape)
    found = torch.nonzero(number >= 0)
    shapes = scenes.shape[found[:, 0], number[found[:, 0], found[:, 1]]]
    for position, shape in enumerate(SHAPES.values()):
        scene, ray = found[shapes == position].unbind(1)
        own = number[scene, ray]
        turn = scenes.turn[scene, own].permute(1, 2, 0)
        local = (turn * ((points[:, scene, ray] - scenes.place[scene, own].T) / scenes.size[scene, own])[:, None]).sum(0)
        normal[:, scene, ray] = (turn * normals(shape, scenes.stretch[scene, own], local)).sum(1)
    return Surfaces(along, points, normal, number, best)


def _light(scenes: Scenes, met: Surfaces, lamps: Int[Tensor, "batch"]) -> Float[Tensor, "3 batch rays"]:
    """Linear light along each ray, the scene under its lamp."""
    x, y, z = light_directions().to(met.points.device)[lamps].T
    cos, sin = scenes.azimuth.cos(), scenes.azimuth.sin()
    toward = torch.stack([cos * x - sin * y, sin * x + cos * y, z])[:, :, None]
    lamp = 1 + scenes.warmth[:, None] * z.new_tensor([0.12, 0.0, -0.18])[:, None, None]
    horizon, zenith = scenes.sky.permute(1, 2, 0)[..., None]
    bounce = scenes.ground_colours[:, 0].T[:, :, None] * (toward[2] * 0.5 + 0.35)
    lit = ((met.normal * toward).sum(0) > 0) & (met.number != SKY)
    lifted = met.points + 0.02 * met.normal
    seen = torch.ones_like(met.distance)
    for each in range(OBJECTS):
        seen[_distances(scenes, each, lifted, toward, lit).isfinite()] = 0
    colour, metal, roughness = paint(scenes, met.number, met.points)
    shaded = shade(colour, metal, roughness, met.normal, -met.along, toward, lamp, seen, _open_sky(scenes, met), horizon, zenith, bounce)
    far = 1 - torch.exp(-(met.distance / HAZE).square())
    return torch.where(met.number == SKY, sky_light(horizon, zenith, horizon, met.along[2], 0.0), shaded + (horizon - shaded) * far)


def _open_sky(scenes: Scenes, met: Surfaces) -> Float[Tensor, "batch rays"]:
    """The share of the sky that the other objects leave free, each taken as a ball (Quílez: cosine over the squared distance)."""
    fullness = met.points.new_tensor([shape.fullness for shape in SHAPES.values()])[scenes.shape] * scenes.size
    free = torch.ones_like(met.distance)
    for each in range(OBJECTS):
        gap = scenes.place[:, each].T[:, :, None] - met.points
        square = gap.square().sum(0).clamp_min(1e-6)
        covered = (met.normal * gap).sum(0).clamp_min(0) * square.rsqrt() * (fullness[:, each, None].square() / square).clamp_max(1)
        free = free * torch.where(met.number == each, 1.0, 1 - 0.9 * covered)
    return free
