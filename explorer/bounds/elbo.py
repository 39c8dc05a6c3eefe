"""The ELBO of a VAE over a box of pixels: certified bounds with given noise (proVAE, §3)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.errors import InvalidInput
from explorer.models import VAE
from explorer.models.vae import SIGMA0, split_posterior

from .graph import Graph
from .interval import Interval
from .methods import bounds
from .recording import trace

Graphs = tuple[Graph, Graph]  # of a VAE's encoder and decoder


@dataclass(frozen=True, eq=False)
class ElboBounds:
    """Where the sampled ELBO of every input in the box lies, for the same noise, and the parts it is made of: the KL in nats, the squared
    residual summed over pixels, one value per example each; the posterior's mean and log σ, the latent z, and the decoded image."""

    elbo: Interval
    kl: Interval
    residual: Interval
    mean: Interval
    log_sigma: Interval
    latent: Interval
    decoded: Interval


def elbo_lower_bound(
    model: VAE,
    x: Float[Tensor, "batch c h w"],
    radius: float | Tensor,
    noise: Float[Tensor, "batch latent"],
    *,
    sigma0: float = SIGMA0,
    clip: bool = False,
    method: str = "ibp",
) -> Float[Tensor, "batch"]:
    """No input in the box has a sampled ELBO below this, with the same noise (proVAE, §3.2). Differentiable.

    It bounds one sample, not yet the expectation: that is `elbo_certificate`. Arguments and errors as for `elbo_bounds`."""
    return elbo_bounds(model, x, radius, noise, sigma0=sigma0, clip=clip, method=method).elbo.lower


def elbo_bounds(
    model: VAE,
    x: Float[Tensor, "batch c h w"],
    radius: float | Tensor,
    noise: Float[Tensor, "batch latent"],
    *,
    sigma0: float = SIGMA0,
    clip: bool = False,
    method: str = "ibp",
    graphs: Graphs | None = None,
) -> ElboBounds:
    """Certified bounds of −‖x' − g(z')‖²/(2σ0²) − KL(x') over all x' with |x' − x| ≤ radius, where z' = mean(x') + σ(x')·noise.

    The perturbed input stands in the residual too. The box is the paper's, or with `clip` cut to [0, 1]. The radius is one number, one for
    each example, or one for each pixel. `graphs` saves recording the networks where many radii are asked for. Raises InvalidInput for a radius or noise that fits no example."""
    box = pixel_box(x, radius, clip)
    if noise.shape != (len(x), model.latent_dim):
        raise InvalidInput(f"noise must be {len(x)} × {model.latent_dim}, one standard normal for each latent, got shape {tuple(noise.shape)}.")
    encoder, decoder = graphs or (model.encoder, model.decoder)
    mean, log_sigma = posterior_bounds(encoder, box, method)
    latent = latent_interval(mean, log_sigma, noise)
    decoded = bounds(decoder, latent, method)
    kl, residual = kl_interval(mean, log_sigma), squared_residual_interval(box, decoded)
    scale = 1 / (2 * sigma0**2)
    total = Interval(-scale * residual.upper - kl.upper, -scale * residual.lower - kl.lower)
    return ElboBounds(total, kl, residual, mean, log_sigma, latent, decoded)


def pixel_box(x: Float[Tensor, "batch c h w"], radius: float | Tensor, clip: bool) -> Interval:
    """x ± radius, with `clip` cut to [0, 1]. Raises InvalidInput for a radius that is negative or not finite."""
    given = torch.as_tensor(radius)
    if not (given.isfinite() & (given >= 0)).all():
        raise InvalidInput(f"radius must be finite and at least 0, got {given.min().item() if given.numel() > 1 else given.item()}.")
    return Interval.around(x, radius, 0.0, 1.0) if clip else Interval.around(x, radius)


def record(model: VAE, x: Float[Tensor, "batch c h w"]) -> Graphs:
    """The model's encoder and decoder, for `elbo_bounds` of images of this shape."""
    return trace(model.encoder, x), trace(model.decoder, x.new_zeros(len(x), model.latent_dim))


def posterior_bounds(encoder: nn.Module | Graph, box: Interval, method: str = "ibp") -> tuple[Interval, Interval]:
    """Mean and log σ of the posterior over a box of images (proVAE, eqs. 16 and 17: layer by layer, not at the box's corners)."""
    encoded = bounds(encoder, box, method)
    (low_mean, low_sigma), (high_mean, high_sigma) = split_posterior(encoded.lower), split_posterior(encoded.upper)
    return Interval(low_mean, high_mean), Interval(low_sigma, high_sigma)


def latent_interval(mean: Interval, log_sigma: Interval, noise: Float[Tensor, "batch latent"]) -> Interval:
    """mean + σ·noise (proVAE, eq. 19)."""
    up, down = noise.clamp(min=0), noise.clamp(max=0)
    small, large = log_sigma.lower.exp(), log_sigma.upper.exp()
    return Interval(mean.lower + small * up + large * down, mean.upper + large * up + small * down)


def kl_interval(mean: Interval, log_sigma: Interval) -> Interval:
    """KL(N(mean, σ²) || N(0, I)) = ½·Σ (mean² + s − 1 − log s) with s = σ², one value per example; never below 0.

    s − log s is convex and smallest at s = 1, so that its largest value is at an end of the interval (proVAE, eq. 18); its smallest is 1
    where the interval holds s = 1, and mean²'s is 0 where it holds 0, which the printed lower bound misses."""
    shift = _square(mean)
    at_ends = [torch.expm1(2 * end) - 2 * end for end in (log_sigma.lower, log_sigma.upper)]
    holds_one = (log_sigma.lower <= 0) & (log_sigma.upper >= 0)
    spread_lower = torch.where(holds_one, 0.0, torch.minimum(*at_ends)).clamp(min=0)
    spread_upper = torch.maximum(*at_ends).clamp(min=0)
    return Interval((shift.lower + spread_lower).sum(1) / 2, (shift.upper + spread_upper).sum(1) / 2)


def squared_residual_interval(x: Interval, decoded: Interval) -> Interval:
    """‖x − g‖² for any x and g in their boxes, one value per example: the residual lies in [x̲ − ḡ, x̄ − g̲]; its square is largest at an
    end, and smallest at 0 where the interval holds 0 (proVAE, eq. 20, whose printed ends are mixed up)."""
    squares = _square(Interval(x.lower - decoded.upper, x.upper - decoded.lower))
    return Interval(squares.lower.flatten(1).sum(1), squares.upper.flatten(1).sum(1))


def _square(x: Interval) -> Interval:
    low, high = x.lower.square(), x.upper.square()
    smallest = torch.where((x.lower <= 0) & (x.upper >= 0), 0.0, torch.minimum(low, high))
    return Interval(smallest, torch.maximum(low, high))
