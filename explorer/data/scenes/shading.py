"""Light on surfaces: one distant lamp with a microfacet highlight (Cook & Torrance, 1982, with GGX and Schlick's terms), and a sky of two colours.

Directions and colours have their three coordinates first."""

import torch
from jaxtyping import Float
from torch import Tensor

from .shapes import unit

LAMP, AMBIENT = 1.0, 0.85  # what a white surface adds that faces the lamp, and one under a white sky
RINGS = ((85.0, 1), (58.0, 8), (28.0, 16))  # lamps: degrees above the ground, how many around

Triples = Float[Tensor, "3 batch #rays"]
Scalars = Float[Tensor, "batch rays"]


def light_directions() -> Float[Tensor, "25 3"]:
    """From a scene towards its lamp, x towards the camera, z up: one nearly overhead, eight at 58° and sixteen at 28° above the ground."""
    rows = []
    for height, count in RINGS:
        around, up = torch.arange(count) * (2 * torch.pi / count), torch.deg2rad(torch.tensor(height))
        rows.append(torch.stack([up.cos() * around.cos(), up.cos() * around.sin(), up.sin().expand(count)], 1))
    return torch.cat(rows)


def sky_light(horizon: Triples, zenith: Triples, ground: Triples, height: Scalars, blur: Scalars | float) -> Triples:
    """What comes from a direction of that height (its sine): the sky from horizon to zenith, below it the lit ground; `blur` from 0 to 1 spreads it."""
    height = height / (1 + blur)
    share = (height * (0.25 + 0.25 / (0.15 + blur)) + 0.5).clamp(0, 1)  # of the sky, with a soft edge at the horizon
    return ground + (horizon + (zenith - horizon) * height.clamp_min(0).sqrt() - ground) * share


def shade(
    colour: Triples, metal: Scalars, roughness: Scalars, normal: Triples, toward_eye: Triples, toward_lamp: Triples,
    lamp: Triples, seen: Scalars, open_sky: Scalars, horizon: Triples, zenith: Triples, ground: Triples,
) -> Triples:  # fmt: skip
    """Linear light that leaves each point towards the eye. `seen` is 1 where the lamp is not hidden, `open_sky` the share of the sky that is not."""
    facing, across = (normal * toward_lamp).sum(0).clamp_min(0), (normal * toward_eye).sum(0)
    viewing = across.clamp_min(1e-3)
    half = unit(toward_lamp + toward_eye)
    aligned, graze = (normal * half).sum(0).clamp(0, 1), (toward_eye * half).sum(0).clamp(0, 1)
    straight = 0.04 + (colour - 0.04) * metal  # reflectance at normal incidence
    mirrored = straight + (1 - straight) * _fifth(1 - graze)
    width = roughness.square().clamp_min(0.02).square()
    peak = width / (aligned.square() * (width - 1) + 1).square()  # π times GGX's density
    k = (roughness + 1).square() / 8
    masking = 0.25 / ((facing + k - facing * k) * (viewing + k - viewing * k)).clamp_min(1e-3)
    body = colour * (1 - metal)
    direct = (body * (1 - mirrored) + mirrored * (peak * masking)) * (facing * seen * LAMP) * lamp
    rim = straight + (torch.maximum(1 - roughness, straight) - straight) * _fifth(1 - viewing)
    around = body * sky_light(horizon, zenith, ground, normal[2], 1.0)
    shine = rim * sky_light(horizon, zenith, ground, 2 * across * normal[2] - toward_eye[2], roughness)
    return direct + (around + shine) * (AMBIENT * open_sky)


def _fifth(value: Scalars) -> Scalars:
    square = value * value
    return square * square * value


def srgb(light: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Linear light as a display's value (IEC 61966-2-1); more than white is white."""
    light = light.clamp(0, 1)
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp_min(0.0031308).pow(1 / 2.4) - 0.055)
