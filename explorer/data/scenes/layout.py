"""What stands where in a scene, all of it drawn from the scene's own stream."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.randomness import Streams

from .shapes import SHAPES

OBJECTS = 3  # the main one and up to two smaller beside it
NUMBERS = 96  # random ones a scene
SURFACES = ("clay", "plastic", "metal", "striped", "checked")
GROUNDS = ("cloth", "tiles", "planks")
MATERIALS = ("sky", *GROUNDS, *SURFACES)
"""What a pixel shows, in the order of the indices of a material map."""


@dataclass(frozen=True)
class Scenes:
    """A batch of scenes; z points up, the ground is z = 0, and lengths are in units of about one object's half-width.

    `turn` takes local directions to the world; an object of size 0 is absent. `surface` and `ground` are positions in MATERIALS."""

    shape: Int[Tensor, "batch objects"]
    stretch: Float[Tensor, "batch objects"]
    size: Float[Tensor, "batch objects"]
    place: Float[Tensor, "batch objects 3"]
    turn: Float[Tensor, "batch objects 3 3"]
    surface: Int[Tensor, "batch objects"]
    colours: Float[Tensor, "batch objects 2 3"]
    roughness: Float[Tensor, "batch objects"]
    ground: Int[Tensor, "batch"]
    ground_colours: Float[Tensor, "batch 2 3"]
    ground_turn: Float[Tensor, "batch"]
    sky: Float[Tensor, "batch 2 3"]
    eye: Float[Tensor, "batch 3"]
    target: Float[Tensor, "batch 3"]
    azimuth: Float[Tensor, "batch"]
    warmth: Float[Tensor, "batch"]
    light: Int[Tensor, "batch"]

    def to(self, device: torch.device | str) -> "Scenes":
        return Scenes(**{name: value.to(device) for name, value in vars(self).items()})


def draw_scenes(indices: Sequence[int], seed: int, lights: int) -> Scenes:
    """The scenes at these positions. Scene i shows the shape i modulo their number; nothing else depends on any other scene."""
    draws = iter(Streams(seed, indices, purpose="scenes").uniform((NUMBERS,)).unbind(1))
    count = len(indices)
    azimuth, elevation = _between(draws, 0, 2 * torch.pi), _between(draws, 0.15, 0.75)
    label = torch.tensor([index % len(SHAPES) for index in indices], dtype=torch.int64)
    others = torch.stack([_choice(draws, len(SHAPES)) for _ in range(OBJECTS - 1)], 1)
    shape = torch.cat([label[:, None], others], 1)
    stretch = torch.stack([_between(draws, 0.8, 1.2) for _ in range(OBJECTS)], 1)
    beside = next(draws)
    main = _between(draws, 0.85, 1.15)
    small = [main * _between(draws, 0.35, 0.6) * (beside > share) for share in (0.35, 0.7)]
    size = torch.stack([main, *small], 1)
    turn = torch.stack([_turn(draws) for _ in range(OBJECTS)], 1)
    down = -turn[..., 2, :].movedim(-1, 0)  # the world's downward direction in local coordinates
    lowest = torch.stack([each.depth(down, stretch) for each in SHAPES.values()], -1).gather(-1, shape[..., None])[..., 0]
    place = torch.zeros(count, OBJECTS, 3)
    place[..., 2] = size * lowest
    for number, side in ((1, 1), (2, -1)):  # beside or behind the main object as the camera sees it, one on each side
        bearing, away = azimuth + side * _between(draws, 0.4 * torch.pi, 0.8 * torch.pi), main * _between(draws, 1.45, 2.1)
        place[:, number, :2] = torch.stack([away * bearing.cos(), away * bearing.sin()], 1)
    distance = _between(draws, 3.5, 5.0)
    target = torch.stack([_between(draws, -0.25, 0.25), _between(draws, -0.25, 0.25), place[:, 0, 2] * _between(draws, 0.7, 1.3)], 1)
    level = distance * elevation.cos()
    eye = torch.stack([level * azimuth.cos(), level * azimuth.sin(), distance * elevation.sin() + 0.3], 1)
    surface = torch.stack([_choice(draws, len(SURFACES)) for _ in range(OBJECTS)], 1) + 1 + len(GROUNDS)
    rough = torch.stack([next(draws) for _ in range(OBJECTS)], 1)
    low = torch.tensor([0.0] * (1 + len(GROUNDS)) + [0.7, 0.15, 0.15, 0.25, 0.5])[surface]
    high = torch.tensor([0.0] * (1 + len(GROUNDS)) + [1.0, 0.4, 0.45, 0.6, 0.9])[surface]
    colours = torch.stack([torch.stack([_colour(draws), _colour(draws)], 1) for _ in range(OBJECTS)], 1)
    ground_colour = _colour(draws, 0.05, 0.5)
    second = ground_colour * _between(draws, 0.35, 0.8)[:, None]
    sky_tone = _colour(draws, 0.0, 0.45)
    return Scenes(
        shape, stretch, size, place, turn, surface, colours, low + (high - low) * rough, _choice(draws, len(GROUNDS)) + 1, torch.stack([ground_colour, second], 1),
        _between(draws, 0, torch.pi), torch.stack([sky_tone * 0.5 + 0.35, sky_tone * 0.7 + 0.05], 1), eye, target, azimuth, _between(draws, -1, 1), _choice(draws, lights),
    )  # fmt: skip


def _between(draws: Iterator[Tensor], low: float, high: float) -> Tensor:
    return low + (high - low) * next(draws)


def _choice(draws: Iterator[Tensor], count: int) -> Tensor:
    return (next(draws) * count).long().clamp_max(count - 1)


def _colour(draws: Iterator[Tensor], grey_from: float = 0.35, grey_to: float = 0.95) -> Tensor:
    """A reflectance: any hue, a saturation between these two, a value from dark to bright."""
    hue, saturation, value = next(draws), _between(draws, grey_from, grey_to), _between(draws, 0.3, 0.9)
    wheel = ((hue[:, None] * 6 + torch.tensor([0.0, 4.0, 2.0])) % 6 - 3).abs().sub(1).clamp(0, 1)
    return (value[:, None] * (1 - saturation[:, None] * (1 - wheel))).square()  # linear light from a display's value


def _turn(draws: Iterator[Tensor]) -> Tensor:
    """Turned about the vertical, and in two of five scenes tilted, also onto its side."""
    yaw, spin = _between(draws, 0, 2 * torch.pi), _between(draws, 0, 2 * torch.pi)
    tilted, amount = next(draws), _between(draws, 0.3, 1.7)
    tilt = amount * (tilted < 0.4)
    return _about(yaw, 2) @ _about(tilt, 0) @ _about(spin, 2)


def _about(angle: Tensor, axis: int) -> Tensor:
    turn = torch.eye(3).repeat(len(angle), 1, 1)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    turn[:, first, first] = turn[:, second, second] = angle.cos()
    turn[:, first, second], turn[:, second, first] = -angle.sin(), angle.sin()
    return turn
