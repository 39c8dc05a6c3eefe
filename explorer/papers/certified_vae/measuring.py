"""The ELBO of each image of a data set, its bound over a box, and samples of the prior, with noise fixed by the image's number."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.bounds.elbo import elbo_lower_bound
from explorer.models import VAE, elbo
from explorer.models.vae import SIGMA0
from explorer.randomness import Streams
from explorer.types import Progress, Silent, stop_if_cancelled


@dataclass(frozen=True)
class Likelihoods:
    """For each image, in nats: the sampled ELBO, and its lower bound over the box with the same noise."""

    elbo: Float[Tensor, "n"]
    bound: Float[Tensor, "n"]


def likelihoods(
    model: VAE,
    images: Float[Tensor, "n c h w"],
    radius: float,
    *,
    sigma0: float = SIGMA0,
    clip: bool = False,
    seed: int = 0,
    first: int = 0,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> Likelihoods:
    """ELBO and bound of images number `first`, `first` + 1, …, each with one sample of noise. Raises Cancelled."""
    progress = progress or Silent()
    values, lower = [], []
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            stop_if_cancelled(progress)
            x = images[start : start + batch_size]
            noise = posterior_noise(model, range(first + start, first + start + len(x)), seed).to(x)
            values.append(elbo(model, x, noise, sigma0))
            lower.append(elbo_lower_bound(model, x, radius, noise, sigma0=sigma0, clip=clip) if radius else values[-1])
            progress.advance(min(start + batch_size, len(images)), len(images))
    return Likelihoods(torch.cat(values).double(), torch.cat(lower).double())


def posterior_noise(model: VAE, numbers: Sequence[int], seed: int = 0) -> Float[Tensor, "n latent"]:
    """The standard normal noise of the images with these numbers: one for clean, attack and bound."""
    return Streams(seed, numbers, purpose="posterior").normal((model.latent_dim,))


def prior_samples(model: VAE, count: int, seed: int = 0) -> Float[Tensor, "n c h w"]:
    """g(z) for z drawn from N(0, I) (proVAE, Figure 4)."""
    z = Streams(seed, range(count), purpose="prior").normal((model.latent_dim,))
    with torch.inference_mode():
        return model.decode(z.to(next(model.parameters())))
