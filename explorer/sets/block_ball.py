"""A product of ℓ2 balls, one for each block of coordinates: the geometry of AdA's weight ball."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.randomness import Streams

from .base import Law
from .checks import check_radii
from .regions import INWARD, L2Ball, euclidean_norms, ratio


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
        return ratio(euclidean_norms(delta.split(self.sizes, 1)), self.radii)

    def gauge(self, delta: Float[Tensor, "batch parameters"]) -> Float[Tensor, "batch"]:
        return self.shares(delta).amax(1)

    def project(self, delta: Float[Tensor, "batch parameters"]) -> Float[Tensor, "batch parameters"]:
        """Each block shortened to its radius, and by units in the last place until the gauge as computed is at most 1: `L2Ball`'s projections,
        of all blocks together."""
        shares, inward, projected = self.shares(delta), INWARD * torch.finfo(delta.dtype).eps, delta
        while (outside := shares > 1).any():
            factors = torch.where(outside, (1 - inward) / shares, 1)
            projected = self._scaled(projected, factors, torch.empty_like(delta) if projected is delta else projected)
            shares = self.shares(projected)
            inward *= 2
        return projected

    def sample(self, streams: Streams, law: Law = "uniform") -> Float[Tensor, "batch parameters"]:
        """Blocks are independent; "uniform-norm" is AdA's start, a uniform length and direction in each."""
        return torch.cat([ball.sample(streams, law) for ball in self._balls], 1)

    def ascent_direction(self, gradient: Float[Tensor, "batch parameters"]) -> Float[Tensor, "batch parameters"]:
        return torch.cat([ball.ascent_direction(part) for ball, part in zip(self._balls, gradient.split(self.sizes, 1), strict=True)], 1)

    def scaled(self, shares: Float[Tensor, "batch"]) -> "BlockBall":
        return BlockBall(self.radii * shares[:, None], self.sizes)

    def _scaled(self, delta: Tensor, factors: Float[Tensor, "batch blocks"], out: Tensor) -> Tensor:
        for part, own, factor in zip(delta.split(self.sizes, 1), out.split(self.sizes, 1), factors.unbind(1), strict=True):
            torch.mul(part, factor[:, None], out=own)
        return out

    @cached_property
    def _balls(self) -> list[L2Ball]:
        return [L2Ball(radius, (size,)) for radius, size in zip(self.radii.unbind(1), self.sizes, strict=True)]
