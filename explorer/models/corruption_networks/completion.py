"""A U-Net that fills in missing pixels (AdA, Appendix E.6; Ronneberger et al., 2015)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError


@dataclass(frozen=True)
class UNetConfig:
    """Widths from the image down; the deepest begins the decoder. {} has AdA's 58,627 parameters."""

    channels: int = 3
    widths: tuple[int, ...] = (16, 32, 64)

    def __post_init__(self):
        if problems := out_of_range(self, channels=(1, 16), widths=(1, 4096)):
            raise ConfigurationError(problems)


class CompletionUNet(nn.Module):
    """3 × 3 convolutions with ReLU; halves by max pooling, doubles by repeating pixels, and joins the map of the same size on the way up."""

    def __init__(self, config: UNetConfig):
        super().__init__()
        widths = config.widths
        self.down = nn.ModuleList(_convolution(a, b) for a, b in zip((config.channels, *widths), widths, strict=False))
        self.up = nn.ModuleList(_convolution(below + skip, skip) for below, skip in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.last = _convolution(widths[0], config.channels)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        hidden, skips = F.relu(self.down[0](x)), []
        for convolution in self.down[1:]:
            skips.append(hidden)
            hidden = F.relu(convolution(F.max_pool2d(hidden, 2, ceil_mode=True)))
        for convolution, skip in zip(self.up, reversed(skips), strict=True):
            hidden = F.relu(convolution(torch.cat([F.interpolate(hidden, size=skip.shape[2:], mode="nearest"), skip], 1)))
        return self.last(hidden)


def completion_unet(config: UNetConfig) -> CompletionUNet:
    return CompletionUNet(config)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
