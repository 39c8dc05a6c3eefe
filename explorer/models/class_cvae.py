"""Variational autoencoders of images given their class (Manifold directions, §3 and Appendix B; Sohn et al., 2015)."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError, InvalidInput

from .gaussian import Gaussian


class ClassConditionalVAE(nn.Module):
    """q(z | x, y) and g(z, y): labels join both networks' inputs as one-hot vectors, or as planes of an image."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, latent_dim: int, image_shape: tuple[int, int, int], classes: int, planes: bool):
        super().__init__()
        self.encoder, self.decoder, self.planes = encoder, decoder, planes
        self.latent_dim, self.image_shape, self.classes = latent_dim, image_shape, classes

    def encode(self, x: Float[Tensor, "batch c h w"], labels: Int[Tensor, "batch"]) -> Gaussian:
        """q(z | x, y), the inverse map I_y(x) by its mean (§3)."""
        code = self._code(labels, x)
        given = torch.cat([x, code[..., None, None].expand(-1, -1, *x.shape[2:])], 1) if self.planes else torch.cat([x.flatten(1), code], 1)
        return Gaussian(*self.encoder(given).chunk(2, 1))

    def decode(self, z: Float[Tensor, "batch latent"], labels: Int[Tensor, "batch"]) -> Float[Tensor, "batch c h w"]:
        """The image g(z, y), in [0, 1]."""
        return self.decoder(torch.cat([z, self._code(labels, z)], 1))

    def forward(
        self, x: Float[Tensor, "batch c h w"], labels: Int[Tensor, "batch"], noise: Float[Tensor, "batch latent"]
    ) -> tuple[Float[Tensor, "batch c h w"], Gaussian]:
        """Reconstruction of x, and its posterior; `noise` is standard normal."""
        posterior = self.encode(x, labels)
        return self.decode(posterior.reparameterise(noise), labels), posterior

    def _code(self, labels: Int[Tensor, "batch"], like: Tensor) -> Float[Tensor, "batch classes"]:
        if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes:
            raise InvalidInput(f"labels must lie from 0 to {self.classes - 1}, got {int(labels.min())} to {int(labels.max())}.")
        return F.one_hot(labels, self.classes).to(like)


@dataclass(frozen=True)
class ClassMlpConfig:
    """Two linear layers each, with 256 hidden units (Appendix B.1, MNIST); {} has 415,524 parameters."""

    channels: int = 1
    height: int = 28
    width: int = 28
    classes: int = 10
    latent_dim: int = 10
    hidden_units: int = 256

    def __post_init__(self):
        edge, width = (1, 4096), (1, 65536)
        if problems := out_of_range(self, channels=(1, 16), height=edge, width=edge, classes=(1, 65536), latent_dim=width, hidden_units=width):
            raise ConfigurationError(problems)


@dataclass(frozen=True)
class ClassCnnConfig:
    """Four convolutions each, every one halving or doubling the image (Appendix B.2, CIFAR-10, which names no widths)."""

    channels: int = 3
    height: int = 32
    width: int = 32
    classes: int = 10
    latent_dim: int = 128
    widths: tuple[int, int, int, int] = (32, 64, 128, 256)

    def __post_init__(self):
        edge, width = (16, 4096), (1, 65536)
        problems = out_of_range(self, channels=(1, 16), height=edge, width=edge, classes=(1, 65536), latent_dim=width, widths=width)
        if self.height % 16 or self.width % 16:
            problems.append(f"height and width = {self.height}, {self.width}: expected multiples of 16, they are halved four times")
        if problems:
            raise ConfigurationError(problems)


def class_mlp_cvae(config: ClassMlpConfig) -> ClassConditionalVAE:
    shape = (config.channels, config.height, config.width)
    pixels, hidden = math.prod(shape), config.hidden_units
    encoder = nn.Sequential(nn.Linear(pixels + config.classes, hidden), nn.ReLU(), nn.Linear(hidden, 2 * config.latent_dim))
    decoder = nn.Sequential(nn.Linear(config.latent_dim + config.classes, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid(), nn.Unflatten(1, shape))
    return ClassConditionalVAE(encoder, decoder, config.latent_dim, shape, config.classes, planes=False)


def class_cnn_cvae(config: ClassCnnConfig) -> ClassConditionalVAE:
    shape, halving = (config.channels, config.height, config.width), {"kernel_size": 4, "stride": 2, "padding": 1}
    last = (config.widths[-1], config.height // 16, config.width // 16)
    maps = (config.channels + config.classes, *config.widths)
    down = [layer for ends in zip(maps, maps[1:]) for layer in (nn.Conv2d(*ends, **halving), nn.ReLU())]
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(math.prod(last), 2 * config.latent_dim))
    back = (*reversed(config.widths), config.channels)
    up = [layer for ends in zip(back, back[1:]) for layer in (nn.ConvTranspose2d(*ends, **halving), nn.ReLU())]
    decoder = nn.Sequential(nn.Linear(config.latent_dim + config.classes, math.prod(last)), nn.ReLU(), nn.Unflatten(1, last), *up[:-1], nn.Sigmoid())
    return ClassConditionalVAE(encoder, decoder, config.latent_dim, shape, config.classes, planes=True)
