"""How often a classifier is right: on clean images, under an attack, and provably, over boxes of pixels."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.attacks import cross_entropy, pgd
from explorer.bounds import bounds, cross_entropy_bound, enclosing, margin_rows
from explorer.randomness import Streams
from explorer.sets import LpBall, PerturbationSet
from explorer.types import Inner, Progress, Silent, stop_if_cancelled

STEPS, STEP_SIZE = 40, 0.1  # of the attack; the size is a share of the radius


@dataclass(frozen=True)
class CertifiedAccuracy:
    """Shares of the images: classified right; right at the worst point that PGD found (an upper bound of robustness); and certified,
    by each method, to be right in the whole box (a lower bound)."""

    clean: float
    attacked: float
    certified_ibp: float
    certified_crown_ibp: float


def certified_accuracy(
    classifier: nn.Module,
    images: Float[Tensor, "n c h w"],
    labels: Int[Tensor, "n"],
    radius: float | PerturbationSet,
    *,
    steps: int = STEPS,
    seed: int = 0,
    batch_size: int = 100,
    progress: Progress | None = None,
) -> CertifiedAccuracy:
    """Accuracies on x ± radius, cut to [0, 1]; or in a set of boxes of pixels, such as a BudgetBox. Raises Cancelled."""
    progress = progress or Silent()
    boxes = radius if isinstance(radius, PerturbationSet) else LpBall(math.inf, radius)
    counts = torch.zeros(4, dtype=torch.int64)
    for start in range(0, len(images), batch_size):
        stop_if_cancelled(progress)
        x, y = images[start : start + batch_size], labels[start : start + batch_size]
        streams = Streams(seed, range(start, start + len(x)))
        at = boxes.at(x)
        found = pgd(at, cross_entropy(classifier, y), steps=steps, step_size=STEP_SIZE, streams=streams, progress=Inner(progress))
        with torch.no_grad():
            clean, attacked = (classifier(each).argmax(1) == y for each in (x, found.perturbed))
            box = enclosing(x, at.region)
            rows = margin_rows(y, classifier(x[:1]).shape[1])
            certified = [(bounds(classifier, box, method, rows, ends="lower").lower > 0).all(1) for method in ("ibp", "crown-ibp")]
        counts += torch.stack([each.sum().cpu() for each in (clean, clean & attacked, *certified)])
        progress.advance(min(start + batch_size, len(images)), len(images))
    return CertifiedAccuracy(*(counts.double() / len(images)).tolist())


def certified_loss(classifier: nn.Module, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"], radius: float | PerturbationSet, batch_size: int = 256) -> float:
    """The mean over the images of the bound by interval propagation of the cross-entropy, in nats, on x ± radius, cut to [0, 1], or in
    boxes of pixels."""
    boxes = radius if isinstance(radius, PerturbationSet) else LpBall(math.inf, radius)
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(images), batch_size):
            x, y = images[start : start + batch_size], labels[start : start + batch_size]
            total += float(cross_entropy_bound(classifier, enclosing(x, boxes.at(x).region), y, "ibp").double().sum())
    return total / len(images)
