"""AugMix (Hendrycks et al., 2020b, Algorithm 1): an image mixed with chains of simple operations on it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput

from .byte_operations import OPERATIONS, operated
from .losses import Rows

LONGEST, SMALLEST_LEVEL = 3, 0.1


@dataclass(frozen=True)
class AugMix:
    """`width` chains of one to three operations, or of `depth`, each at a level between 0.1 and `severity` (3 for CIFAR-10, 1 for ImageNet);
    their weights have a Dirichlet law of `alpha`, the share of the image itself a Beta law of it."""

    severity: float = 3.0
    width: int = 3
    depth: int | None = None
    alpha: float = 1.0

    def __post_init__(self):
        if not (0.1 <= self.severity <= 10 and self.width >= 1 and self.alpha > 0 and (self.depth is None or self.depth >= 1)):
            raise InvalidInput(f"AugMix takes a severity from 0.1 to 10, a width and a depth of at least 1 and an alpha above 0, got {self}.")

    @torch.no_grad()
    def __call__(self, images: Float[Tensor, "batch c h w"], generator: torch.Generator, rows: Rows | None = None) -> Float[Tensor, "batch c h w"]:
        """Images in [0, 1]; each is drawn its own operations. Operations see bytes, the mixture is not rounded. Where these images are some rows of a
        batch, the numbers are drawn for the whole of it."""
        rows, pixels = rows or Rows(0, len(images), len(images)), (255 * images).round()
        weights = rows.of(_gamma(self.alpha, (rows.whole, self.width), generator))
        weights = (weights / weights.sum(1, keepdim=True)).to(images)
        first, second = rows.of(_gamma(self.alpha, (2, rows.whole), generator), 1)
        share = (first / (first + second)).to(images).view(-1, 1, 1, 1)
        chains = self._chains(pixels.repeat(self.width, 1, 1, 1), generator, rows).unflatten(0, (self.width, len(images)))
        return torch.lerp(images, torch.einsum("bw,wbcij->bcij", weights, chains) / 255, share)

    def _chains(self, pixels: Float[Tensor, "chains c h w"], generator: torch.Generator, rows: Rows) -> Float[Tensor, "chains c h w"]:
        """Each image after its own one to three operations."""
        count = self.width * rows.whole
        own = rows.of(torch.arange(count).view(self.width, rows.whole), 1).flatten()
        lengths = torch.full((count,), self.depth) if self.depth else torch.randint(1, LONGEST + 1, (count,), generator=generator)
        for step in range(self.depth or LONGEST):
            chosen = torch.randint(len(OPERATIONS), (count,), generator=generator).masked_fill(lengths <= step, -1)
            levels = SMALLEST_LEVEL + (self.severity - SMALLEST_LEVEL) * torch.rand(count, generator=generator)
            signs = 1.0 - 2.0 * torch.randint(2, (count,), generator=generator)
            pixels = operated(pixels, *(each[own].to(pixels.device) for each in (chosen, levels, signs)))
        return pixels


def _gamma(alpha: float, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    if alpha == 1:
        return -torch.rand(shape, generator=generator, dtype=torch.float64).clamp(min=1e-300).log()
    return torch._standard_gamma(torch.full(shape, alpha, dtype=torch.float64), generator=generator)
