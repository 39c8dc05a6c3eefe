"""A single spatial transformer as a corruption network: perturbed weights are small affine maps of the image (AdA, Appendix A.1)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class AffineConfig:
    """Six numbers, the identity."""

    channels: int = 3


class AffineWarp(nn.Module):
    """Moves the image by the affine map (bilinear, border pixels repeated)."""

    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        grid = F.affine_grid(self.matrix.expand(len(x), 2, 3), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def affine_warp(config: AffineConfig) -> AffineWarp:
    return AffineWarp()
