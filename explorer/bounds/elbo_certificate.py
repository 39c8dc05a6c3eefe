"""A lower bound, with a stated confidence, of the ELBO itself over a box of pixels; the paper bounds single samples of it."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.models import VAE
from explorer.models.vae import SIGMA0
from explorer.randomness import Streams
from explorer.types import Progress, Silent, stop_if_cancelled

from .elbo import kl_interval, latent_interval, pixel_box, posterior_bounds, squared_residual_interval
from .graph import Graph
from .interval import Interval
from .methods import bounds
from .recording import trace

DRAWS, CONFIDENCE, CHUNK = 100_000, 0.99, 512


@dataclass(frozen=True, eq=False)
class ElboCertificate:
    """Per example, in nats: with probability `confidence` over the draws, no input in the box has an expected ELBO below `lower`.
    `estimate` is the same without the margin for chance: the mean of the draws' bounds."""

    lower: Float[Tensor, "batch"]
    estimate: Float[Tensor, "batch"]
    confidence: float
    draws: int


def elbo_certificate(
    model: VAE,
    x: Float[Tensor, "batch c h w"],
    radius: float | Tensor,
    streams: Streams,
    *,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    statements: int = 1,
    sigma0: float = SIGMA0,
    clip: bool = False,
    method: str = "ibp",
    chunk: int = CHUNK,
    progress: Progress | None = None,
) -> ElboCertificate:
    """For all x' in the box, ELBO(x') = −E‖x' − g(mean(x') + σ(x')·noise)‖²/(2σ0²) − KL(x') ≥ −E[U]/(2σ0²) − KL̄, where U(noise) is the
    largest squared residual that interval bounds leave possible in the box for that noise, and KL̄ the largest KL, which chance has no
    part in. U lies in [0, B]: the decoder ends in [0, 1], so that B = Σ max(x̄², (1 − x̲)²). `empirical_bernstein` bounds E[U] from `draws`
    independent noises; B itself is a bound that always holds.

    The confidence is each example's. Where several statements are to hold together (models side by side, images of a table), `statements`
    says how many, and 1 − confidence is split evenly. Exact up to float32 rounding. Raises InvalidInput, or Cancelled."""
    _check(model, x, streams, confidence, draws, statements)
    progress = progress or Silent()
    with torch.no_grad():
        box = pixel_box(x, radius, clip)
        mean, log_sigma = posterior_bounds(model.encoder, box, method)
        kl = kl_interval(mean, log_sigma).upper.double()
        largest = torch.maximum(box.upper.square(), (1 - box.lower).square()).double().flatten(1).sum(1)
        total, squares = torch.zeros_like(largest), torch.zeros_like(largest)
        decoder = trace(model.decoder, mean.lower)
        for done in range(0, draws, chunk):
            stop_if_cancelled(progress)
            noise = streams.normal((min(chunk, draws - done), model.latent_dim)).to(x)
            values = _largest_residuals(decoder, box, mean, log_sigma, noise, method).double()
            total, squares = total + values.sum(1), squares + values.square().sum(1)
            progress.advance(done + noise.shape[1], draws)
        average = total / draws
        variance = ((squares - draws * average.square()) / (draws - 1)).clamp(min=0)
        bound = empirical_bernstein(average, variance, largest, draws, (1 - confidence) / statements)
        scale = 1 / (2 * sigma0**2)
        return ElboCertificate(-scale * torch.minimum(bound, largest) - kl, -scale * average - kl, confidence, draws)


def empirical_bernstein(mean: Tensor, variance: Tensor, largest: Tensor, draws: int, failure: float) -> Tensor:
    """With probability 1 − failure an upper bound of E[U], for U in [0, largest], from the mean and the unbiased variance of independent
    draws: mean + √(2·variance·L/n) + 7·largest·L/(3(n − 1)), L = log(2/failure) (Maurer and Pontil, 2009, Theorem 4)."""
    level = math.log(2 / failure)
    return mean + (2 * variance * level / draws).sqrt() + 7 * largest * level / (3 * (draws - 1))


def _largest_residuals(
    decoder: Graph, box: Interval, mean: Interval, log_sigma: Interval, noise: Float[Tensor, "batch draws latent"], method: str
) -> Float[Tensor, "batch draws"]:
    """U for every noise of every example, one example at a time."""
    rows = []
    for example, draws in enumerate(noise):
        own, *posterior = (_repeated(each, example, len(draws)) for each in (box, mean, log_sigma))
        decoded = bounds(decoder, latent_interval(*posterior, draws), method)
        rows.append(squared_residual_interval(own, decoded).upper)
    return torch.stack(rows)


def _repeated(interval: Interval, example: int, count: int) -> Interval:
    return Interval(*(end[example : example + 1].expand(count, *end.shape[1:]) for end in (interval.lower, interval.upper)))


def _check(model, x, streams, confidence, draws, statements):
    if not 0 < confidence < 1:
        raise InvalidInput(f"confidence must lie between 0 and 1, got {confidence}.")
    if draws < 2:
        raise InvalidInput(f"draws must be at least 2, got {draws}; a useful certificate takes {DRAWS:,}.")
    if statements < 1:
        raise InvalidInput(f"statements must be at least 1, got {statements}.")
    if len(streams) != len(x):
        raise InvalidInput(f"expected one random stream for each of {len(x)} examples, got {len(streams)}.")
