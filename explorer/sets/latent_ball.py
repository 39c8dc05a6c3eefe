"""The set that a conditional VAE has learned (Perturbation sets, §4)."""

from copy import deepcopy
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.errors import InvalidInput
from explorer.models import ConditionalVAE

from .base import Perturbations
from .checks import check_images, check_radius
from .regions import L2Ball


@dataclass(frozen=True, eq=False)
class LatentBall:
    """All g(z, x) with z = u·σ(x) + μ(x) and ‖u‖₂ ≤ radius, in standard deviations of the prior (Perturbation sets, §4)."""

    model: ConditionalVAE
    radius: int | float

    def __post_init__(self):
        check_radius(self.radius)

    def at(self, x: Float[Tensor, "batch channels height width"], labels: Tensor | None = None) -> Perturbations:
        """Raises InvalidInput for images that the model does not take, and for a model in training mode."""
        check_images(x)
        if tuple(x.shape[1:]) != self.model.image_shape:
            raise InvalidInput(
                f"the model takes images of shape {self.model.image_shape}, got {tuple(x.shape[1:])}. Resize or crop the images."
            )
        if any(module.training for module in self.model.modules()):
            raise InvalidInput(
                "the model is in training mode, where batch norm lets examples influence each other. Call model.eval() first."
            )
        x = x.detach()
        with torch.no_grad():
            prior = self.model.prior(x)
        region = L2Ball(x.new_full((len(x),), self.radius), (self.model.latent_dim,))
        decoder = Decoder(without_gradients(self.model.generator), x)
        return Perturbations(region, nn.Sequential(Affine(prior.mean, prior.std), decoder).eval())


def without_gradients(module: nn.Module) -> nn.Module:
    """The module on the same memory, with parameters for which autograd saves and computes nothing."""
    shared = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in module.parameters()}
    return deepcopy(module, shared | {id(b): b for b in module.buffers()})


class Affine(nn.Module):
    """u -> mean + std·u."""

    def __init__(self, mean: Float[Tensor, "batch latent"], std: Float[Tensor, "batch latent"]):
        super().__init__()
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)

    def forward(self, u: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch latent"]:
        return self.mean + self.std * u

    def of_rows(self, rows: Int[Tensor, "pairs"]) -> "Affine":
        return Affine(self.mean[rows], self.std[rows])


class Decoder(nn.Module):
    """z -> g(z, x), the generator conditioned on one batch of clean images."""

    def __init__(self, generator: nn.Module, clean: Float[Tensor, "batch channels height width"]):
        super().__init__()
        self.generator = generator
        self.register_buffer("clean", clean, persistent=False)

    def forward(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channels height width"]:
        return self.generator(self.clean, z)

    def of_rows(self, rows: Int[Tensor, "pairs"]) -> "Decoder":
        return Decoder(self.generator, self.clean[rows])
