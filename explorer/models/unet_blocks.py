"""The two halves of a U-Net with batch norm, bilinear on the way up (Ronneberger et al., 2015; the channels are those of Perturbation sets, Appendix F.1)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range

WIDTHS = (64, 128, 256, 512, 512)  # "[64, 128, 256, 512, 512] channels when downsampling"


def shape_problems(config, widths: str) -> list[str]:
    """What is wrong with the channels, size and widths of a configuration, whose field of that name holds the channels of each level."""
    problems, levels = out_of_range(config, channels=(1, 16), height=(1, 8192), width=(1, 8192), **{widths: (1, 65536)}), len(getattr(config, widths))
    if not problems and min(config.height, config.width) >> (levels - 1) < 1:
        problems.append(f"height and width = {config.height}, {config.width}: too small to be halved {levels - 1} times")
    return problems


class DoubleConvolution(nn.Sequential):
    """Twice a 3×3 convolution with batch norm and ReLU."""

    def __init__(self, inputs: int, outputs: int, between: int | None = None):
        between = between or outputs
        halves = [(inputs, between), (between, outputs)]
        super().__init__(*(layer for a, b in halves for layer in (nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(inplace=True))))


class Contraction(nn.Module):
    """An image to maps of falling size: each half as high and wide as the one before, rounded down."""

    def __init__(self, channels: int, widths: tuple[int, ...]):
        super().__init__()
        self.blocks = nn.ModuleList(DoubleConvolution(a, b) for a, b in zip((channels, *widths), widths, strict=False))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> list[Tensor]:
        first, *others = self.blocks
        maps = [first(x)]
        for block in others:
            maps.append(block(F.max_pool2d(maps[-1], 2)))
        return maps


class Expansion(nn.Module):
    """The maps of a contraction, finest first and each with `extra` channels more, to one map of the image's size and of `widths[0]` channels."""

    def __init__(self, widths: tuple[int, ...], extra: int = 0):
        super().__init__()
        below, blocks = widths[-1] + extra, []
        for level in reversed(range(len(widths) - 1)):
            joined, out = below + widths[level] + extra, widths[max(level - 1, 0)]
            blocks.append(DoubleConvolution(joined, out, joined // 2))
            below = out
        self.blocks = nn.ModuleList(blocks)

    def forward(self, maps: list[Tensor]) -> Float[Tensor, "batch first height width"]:
        *skips, hidden = maps
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            hidden = block(torch.cat([skip, _doubled(hidden, skip.shape[2:])], 1))
        return hidden


def _doubled(x: Tensor, size: torch.Size) -> Tensor:
    """Twice as high and wide, then framed by zeros to the size of the skipped map, which halving had rounded down."""
    x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
    down, right = size[0] - x.shape[2], size[1] - x.shape[3]
    return F.pad(x, [right // 2, right - right // 2, down // 2, down - down // 2])
