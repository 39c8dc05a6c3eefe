"""How close a learned set comes to real perturbations, and how far it strays (Perturbation sets, Appendix B)."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.attacks import pgd
from explorer.errors import ExplorerError
from explorer.metrics import binary_cross_entropy, squared_error
from explorer.models import ConditionalVAE, kl_divergence
from explorer.randomness import Streams
from explorer.sets import LatentBall
from explorer.types import Inner, Progress, Silent

Distance = Literal["cross_entropy", "squared_error"]
DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"cross_entropy": binary_cross_entropy, "squared_error": squared_error}
STEPS, STEP_SIZE, SAMPLES = 50, 1 / 20, 5  # "50 iterations of PGD at step size ε/20", "N = 5"


@dataclass(frozen=True)
class PairMetrics:
    """One value for each pair; errors are distances per pixel, in nats for the cross-entropy; the divergence is in nats."""

    encoder_error: Float[Tensor, "n"]
    pgd_error: Float[Tensor, "n"]
    expected_error: Float[Tensor, "n"]
    over_error: Float[Tensor, "n"]
    reconstruction_error: Float[Tensor, "n"]
    kl_nats: Float[Tensor, "n"]


METRICS = tuple(field.name for field in fields(PairMetrics))


def pair_metrics(
    model: ConditionalVAE,
    clean: Float[Tensor, "n c h w"],
    perturbed: Float[Tensor, "n c h w"],
    *,
    radius: float,
    distance: Distance = "cross_entropy",
    seed: int = 0,
    first: int = 0,
    steps: int = STEPS,
    progress: Progress | None = None,
) -> PairMetrics:
    """All six metrics of Appendix B for pairs number `first`, `first` + 1, …, whose random numbers depend on their number alone.

    The encoder error is that of the posterior mean projected onto the ball; PGD starts there and keeps its best iterate, so its
    error is never larger. The expected error is a mean over 5 draws of the normal truncated to the ball, the over error a maximum
    found by PGD from a random start (a lower bound of the true one). Raises ExplorerError naming a metric that is not finite, or Cancelled; `progress` is only asked whether to go on."""
    numbers = range(first, first + len(clean))
    measure, pixels = DISTANCES[distance], clean[0].numel()

    def error(image: Tensor) -> Tensor:
        return measure(image, perturbed)

    set_at = LatentBall(model, radius).at(clean)
    with torch.no_grad():
        posterior, prior = model.encode(clean, perturbed), model.prior(clean)
        start = set_at.region.project(prior.standardise(posterior.mean))
        encoder = error(set_at.perturb(start))
        members = Streams(seed, numbers, purpose="members")
        draws = [error(set_at.perturb(set_at.region.sample(members, "normal"))) for _ in range(SAMPLES)]
        noise = Streams(seed, numbers, purpose="posterior").normal((model.latent_dim,)).to(clean)
        reconstruction = error(model.decode(clean, posterior.reparameterise(noise)))
    search = {"steps": steps, "step_size": STEP_SIZE, "streams": Streams(seed, numbers), "progress": Inner(progress or Silent())}
    closest = pgd(set_at, error, maximise=False, start=start, **search)
    farthest = pgd(set_at, error, start="uniform-norm", **search)
    errors = (encoder, closest.loss, torch.stack(draws).mean(0), farthest.loss, reconstruction)
    metrics = PairMetrics(*(value / pixels for value in errors), kl_divergence(posterior, prior))
    broken = {name: int((~getattr(metrics, name).isfinite()).sum()) for name in METRICS}
    if any(broken.values()):
        named = ", ".join(f"{name} on {count} pairs" for name, count in broken.items() if count)
        raise ExplorerError(f"not finite: {named}, between pair {first} and {first + len(clean) - 1}. The model may have diverged.")
    return metrics
