"""EDSR, a super-resolution network (Lim et al., 2017), back at the image's own size."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError

MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K, as in the published weights
RANGE = 255.0


@dataclass(frozen=True)
class EdsrConfig:
    """The baseline of 16 residual blocks of 64 maps without batch norm. {} enlarges twice and has AdA's 1,369,859 parameters; scale 4 is that
    of DeepAugment's weights, with 1,517,571."""

    channels: int = 3
    features: int = 64
    blocks: int = 16
    scale: Literal[2, 4] = 2

    def __post_init__(self):
        if problems := out_of_range(self, channels=(1, 16), features=(1, 4096), blocks=(0, 256)):
            raise ConfigurationError(problems)


class Edsr(nn.Module):
    """`enlarge` is the network; `forward` averages its output back to the size of x."""

    def __init__(self, config: EdsrConfig):
        super().__init__()
        features, doublings = config.features, config.scale.bit_length() - 1
        self.scale = config.scale
        self.head = _convolution(config.channels, features)
        self.body = nn.Sequential(*(ResidualBlock(features) for _ in range(config.blocks)), _convolution(features, features))
        self.tail = nn.Sequential(*(layer for _ in range(doublings) for layer in (_convolution(features, 4 * features), nn.PixelShuffle(2))), _convolution(features, config.channels))
        mean = torch.tensor(MEAN) if config.channels == 3 else torch.full((config.channels,), sum(MEAN) / 3)
        self.register_buffer("mean", mean.view(-1, 1, 1), persistent=False)

    def enlarge(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels high wide"]:
        hidden = self.head(RANGE * (x - self.mean))
        return self.tail(hidden + self.body(hidden)) / RANGE + self.mean

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        return F.avg_pool2d(self.enlarge(x), self.scale)


class ResidualBlock(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        self.first, self.second = _convolution(features, features), _convolution(features, features)

    def forward(self, x: Float[Tensor, "batch features height width"]) -> Float[Tensor, "batch features height width"]:
        return x + self.second(F.relu(self.first(x)))


def edsr(config: EdsrConfig) -> Edsr:
    return Edsr(config)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
