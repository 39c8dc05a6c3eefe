"""Diagonal Gaussians, and the networks' parametrisation of their variance."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.errors import InvalidInput


@dataclass(frozen=True)
class Gaussian:
    """N(mean, diag(exp(log_var))), one per example."""

    mean: Float[Tensor, "batch latent"]
    log_var: Float[Tensor, "batch latent"]

    @property
    def std(self) -> Float[Tensor, "batch latent"]:
        return (self.log_var / 2).exp()

    def reparameterise(self, noise: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch latent"]:
        """z = mean + std·u: the point u standard deviations from the mean."""
        return self.mean + self.std * noise

    def standardise(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch latent"]:
        """u = (z − mean)/std, the inverse of `reparameterise`."""
        return (z - self.mean) / self.std


def kl_divergence(q: Gaussian, p: Gaussian) -> Float[Tensor, "batch"]:
    """KL(q || p), in nats."""
    log_ratio = q.log_var - p.log_var
    shift = (q.mean - p.mean).square() * (-p.log_var).exp()
    return 0.5 * (log_ratio.exp() + shift - 1 - log_ratio).sum(1)


class BoundedLogVar(nn.Module):
    """A tanh scaled to (lower, upper), with slope 1 in the middle (Perturbation sets, Appendix E.1, "Stabilizing the
    exponential function"). Keeps exp from overflowing."""

    def __init__(self, lower: float, upper: float):
        super().__init__()
        if not lower < upper:
            raise InvalidInput(f"log-variance bounds must increase, got {lower} and {upper}")
        self.middle, self.half = (lower + upper) / 2, (upper - lower) / 2

    def forward(self, log_var: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch latent"]:
        return self.middle + self.half * torch.tanh((log_var - self.middle) / self.half)
