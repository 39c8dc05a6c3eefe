"""The two networks that learn ℓ∞ perturbations (Perturbation sets, Appendix D.1, "ℓ∞ details")."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError

from .blocks import SteppingConv2d
from .cvae import ConditionalVAE
from .gaussian import Gaussian


@dataclass(frozen=True)
class LinfFcConfig:
    """One hidden layer in each network; {} has 6,152,832 parameters."""

    channels: int = 1
    height: int = 28
    width: int = 28
    hidden_units: int = 784
    latent_dim: int = 784

    def __post_init__(self):
        edge, width = (1, 4096), (1, 65536)
        if problems := out_of_range(self, channels=(1, 16), height=edge, width=edge, hidden_units=width, latent_dim=width):
            raise ConfigurationError(problems)


@dataclass(frozen=True)
class LinfConvConfig:
    """Two hidden convolutions in each network, latent maps of a quarter of the edge; {} has 426,766 parameters."""

    channels: int = 1
    height: int = 28
    width: int = 28
    widths: tuple[int, int, int] = (32, 64, 128)

    def __post_init__(self):
        problems = out_of_range(self, channels=(1, 16), height=(4, 4096), width=(4, 4096), widths=(1, 65536))
        if self.height % 4 or self.width % 4:
            problems.append(f"height and width = {self.height}, {self.width}: expected multiples of 4, they are halved twice")
        if problems:
            raise ConfigurationError(problems)

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        return self.widths[2], self.height // 4, self.width // 4


class FcEncoder(nn.Module):
    def __init__(self, channels: int, config: LinfFcConfig):
        super().__init__()
        self.hidden = nn.Linear(channels * config.height * config.width, config.hidden_units)
        self.mean, self.log_var = (nn.Linear(config.hidden_units, config.latent_dim) for _ in range(2))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Gaussian:
        hidden = F.relu(self.hidden(x.flatten(1)))
        return Gaussian(self.mean(hidden), self.log_var(hidden))


class FcGenerator(nn.Module):
    def __init__(self, config: LinfFcConfig):
        super().__init__()
        pixels = config.channels * config.height * config.width
        self.hidden = nn.Linear(pixels + config.latent_dim, config.hidden_units)
        self.pixels = nn.Linear(config.hidden_units, pixels)

    def forward(self, clean: Float[Tensor, "batch c h w"], z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch c h w"]:
        hidden = F.relu(self.hidden(torch.cat([clean.flatten(1), z], 1)))
        return torch.sigmoid(self.pixels(hidden)).view_as(clean)


class ConvEncoder(nn.Module):
    """Two convolutions with ReLU and max pooling, then one each for mean and log-variance."""

    def __init__(self, channels: int, config: LinfConvConfig):
        super().__init__()
        first, second, latent = config.widths
        self.conv1, self.conv2 = nn.Conv2d(channels, first, 3, padding=1), nn.Conv2d(first, second, 3, padding=1)
        self.mean, self.log_var = (nn.Conv2d(second, latent, 3, padding=1) for _ in range(2))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Gaussian:
        for conv in (self.conv1, self.conv2):
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return Gaussian(self.mean(x).flatten(1), self.log_var(x).flatten(1))


class ConvGenerator(nn.Module):
    """Convolutions with ReLU and nearest upsampling; the clean image, brought to each size by a strided 1×1 convolution, is
    concatenated before each of them."""

    def __init__(self, config: LinfConvConfig):
        super().__init__()
        first, second, latent = config.widths
        channels = config.channels
        self.latent_shape = config.latent_shape
        self.to_quarter, self.to_half = SteppingConv2d(channels, channels, 4), SteppingConv2d(channels, channels, 2)
        self.conv1 = nn.Conv2d(latent + channels, second, 3, padding=1)
        self.conv2 = nn.Conv2d(second + channels, first, 3, padding=1)
        self.conv3 = nn.Conv2d(first + channels, channels, 3, padding=1)

    def forward(self, clean: Float[Tensor, "batch c h w"], z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch c h w"]:
        hidden = z.view(len(z), *self.latent_shape)
        for conv, downsample in ((self.conv1, self.to_quarter), (self.conv2, self.to_half)):
            hidden = F.relu(conv(torch.cat([hidden, downsample(clean)], 1)))
            hidden = F.interpolate(hidden, scale_factor=2, mode="nearest")
        return torch.sigmoid(self.conv3(torch.cat([hidden, clean], 1)))


def linf_fc_cvae(config: LinfFcConfig) -> ConditionalVAE:
    shape = (config.channels, config.height, config.width)
    encoders = FcEncoder(config.channels, config), FcEncoder(2 * config.channels, config)
    return ConditionalVAE(*encoders, FcGenerator(config), config.latent_dim, shape)


def linf_conv_cvae(config: LinfConvConfig) -> ConditionalVAE:
    shape = (config.channels, config.height, config.width)
    maps, height, width = config.latent_shape
    encoders = ConvEncoder(config.channels, config), ConvEncoder(2 * config.channels, config)
    return ConditionalVAE(*encoders, ConvGenerator(config), maps * height * width, shape)
