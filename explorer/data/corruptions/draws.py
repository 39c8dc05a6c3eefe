"""Random numbers for a batch of images, each image with its own stream, on the images' device."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.randomness import Streams


@dataclass(frozen=True, eq=False)
class Draws:
    streams: Streams
    like: Tensor

    def normal(self, shape: Sequence[int]) -> Float[Tensor, "batch ..."]:
        return self.streams.normal(tuple(shape)).to(self.like)

    def uniform(self, shape: Sequence[int], low: float = 0.0, high: float = 1.0) -> Float[Tensor, "batch ..."]:
        return low + (high - low) * self.streams.uniform(tuple(shape)).to(self.like)

    def integers(self, shape: Sequence[int], low: int, high: int) -> Int[Tensor, "batch ..."]:
        """From low to high − 1."""
        return (low + (self.streams.uniform(tuple(shape)).double() * (high - low)).floor()).long().clamp(low, high - 1).to(self.like.device)

    def poisson(self, rates: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        if not len(rates):
            return rates
        drawn = [torch.poisson(each, generator=own) for each, own in zip(rates.cpu(), self.streams.generators, strict=True)]
        return torch.stack(drawn).to(self.like)
