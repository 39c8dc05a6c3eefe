"""What is minimised. Every loss is `loss(model, batch, state) -> per-example tensor`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.metrics import binary_cross_entropy, squared_error
from explorer.models import kl_divergence

Likelihood = Literal["bernoulli", "gaussian"]


def half_squared_error(mean: Float[Tensor, "batch c h w"], target: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch"]:
    """−log N(target; mean, I) up to a constant."""
    return squared_error(mean, target) / 2


RECONSTRUCTION = {"bernoulli": binary_cross_entropy, "gaussian": half_squared_error}


@dataclass(frozen=True)
class State:
    """Where training stands: the fractional epoch, the schedules' values there, and the process's generator."""

    epoch: float
    values: Mapping[str, float]
    generator: torch.Generator


Loss = Callable[[nn.Module, tuple[Tensor, ...], State], Tensor]


def cvae_loss(likelihood: Likelihood) -> Loss:
    """−E_q[log p(perturbed | z, clean)] + β·KL(q || p), one sample of z, in nats up to a constant (Perturbation sets, eq. 6).

    `bernoulli` is the binary cross-entropy, which Table 4 reports; `gaussian` is ½‖perturbed − g‖², the likelihood N(g, I) of
    eq. 5, summed over the pixels. (The published code leaves out the ½: likelihood N(g, ½I).)
    """
    reconstruction = RECONSTRUCTION[likelihood]

    def loss(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
        clean, perturbed = batch
        noise = torch.randn(len(clean), model.latent_dim, generator=state.generator).to(clean)
        decoded, posterior, prior = model(clean, perturbed, noise)
        return reconstruction(decoded, perturbed) + state.values["beta"] * kl_divergence(posterior, prior)

    return loss
