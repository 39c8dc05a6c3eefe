"""The shapes: signed distances in local coordinates, how deep each reaches in a direction, and finding where rays meet them (Hart, 1996: sphere tracing).

Points and directions have their three coordinates first."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

REACH = 1.1  # every shape lies in the ball of this radius around its origin, whatever its stretch from 0.8 to 1.2
CLOSE, STEPS, COMPACT = 1e-3, 96, 4  # a ray has arrived at this distance; steps at most; rays that are done are dropped every so many
NUDGE = 2e-3  # of the differences that normals are taken from

Points = Float[Tensor, "3 *any"]
Numbers = Float[Tensor, "*any"]


@dataclass(frozen=True)
class Shape:
    """`distance(points, stretch)` never exceeds the distance to the surface and is negative inside; `depth(direction, stretch)` is the
    largest inner product of a point of the shape with the direction; `fullness` the radius of a ball that throws much the same shade."""

    distance: Callable[[Points, Numbers], Numbers]
    depth: Callable[[Points, Numbers], Numbers]
    fullness: float
    convex: bool = True


def _across(p: Tensor) -> Tensor:
    return (p[0] * p[0] + p[1] * p[1]).sqrt()


def _pair(a: Tensor, b: Tensor) -> Tensor:
    """The distance to the corner of a quarter-plane, from the distances to its two sides."""
    return (a.clamp_min(0).square() + b.clamp_min(0).square()).sqrt() + torch.maximum(a, b).clamp_max(0)


def _box(p: Tensor, stretch: Tensor) -> Tensor:
    x, y, z = p[0].abs() - 0.55, p[1].abs() - 0.55, p[2].abs() - 0.55 * stretch
    outside = (x.clamp_min(0).square() + y.clamp_min(0).square() + z.clamp_min(0).square()).sqrt()
    return outside + torch.maximum(torch.maximum(x, y), z).clamp_max(0)


def _tapered(width: Tensor, z: Tensor, half: Tensor, base: float) -> Tensor:
    """Narrowing from `base` at z = -half to a point at z = half; the greater of the distances to its two faces' planes."""
    slant = (base**2 + 4 * half**2).sqrt()
    return torch.maximum((2 * half * width + base * (z - half)) / slant, -z - half)


def _capsule(p: Tensor, stretch: Tensor) -> Tensor:
    beyond = (p[2].abs() - 0.5 * stretch).clamp_min(0)
    return (p[0] * p[0] + p[1] * p[1] + beyond * beyond).sqrt() - 0.36


SHAPES = {
    "ball": Shape(lambda p, k: (p * p).sum(0).sqrt() - 0.75, lambda d, k: 0.75 * d.norm(dim=0), 0.75),
    "box": Shape(_box, lambda d, k: 0.55 * (d[0].abs() + d[1].abs() + k * d[2].abs()), 0.68),
    "cylinder": Shape(lambda p, k: _pair(_across(p) - 0.5, p[2].abs() - 0.62 * k), lambda d, k: 0.5 * _across(d) + 0.62 * k * d[2].abs(), 0.62),
    "cone": Shape(lambda p, k: _tapered(_across(p), p[2], 0.6 * k, 0.65), lambda d, k: torch.maximum(0.6 * k * d[2], 0.65 * _across(d) - 0.6 * k * d[2]), 0.52),
    "pyramid": Shape(
        lambda p, k: _tapered(torch.maximum(p[0].abs(), p[1].abs()), p[2], 0.5 * k, 0.6),
        lambda d, k: torch.maximum(0.5 * k * d[2], 0.6 * (d[0].abs() + d[1].abs()) - 0.5 * k * d[2]),
        0.55,
    ),
    "torus": Shape(lambda p, k: ((_across(p) - 0.65).square() + p[2].square()).sqrt() - 0.25 * k, lambda d, k: 0.65 * _across(d) + 0.25 * k * d.norm(dim=0), 0.6, convex=False),
    "capsule": Shape(_capsule, lambda d, k: 0.36 * d.norm(dim=0) + 0.5 * k * d[2].abs(), 0.55),
    "octahedron": Shape(lambda p, k: (p.abs().sum(0) - 0.9) / 3**0.5, lambda d, k: 0.9 * d.abs().amax(0), 0.6),
}


def unit(vectors: Points) -> Points:
    """The vectors at length one."""
    return vectors * (vectors * vectors).sum(0).clamp_min(1e-20).rsqrt()


def trace(shape: Shape, stretch: Float[Tensor, " n"], start: Float[Tensor, "3 n"], along: Float[Tensor, "3 n"]) -> Float[Tensor, " n"]:
    """How far along each ray (local coordinates, unit directions, never backwards) the shape is met; infinity where it is not.

    A ray steps by the distance; towards a convex shape, whose distance along a ray is convex, by the secant through its last two places, which
    reaches further and no less safely, and a ray that moves away is done."""
    middle = -(start * along).sum(0)
    half = (REACH**2 - (start + middle * along).square().sum(0)).clamp_min(0).sqrt()
    met = torch.full_like(middle, torch.inf)
    active = torch.arange(len(middle), device=start.device)
    at, end, before, stride = (middle - half).clamp_min(0), middle + half, torch.full_like(middle, torch.inf), torch.ones_like(middle)
    for step in range(1, STEPS + 1):
        gap = shape.distance(start + at * along, stretch)
        approach = (before - gap) / stride
        arrived, before = gap < CLOSE, gap
        stride = torch.where(arrived, 0.0, gap / approach.clamp(1e-3, 1) if shape.convex else gap)
        at = at + stride
        if step % COMPACT == 0:
            met[active[arrived]] = at[arrived]
            leaving = (approach < 0) if shape.convex else False
            going = torch.nonzero(~(arrived | (at > end) | leaving))[:, 0]
            if not len(going):
                break
            active, at, end, before, stride, stretch = (value[going] for value in (active, at, end, before, stride, stretch))
            start, along = start[:, going], along[:, going]
    return met


def normals(shape: Shape, stretch: Float[Tensor, " n"], points: Float[Tensor, "3 n"]) -> Float[Tensor, "3 n"]:
    """Unit gradients of the distance, from four differences at the corners of a tetrahedron."""
    corners = points.new_tensor([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])[:, :, None]
    slope = sum(corner * shape.distance(points + NUDGE * corner, stretch) for corner in corners)
    return unit(slope)
