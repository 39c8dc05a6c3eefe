"""The U-Net that learns changes of lighting: a conditional VAE with latents in every skip connection (Perturbation sets, Appendix F.1)."""

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
from .unet_blocks import WIDTHS, Contraction, Expansion, shape_problems

POOLED = ((125, 187), (62, 93), (31, 46), (15, 23), (7, 11))
"""Sizes of the five maps at 125 × 187, to which those of every other resolution are pooled. (The text prints (127, 187) for the first; an image of 125 rows has none of 127.)"""


@dataclass(frozen=True)
class UNetCvaeConfig:
    """{} is the paper's size, 258,066,597 parameters at every resolution. `latent_dims` and `pooled` (height, width) belong to the skip
    connections from the finest to the coarsest, `skip_channels` to what is pooled. Log-variances are bounded as in Appendix E.1."""

    channels: int = 3
    height: int = 125
    width: int = 187
    level_widths: tuple[int, ...] = WIDTHS
    skip_channels: int = 16
    pooled: tuple[tuple[int, int], ...] = POOLED
    latent_dims: tuple[int, ...] = (128, 64, 32, 16, 16)
    log_var_bounds: tuple[float, float] = (math.log(1e-3), math.log(10))

    def __post_init__(self):
        problems = shape_problems(self, "level_widths") + out_of_range(self, skip_channels=(1, 4096), latent_dims=(1, 65536))
        if not len(self.level_widths) == len(self.pooled) == len(self.latent_dims):
            problems.append(f"level_widths, pooled and latent_dims have {len(self.level_widths)}, {len(self.pooled)} and {len(self.latent_dims)} levels: expected as many of each")
        if not all(1 <= edge <= 8192 for size in self.pooled for edge in size):
            problems.append(f"pooled = {self.pooled}: expected heights and widths of 1 to 8192")
        if not -50 <= self.log_var_bounds[0] < self.log_var_bounds[1] <= 50:
            problems.append(f"log_var_bounds = {self.log_var_bounds}: expected lower < upper, between -50 and 50")
        if problems:
            raise ConfigurationError(problems)


class UNetEncoder(nn.Module):
    """The falling half of a U-Net. Each map, reduced to few channels (with a ReLU, as published) and pooled, gives its part of the mean and log-variance."""

    def __init__(self, channels: int, config: UNetCvaeConfig):
        super().__init__()
        self.contraction = Contraction(channels, config.level_widths)
        self.reduce = nn.ModuleList(nn.Conv2d(width, config.skip_channels, 1) for width in config.level_widths)
        ends = [(config.skip_channels * height * width, latents) for (height, width), latents in zip(config.pooled, config.latent_dims)]
        self.mean, self.log_var = (nn.ModuleList(nn.Linear(*each) for each in ends) for _ in range(2))
        self.pooled, self.bound = config.pooled, BoundedLogVar(*config.log_var_bounds)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Gaussian:
        maps = [F.relu(reduce(each)) for reduce, each in zip(self.reduce, self.contraction(x))]
        features = [F.adaptive_avg_pool2d(each, size).flatten(1) for each, size in zip(maps, self.pooled)]
        mean, log_var = (torch.cat([linear(each) for linear, each in zip(layers, features)], 1) for layers in (self.mean, self.log_var))
        return Gaussian(mean, self.bound(log_var))


class UNetGenerator(nn.Module):
    """A whole U-Net of the clean image. Each part of the latent becomes one more channel of its skip connection."""

    def __init__(self, config: UNetCvaeConfig):
        super().__init__()
        self.contraction, self.expansion = Contraction(config.channels, config.level_widths), Expansion(config.level_widths, extra=1)
        self.maps = nn.ModuleList(nn.Linear(latents, height * width) for latents, (height, width) in zip(config.latent_dims, config.pooled))
        self.last = nn.Conv2d(config.level_widths[0], config.channels, 1)
        self.pooled, self.latent_dims = config.pooled, config.latent_dims

    def forward(self, clean: Float[Tensor, "batch c h w"], z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch c h w"]:
        steered = [linear(part).view(len(z), 1, *size) for linear, part, size in zip(self.maps, z.split(self.latent_dims, 1), self.pooled)]
        maps = [torch.cat([each, _resized(control, each.shape[2:])], 1) for each, control in zip(self.contraction(clean), steered)]
        return torch.sigmoid(self.last(self.expansion(maps)))


def unet_cvae(config: UNetCvaeConfig) -> ConditionalVAE:
    """Weights lie channels last: a training step on two cores takes 0.6 of its time so, and tensor cores ask for it."""
    model = ConditionalVAE(
        prior=UNetEncoder(config.channels, config),
        recognition=UNetEncoder(2 * config.channels, config),
        generator=UNetGenerator(config),
        latent_dim=sum(config.latent_dims),
        image_shape=(config.channels, config.height, config.width),
    )
    return model.to(memory_format=torch.channels_last)


def _resized(control: Tensor, size: torch.Size) -> Tensor:
    return control if control.shape[2:] == size else F.interpolate(control, size=size, mode="bilinear")
