"""Conditional variational autoencoders that learn a perturbation set from pairs (Perturbation sets, §4)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError

from .blocks import PreActivationBlock, ReflectedConv2d, SpatialTransformer
from .gaussian import BoundedLogVar, Gaussian


class ConditionalVAE(nn.Module):
    """A prior p(z | clean), a recognition network q(z | clean, perturbed) and a generator g(clean, z).

    `latent_dim` and `image_shape` (channels, height, width) say what it takes."""

    def __init__(self, prior: nn.Module, recognition: nn.Module, generator: nn.Module, latent_dim: int, image_shape: tuple):
        super().__init__()
        self.prior, self.recognition, self.generator = prior, recognition, generator
        self.latent_dim, self.image_shape = latent_dim, tuple(image_shape)

    def encode(self, clean: Float[Tensor, "batch c h w"], perturbed: Float[Tensor, "batch c h w"]) -> Gaussian:
        """q(z | clean, perturbed)."""
        return self.recognition(torch.cat([clean, perturbed], 1))

    def decode(self, clean: Float[Tensor, "batch c h w"], z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch c h w"]:
        """The mean image g(z, clean), in [0, 1]."""
        return self.generator(clean, z)

    def forward(
        self, clean: Float[Tensor, "batch c h w"], perturbed: Float[Tensor, "batch c h w"], noise: Float[Tensor, "batch latent"]
    ) -> tuple[Float[Tensor, "batch c h w"], Gaussian, Gaussian]:
        """Reconstruction of `perturbed`, posterior and prior; `noise` is standard normal."""
        posterior, prior = self.encode(clean, perturbed), self.prior(clean)
        return self.decode(clean, posterior.reparameterise(noise)), posterior, prior


@dataclass(frozen=True)
class RtsConfig:
    """Perturbation sets, Appendix D.1, "RTS details"; {} is the paper's size, 6,435,084 parameters."""

    channels: int = 1
    height: int = 42
    width: int = 42
    latent_dim: int = 128
    transformers: int = 5
    localization_widths: tuple[int, ...] = (512, 128)
    log_var_bounds: tuple[float, float] | None = None

    def __post_init__(self):
        edge, width = (5, 4096), (1, 65536)
        problems = out_of_range(
            self, channels=(1, 16), height=edge, width=edge, latent_dim=width, transformers=(1, 64), localization_widths=width
        )
        if len(self.localization_widths) > 8:
            problems.append(f"localization_widths = {self.localization_widths}: expected at most 8 widths")
        if self.log_var_bounds and not -50 <= self.log_var_bounds[0] < self.log_var_bounds[1] <= 50:
            problems.append(f"log_var_bounds = {self.log_var_bounds}: expected lower < upper, between -50 and 50")
        if problems:
            raise ConfigurationError(problems)


class RtsEncoder(nn.Module):
    """One pre-activation block and two linear maps to mean and log-variance."""

    def __init__(self, channels: int, config: RtsConfig):
        super().__init__()
        self.block = PreActivationBlock(channels)
        features = channels * config.height * config.width
        self.mean, self.log_var = (nn.Linear(features, config.latent_dim) for _ in range(2))
        self.bound = BoundedLogVar(*config.log_var_bounds) if config.log_var_bounds else nn.Identity()

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Gaussian:
        features = self.block(x).flatten(1)
        return Gaussian(self.mean(features), self.bound(self.log_var(features)))


class RtsGenerator(nn.Module):
    """The latent becomes a map of the image's size, which steers parallel spatial transformers of the clean image; a
    block and a convolution merge their outputs."""

    def __init__(self, config: RtsConfig):
        super().__init__()
        control, stacked = config.height * config.width, config.transformers * config.channels
        self.control = nn.Linear(config.latent_dim, control)
        self.transformers = nn.ModuleList(
            SpatialTransformer(control, config.localization_widths) for _ in range(config.transformers)
        )
        self.block = PreActivationBlock(stacked)
        self.merge = ReflectedConv2d(stacked, config.channels, 5)

    def forward(self, clean: Float[Tensor, "batch c h w"], z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch c h w"]:
        control = self.control(z)
        moved = torch.cat([transformer(clean, control) for transformer in self.transformers], 1)
        return torch.sigmoid(self.merge(self.block(moved)))


def rts_cvae(config: RtsConfig) -> ConditionalVAE:
    return ConditionalVAE(
        prior=RtsEncoder(config.channels, config),
        recognition=RtsEncoder(2 * config.channels, config),
        generator=RtsGenerator(config),
        latent_dim=config.latent_dim,
        image_shape=(config.channels, config.height, config.width),
    )
