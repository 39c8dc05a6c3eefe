"""Noise of single pixels."""

import torch
from jaxtyping import Float
from torch import Tensor

from .draws import Draws


def gaussian_noise(x: Float[Tensor, "batch c h w"], deviation: float, draws: Draws) -> Float[Tensor, "batch c h w"]:
    return x + deviation * draws.normal(x.shape[1:])


def shot_noise(x: Float[Tensor, "batch c h w"], photons: float, draws: Draws) -> Float[Tensor, "batch c h w"]:
    """As many photons as a Poisson law gives, of which white has so many."""
    return draws.poisson(x * photons) / photons


def impulse_noise(x: Float[Tensor, "batch c h w"], amount: float, draws: Draws) -> Float[Tensor, "batch c h w"]:
    """Salt or pepper, with equal chances, in that share of the values."""
    changed, salt = draws.uniform(x.shape[1:]) < amount, draws.uniform(x.shape[1:]) < 0.5
    return torch.where(changed, salt.to(x), x)


def speckle_noise(x: Float[Tensor, "batch c h w"], deviation: float, draws: Draws) -> Float[Tensor, "batch c h w"]:
    return x + x * deviation * draws.normal(x.shape[1:])
