"""What surfaces are made of: colours with their patterns, metal or not, smooth or rough."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .layout import MATERIALS, OBJECTS, Scenes

GROUND_ROUGHNESS = {"cloth": 0.9, "tiles": 0.35, "planks": 0.6}
SHARPNESS = 4.0  # of a pattern's edges


def paint(
    scenes: Scenes, number: Int[Tensor, "batch rays"], points: Float[Tensor, "3 batch rays"]
) -> tuple[Float[Tensor, "3 batch rays"], Float[Tensor, "batch rays"], Float[Tensor, "batch rays"]]:
    """Reflectance, metalness and roughness at each point of an object, or of the ground where the number is negative."""
    colour, rough, metal = _ground(scenes, points)
    for each in range(OBJECTS):
        scene, ray = torch.nonzero(number == each).unbind(1)
        kind, turn = scenes.surface[scene, each], scenes.turn[scene, each].permute(1, 2, 0)
        local = (turn * ((points[:, scene, ray] - scenes.place[scene, each].T) / scenes.size[scene, each])[:, None]).sum(0)
        stripes, checks = (local[2] * 9 + 1).sin(), (local * 6 + 0.8).sin().prod(0) * 3
        share = _share(torch.where(kind == MATERIALS.index("striped"), stripes, torch.where(kind == MATERIALS.index("checked"), checks, 1.0)))
        first, second = scenes.colours[scene, each].permute(1, 2, 0)
        colour[:, scene, ray] = first + (second - first) * share
        rough[scene, ray] = scenes.roughness[scene, each]
        metal[scene, ray] = (kind == MATERIALS.index("metal")).to(metal)
    return colour, metal, rough


def _ground(scenes: Scenes, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    cos, sin = scenes.ground_turn.cos()[:, None], scenes.ground_turn.sin()[:, None]
    across, down = cos * points[0] + sin * points[1], cos * points[1] - sin * points[0]
    tiles = (across * 2.2).sin() * (down * 2.2).sin() * 3
    planks = (across * 3).sin().abs() * 6 - 0.8  # dark joints between broad boards
    kind = scenes.ground[:, None]
    share = _share(torch.where(kind == MATERIALS.index("tiles"), tiles, torch.where(kind == MATERIALS.index("planks"), planks, 1.0)))
    first, second = scenes.ground_colours.permute(1, 2, 0)[..., None]
    roughness = points.new_tensor([GROUND_ROUGHNESS.get(name, 0.0) for name in MATERIALS])[scenes.ground]
    return first + (second - first) * share, roughness[:, None].repeat(1, points.shape[2]), torch.zeros_like(points[0])


def _share(wave: Tensor) -> Tensor:
    """Of the second colour, from a wave that is negative there."""
    return 0.5 - 0.5 * (wave * SHARPNESS).clamp(-1, 1)
