"""Predicting and certifying with a smoothed classifier (Cohen et al., 2019; Perturbation sets, Algorithm 2)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.randomness import Streams
from explorer.sets import Perturbations
from explorer.types import Progress

from .confidence import binomial_p_value, check_confidence, check_samples, lower_confidence_bound, needed_successes, smoothing_radius
from .sampling import Classifier, Needed, count_votes

ABSTAIN = -1
SAMPLES, SELECTION, CONFIDENCE = 10_000, 100, 0.999  # Perturbation sets, Appendix E.6


@dataclass(frozen=True)
class Predictions:
    """The class that most noisy inputs have, or ABSTAIN, and the votes."""

    labels: Int[Tensor, "images ..."]
    votes: Int[Tensor, "images classes ..."]


@dataclass(frozen=True)
class Certificates:
    """The class of each image, or ABSTAIN, and how far δ may go in ℓ2 before the smoothed classifier may answer otherwise, in the units of
    the set's parameters. Each holds with the confidence asked for, for images and pixels one by one.

    `probability` is the lower bound of the class's share, 0 where sampling was given up early. `votes` counts that class alone."""

    labels: Int[Tensor, "images ..."]
    radius: Float[Tensor, "images ..."]
    probability: Float[Tensor, "images ..."]
    votes: Int[Tensor, "images ..."]


def predict(
    classifier: Classifier,
    perturbations: Perturbations,
    *,
    sigma: float,
    streams: Streams,
    samples: int = SAMPLES,
    confidence: float = CONFIDENCE,
    batch_size: int = 512,
    progress: Progress | None = None,
) -> Predictions:
    """The smoothed classifier's class of each image, with noise N(0, σ²I) in the set's parameters: wrong at most 1 − confidence of the
    time, where it does not abstain. Errors as `count_votes`."""
    check_confidence(confidence)
    votes = count_votes(classifier, perturbations, sigma=sigma, samples=samples, streams=_own(streams, "prediction"), batch_size=batch_size, progress=progress)
    first, second = votes.topk(2, 1).values.unbind(1)
    sure = binomial_p_value(first, second) <= 1 - confidence
    return Predictions(torch.where(sure, votes.argmax(1), ABSTAIN), votes)


def certify(
    classifier: Classifier,
    perturbations: Perturbations,
    *,
    sigma: float,
    streams: Streams,
    samples: int = SAMPLES,
    selection: int = SELECTION,
    confidence: float = CONFIDENCE,
    batch_size: int = 512,
    early: bool = True,
    progress: Progress | None = None,
) -> Certificates:
    """Certified classes and radii: `selection` votes choose the class, `samples` new ones bound its share. With `early` an image is given up
    once it could only abstain, which changes no label and no radius. Errors as `count_votes`, and InvalidInput where `samples` are too
    few for the confidence."""
    check_samples(samples, confidence)
    chosen = count_votes(classifier, perturbations, sigma=sigma, samples=selection, streams=_own(streams, "selection"), batch_size=batch_size).argmax(1)
    needed = Needed(chosen, needed_successes(samples, confidence))
    votes = count_votes(
        classifier, perturbations, sigma=sigma, samples=samples, streams=_own(streams, "certification"), batch_size=batch_size,
        needed=needed if early else None, progress=progress,
    )  # fmt: skip
    own = votes.gather(1, chosen.unsqueeze(1)).squeeze(1)
    probability = lower_confidence_bound(own, samples, confidence)
    certain = probability > 0.5
    return Certificates(
        torch.where(certain, chosen, ABSTAIN), torch.where(certain, smoothing_radius(probability, sigma), 0.0), torch.where(certain, probability, 0.0), own
    )


def _own(streams: Streams, purpose: str) -> Streams:
    """The same examples, for numbers that say nothing about each other."""
    return Streams(streams.seed, streams.examples, streams.restart, f"smoothing {purpose}")
