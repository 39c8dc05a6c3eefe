"""The residual network that learns common corruptions of colour images (Perturbation sets, Appendix E.1, Tables 5 and 6)."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError

from .cvae import ConditionalVAE
from .gaussian import BoundedLogVar, Gaussian

LOG_VAR_BOUNDS = (math.log(1e-3), math.log(10.0))  # Appendix E.1, "Stabilizing the exponential function"


@dataclass(frozen=True)
class ResidualConfig:
    """`maps` wide residual blocks that narrow to `inner_maps`, an encoder that ends in `bottleneck_maps`; {} is the paper's size, 34,332,992
    parameters: its convolutions have no biases."""

    channels: int = 3
    height: int = 32
    width: int = 32
    latent_dim: int = 512
    maps: int = 64
    inner_maps: int = 16
    bottleneck_maps: int = 16
    blocks: int = 4
    log_var_bounds: tuple[float, float] = LOG_VAR_BOUNDS

    def __post_init__(self):
        edge, many = (5, 4096), (1, 65536)
        problems = out_of_range(
            self, channels=(1, 16), height=edge, width=edge, latent_dim=many, maps=many, inner_maps=many, bottleneck_maps=many, blocks=(1, 64)
        )
        if not -50 <= self.log_var_bounds[0] < self.log_var_bounds[1] <= 50:
            problems.append(f"log_var_bounds = {self.log_var_bounds}: expected lower < upper, between -50 and 50")
        if problems:
            raise ConfigurationError(problems)


class BottleneckBlock(nn.Module):
    """x plus two convolutions of it, to `inner_maps` and back, each pre-activated with batch norm and ReLU ("Residual(64)")."""

    def __init__(self, maps: int, inner_maps: int):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(maps), nn.BatchNorm2d(inner_maps)
        self.conv1, self.conv2 = _convolution(maps, inner_maps), _convolution(inner_maps, maps)

    def forward(self, x: Float[Tensor, "batch maps height width"]) -> Float[Tensor, "batch maps height width"]:
        return x + self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))


class ResidualTrunk(nn.Module):
    """Convolution, residual blocks, and a pre-activated convolution to `outputs` maps, all at the image's size."""

    def __init__(self, channels: int, outputs: int, config: ResidualConfig):
        super().__init__()
        self.first = _convolution(channels, config.maps)
        self.blocks = nn.Sequential(*(BottleneckBlock(config.maps, config.inner_maps) for _ in range(config.blocks)))
        self.norm, self.last = nn.BatchNorm2d(config.maps), _convolution(config.maps, outputs)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch outputs height width"]:
        return self.last(F.relu(self.norm(self.blocks(self.first(x)))))


class ResidualEncoder(nn.Module):
    """Table 5: few maps of the image's size, then two linear maps to mean and log-variance."""

    def __init__(self, channels: int, config: ResidualConfig):
        super().__init__()
        self.trunk, self.norm = ResidualTrunk(channels, config.bottleneck_maps, config), nn.BatchNorm2d(config.bottleneck_maps)
        features = config.bottleneck_maps * config.height * config.width
        self.mean, self.log_var = (nn.Linear(features, config.latent_dim) for _ in range(2))
        self.bound = BoundedLogVar(*config.log_var_bounds)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Gaussian:
        features = F.relu(self.norm(self.trunk(x))).flatten(1)
        return Gaussian(self.mean(features), self.bound(self.log_var(features)))


class ResidualGenerator(nn.Module):
    """Table 6: the latent becomes one map beside the clean image's channels."""

    def __init__(self, config: ResidualConfig):
        super().__init__()
        self.control = nn.Linear(config.latent_dim, config.height * config.width)
        self.trunk = ResidualTrunk(config.channels + 1, config.channels, config)

    def forward(self, clean: Float[Tensor, "batch c h w"], z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch c h w"]:
        control = self.control(z).view(len(z), 1, *clean.shape[2:])
        return torch.sigmoid(self.trunk(torch.cat([control, clean], 1)))


def residual_cvae(config: ResidualConfig) -> ConditionalVAE:
    return ConditionalVAE(
        prior=ResidualEncoder(config.channels, config),
        recognition=ResidualEncoder(2 * config.channels, config),
        generator=ResidualGenerator(config),
        latent_dim=config.latent_dim,
        image_shape=(config.channels, config.height, config.width),
    )


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
