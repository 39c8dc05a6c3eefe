"""The variational autoencoder of proVAE, §4: an encoder of images, and a decoder that mirrors it."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError
from explorer.metrics import squared_error

from .gaussian import Gaussian, kl_divergence

SIGMA0 = math.sqrt(0.5)  # σ0² = ½: the ELBO that Table 1 reports, −‖x − g‖² − KL
LOG_SIGMA_LIMIT = 20.0  # far outside every trained model; σ² and its bounds stay finite in float32


class VAE(nn.Module):
    """q(z | x) = N(mean, diag σ²) and p(x | z) = N(g(z), σ0²) (proVAE, eq. 8).

    `encoder` maps images to one tensor, mean ‖ log σ; `decoder` maps z to the mean image g(z) in [0, 1]."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, latent_dim: int, image_shape: tuple):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.latent_dim, self.image_shape = latent_dim, tuple(image_shape)

    def encode(self, x: Float[Tensor, "batch c h w"]) -> Gaussian:
        """q(z | x)."""
        mean, log_sigma = split_posterior(self.encoder(x))
        return Gaussian(mean, 2 * log_sigma)

    def decode(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch c h w"]:
        """The mean image g(z), in [0, 1]."""
        return self.decoder(z)

    def forward(
        self, x: Float[Tensor, "batch c h w"], noise: Float[Tensor, "batch latent"]
    ) -> tuple[Float[Tensor, "batch c h w"], Gaussian]:
        """Reconstruction of x, and its posterior; `noise` is standard normal."""
        posterior = self.encode(x)
        return self.decode(posterior.reparameterise(noise)), posterior


def split_posterior(encoded: Float[Tensor, "batch both"]) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
    """Mean and log σ of an encoder's output, log σ limited to ±20. Both rise with it, so that they also map the ends of an interval."""
    mean, log_sigma = encoded.chunk(2, 1)
    return mean, log_sigma.clamp(-LOG_SIGMA_LIMIT, LOG_SIGMA_LIMIT)


def elbo(
    model: VAE, x: Float[Tensor, "batch c h w"], noise: Float[Tensor, "batch latent"], sigma0: float = SIGMA0
) -> Float[Tensor, "batch"]:
    """−‖x − g(z)‖²/(2σ0²) − KL(q(z | x) || N(0, I)) at z = mean + σ·noise, in nats up to the constant of the likelihood.

    One sample of proVAE, eq. 9, whose printed form lacks the residual's sign and inverts σ0²."""
    decoded, posterior = model(x, noise)
    return -squared_error(decoded, x) / (2 * sigma0**2) - kl_to_standard_normal(posterior)


def kl_to_standard_normal(posterior: Gaussian) -> Float[Tensor, "batch"]:
    """KL(q || N(0, I)), in nats."""
    zero = torch.zeros_like(posterior.mean)
    return kl_divergence(posterior, Gaussian(zero, zero))


@dataclass(frozen=True)
class VaeConfig:
    """proVAE, §4; {} is the size for MNIST, 10,377,957 parameters. The paper names neither kernels nor strides: 4×4 with stride 2, which
    gives its 3136 = 64·7·7 and 4096 = 64·8·8 units."""

    channels: int = 1
    height: int = 28
    width: int = 28
    latent_dim: int = 50
    widths: tuple[int, int] = (32, 64)
    hidden_units: int | None = None  # none: as many as the convolutions end with, the paper's 3136 and 4096

    def __post_init__(self):
        edge, width = (4, 4096), (1, 65536)
        problems = out_of_range(self, channels=(1, 16), height=edge, width=edge, latent_dim=width, widths=width)
        if self.hidden_units is not None and not 1 <= self.hidden_units <= 65536:
            problems.append(f"hidden_units = {self.hidden_units}: expected 1 to 65536, or none")
        if self.height % 4 or self.width % 4:
            problems.append(f"height and width = {self.height}, {self.width}: expected multiples of 4, they are halved twice")
        if problems:
            raise ConfigurationError(problems)

    @property
    def map_shape(self) -> tuple[int, int, int]:
        """Of what the convolutions end with."""
        return self.widths[1], self.height // 4, self.width // 4


HALVING = {"kernel_size": 4, "stride": 2, "padding": 1}


def convolutional_vae(config: VaeConfig) -> VAE:
    """"Two convolutional layers of 32 and 64 filters and a fully connected layer", heads that share all but themselves; the decoder has
    "a fully connected layer … and two convolutional layers of 64 and 32 filters" and a sigmoid at its end."""
    first, second = config.widths
    units = math.prod(config.map_shape)
    hidden = config.hidden_units or units
    encoder = nn.Sequential(
        nn.Conv2d(config.channels, first, **HALVING), nn.ReLU(),
        nn.Conv2d(first, second, **HALVING), nn.ReLU(), nn.Flatten(),
        nn.Linear(units, hidden), nn.ReLU(),
        nn.Linear(hidden, 2 * config.latent_dim),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(config.latent_dim, units), nn.ReLU(), nn.Unflatten(1, config.map_shape),
        nn.ConvTranspose2d(second, first, **HALVING), nn.ReLU(),
        nn.ConvTranspose2d(first, config.channels, **HALVING), nn.Sigmoid(),
    )  # fmt: skip
    return VAE(encoder, decoder, config.latent_dim, (config.channels, config.height, config.width))
