"""How likely a learned set makes real perturbations (Perturbation sets, Definition 2)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import ExplorerError, InvalidInput
from explorer.metrics import binary_cross_entropy, squared_error
from explorer.models import ConditionalVAE
from explorer.randomness import Streams
from explorer.sets import LatentBall
from explorer.types import Progress, Silent, stop_if_cancelled

Density = Literal["gaussian", "bernoulli"]
SAMPLES = 1000


def _gaussian(mean: Tensor, target: Tensor) -> Tensor:
    return -(squared_error(mean, target) + target[0].numel() * math.log(2 * math.pi)) / 2


def _bernoulli(mean: Tensor, target: Tensor) -> Tensor:
    return -binary_cross_entropy(mean, target)


DENSITIES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"gaussian": _gaussian, "bernoulli": _bernoulli}


@dataclass(frozen=True)
class Likelihood:
    """One value for each pair, in nats. `log_likelihood` is the logarithm of the Monte Carlo mean, an estimate that errs on the low
    side; `expected_log` is the mean logarithm, below it by Jensen's inequality; `effective_samples` is (Σp)²/Σp², and near 1 one
    draw decides the estimate."""

    log_likelihood: Float[Tensor, "n"]
    expected_log: Float[Tensor, "n"]
    effective_samples: Float[Tensor, "n"]


def likelihood(
    model: ConditionalVAE,
    clean: Float[Tensor, "n c h w"],
    perturbed: Float[Tensor, "n c h w"],
    *,
    radius: float,
    samples: int = SAMPLES,
    density: Density = "gaussian",
    seed: int = 0,
    first: int = 0,
    progress: Progress | None = None,
) -> Likelihood:
    """log E[p(x | g(u·σ + μ, clean))] over the standard normal u truncated to the radius, for pairs number `first`, `first` + 1, …

    "gaussian" is the text's N(g, I); "bernoulli" the likelihood that the published MNIST configurations train with, which is no
    density of grey values. Raises InvalidInput, Cancelled, or ExplorerError where a value is not finite."""
    if samples < 1:
        raise InvalidInput(f"samples must be at least 1, got {samples}.")
    log_density = DENSITIES[density]
    progress = progress or Silent()
    ball, streams = LatentBall(model, radius).at(clean), Streams(seed, range(first, first + len(clean)), purpose="likelihood")
    total = torch.full((len(clean),), -math.inf, dtype=torch.float64)
    squares, summed = total.clone(), torch.zeros_like(total)
    with torch.inference_mode():
        for done in range(samples):
            stop_if_cancelled(progress)
            drawn = ball.perturb(ball.region.sample(streams, "normal"))
            value = log_density(drawn, perturbed).double().cpu()
            total, squares, summed = torch.logaddexp(total, value), torch.logaddexp(squares, 2 * value), summed + value
            progress.advance(done + 1, samples)
    found = Likelihood(total - math.log(samples), summed / samples, (2 * total - squares).exp())
    if broken := int((~found.log_likelihood.isfinite()).sum()):
        raise ExplorerError(f"not finite: the likelihood of {broken} of {len(clean)} pairs. The model may have diverged.")
    return found
