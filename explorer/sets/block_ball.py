"""A product of ℓ2 balls, one for each block of coordinates: the geometry of AdA's weight ball."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.randomness import Streams

from .base import Law
from .checks import check_radii
from .regions import L2Ball


@dataclass(frozen=True, eq=False)
class BlockBall:
    """‖δᵢ‖₂ ≤ rᵢ for every block δᵢ of δ, which has `sizes[i]` coordinates; the gauge is the largest of ‖δᵢ‖₂/rᵢ, AdA's ‖δ‖₂,φ/ν."""

    radii: Float[Tensor, "batch blocks"]
    sizes: tuple[int, ...]

    def __post_init__(self):
        check_radii(self.radii, "radii of blocks")
        if self.radii.shape[1] != len(self.sizes):
            raise InvalidInput(f"expected a radius for each of {len(self.sizes)} blocks, got {self.radii.shape[1]}.")

    @property
    def shape(self) -> tuple[int, ...]:
        return (sum(self.sizes),)

    def shares(self, delta: Float[Tensor, "batch parameters"]) -> Float[Tensor, "batch blocks"]:
        """‖δᵢ‖₂/rᵢ of each block: how much of its ball is used."""
        return torch.stack([ball.gauge(part) for ball, part in self._parts(delta)], 1)

    def gauge(self, delta: Float[Tensor, "batch parameters"]) -> Float[Tensor, "batch"]:
        return self.shares(delta).amax(1)

    def project(self, delta: Float[Tensor, "batch parameters"]) -> Float[Tensor, "batch parameters"]:
        """Each block shortened to its radius, and by units in the last place until the gauge as computed is at most 1: `L2Ball`'s projections,
        all written into one tensor."""
        projected, inward = torch.empty_like(delta), 1 - 2 * torch.finfo(delta.dtype).eps
        for (ball, part), own in zip(self._parts(delta), projected.split(self.sizes, 1), strict=True):
            gauge = ball.gauge(part)
            outside = gauge > 1
            if not outside.any():
                own.copy_(part)
                continue
            torch.mul(part, torch.where(outside, inward / gauge, 1)[:, None], out=own)
            shrink = torch.finfo(delta.dtype).eps
            while (outside := ball.gauge(own) > 1).any():
                own.mul_(torch.where(outside, 1 - shrink, 1.0).to(delta.dtype)[:, None])
                shrink *= 2
        return projected

    def sample(self, streams: Streams, law: Law = "uniform") -> Float[Tensor, "batch parameters"]:
        """Blocks are independent; "uniform-norm" is AdA's start, a uniform length and direction in each."""
        return torch.cat([ball.sample(streams, law) for ball in self._balls()], 1)

    def ascent_direction(self, gradient: Float[Tensor, "batch parameters"]) -> Float[Tensor, "batch parameters"]:
        return torch.cat([ball.ascent_direction(part) for ball, part in self._parts(gradient)], 1)

    def scaled(self, shares: Float[Tensor, "batch"]) -> "BlockBall":
        return BlockBall(self.radii * shares[:, None], self.sizes)

    def _balls(self) -> list[L2Ball]:
        return [L2Ball(radius, (size,)) for radius, size in zip(self.radii.unbind(1), self.sizes, strict=True)]

    def _parts(self, delta: Tensor) -> list[tuple[L2Ball, Tensor]]:
        return list(zip(self._balls(), delta.split(self.sizes, 1), strict=True))
