"""How large a learned set has to be, and how well its model explains the pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.batches import as_many
from explorer.metrics import binary_cross_entropy, squared_error
from explorer.models import ConditionalVAE, kl_divergence
from explorer.randomness import Streams
from explorer.types import Progress, Silent, stop_if_cancelled

PERCENTILES = (25, 50, 75, 100)
TOGETHER = 256  # pairs of small images


@dataclass(frozen=True)
class EncodedPairs:
    """Where pairs lie in the latent space: u = (μ_q − μ_p)/σ_p, the posterior mean in standard deviations of the prior."""

    delta: Float[Tensor, "n latent"]

    @property
    def norms(self) -> Float[Tensor, "n"]:
        return self.delta.norm(dim=1)


@dataclass(frozen=True)
class SetQuality:
    """Means over the pairs (Perturbation sets, Appendix B): reconstruction with one posterior sample, as squared error and
    as binary cross-entropy per pixel, and the KL divergence in nats."""

    squared_error_per_pixel: float
    cross_entropy_per_pixel: float
    kl_nats: float


def encode_pairs(
    model: ConditionalVAE, clean: Float[Tensor, "n c h w"], perturbed: Float[Tensor, "n c h w"], batch_size: int | None = None
) -> EncodedPairs:
    """The posterior mean of every pair, before the reparameterisation (Perturbation sets, §4); `as_many` of 256 at a time unless told."""
    rows, batch_size = [], batch_size or as_many(TOGETHER, clean.shape)
    with torch.inference_mode():
        for start in range(0, len(clean), batch_size):
            x, y = clean[start : start + batch_size], perturbed[start : start + batch_size]
            rows.append(model.prior(x).standardise(model.encode(x, y).mean))
    return EncodedPairs(torch.cat(rows).clone())


def percentile_radii(norms: Float[Tensor, "n"], percentiles: Sequence[int] = PERCENTILES) -> dict[str, float]:
    """The radii that hold the given shares of the pairs; 100 is the largest, the paper's ε."""
    levels = torch.tensor(percentiles, dtype=torch.float64) / 100
    values = torch.quantile(norms.double().cpu(), levels)
    return {str(p): float(v) for p, v in zip(percentiles, values)}


def set_quality(
    model: ConditionalVAE,
    clean: Float[Tensor, "n c h w"],
    perturbed: Float[Tensor, "n c h w"],
    seed: int,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> SetQuality:
    """The model's own metrics on pairs, one posterior sample for each; batches as in `encode_pairs`."""
    progress, batch_size = progress or Silent(), batch_size or as_many(TOGETHER, clean.shape)
    sums = torch.zeros(3, dtype=torch.float64)
    with torch.inference_mode():
        for start in range(0, len(clean), batch_size):
            stop_if_cancelled(progress)
            x, y = clean[start : start + batch_size], perturbed[start : start + batch_size]
            noise = Streams(seed, range(start, start + len(x)), purpose="posterior").normal((model.latent_dim,)).to(x)
            decoded, posterior, prior = model(x, y, noise)
            values = (squared_error(decoded, y), binary_cross_entropy(decoded, y), kl_divergence(posterior, prior))
            sums += torch.stack([value.double().sum().cpu() for value in values])
            progress.advance(min(start + batch_size, len(clean)), len(clean))
    pixels = clean[0].numel()
    squared, crossed, kl = (sums / len(clean)).tolist()
    return SetQuality(squared / pixels, crossed / pixels, kl)
