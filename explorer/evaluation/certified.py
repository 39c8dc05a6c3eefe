"""How often a smoothed classifier is certified to be right within a radius, for several standard deviations of the noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from explorer.batches import Columns
from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.sets import Perturbations
from explorer.smoothing import ABSTAIN, certify
from explorer.smoothing.certification import CONFIDENCE, SAMPLES, SELECTION
from explorer.smoothing.sampling import Classifier
from explorer.types import Inner, Progress, Silent


@dataclass(frozen=True)
class CertifiedCurve:
    """For one σ: the share of images whose label is certified within each radius, *certified* image by image with the confidence asked for;
    the shares that abstained, and that got another class than their label; and the mean certified radius, 0 where wrong or abstained."""

    radii: tuple[float, ...]
    accuracy: tuple[float, ...]
    abstained: float
    wrong: float
    mean_radius: float


def smoothing_columns(
    classifier: Classifier,
    perturbations: Perturbations,
    labels: Int[Tensor, "batch"],
    sigmas: Sequence[float],
    streams: Streams,
    *,
    samples: int = SAMPLES,
    selection: int = SELECTION,
    confidence: float = CONFIDENCE,
    batch_size: int = 512,
    progress: Progress | None = None,
) -> Columns:
    """A row for each image: its `target`, and with a column for each σ the certified class, ABSTAIN for none, and the `radius`, in units of
    the set's parameters. Errors as `certify`."""
    if not sigmas:
        raise InvalidInput("expected at least one sigma.")
    found = [
        certify(classifier, perturbations, sigma=sigma, streams=streams, samples=samples, selection=selection, confidence=confidence, batch_size=batch_size, progress=Inner(progress or Silent()))
        for sigma in sigmas
    ]
    return {"target": labels.cpu(), "label": torch.stack([each.labels for each in found], 1), "radius": torch.stack([each.radius for each in found], 1)}


def certified_curve(columns: Columns, number: int, radii: Sequence[float]) -> CertifiedCurve:
    """Of `smoothing_columns`, for the σ of that number. Radius 0 counts all that are certified at all."""
    label, radius, target = columns["label"][:, number], columns["radius"][:, number], columns["target"]
    right = (label == target) & (label != ABSTAIN)
    accuracy = tuple(float((right & (radius >= each)).double().mean()) for each in radii)
    wrong = (label != target) & (label != ABSTAIN)
    return CertifiedCurve(tuple(radii), accuracy, _share(label == ABSTAIN), _share(wrong), float(torch.where(right, radius, 0.0).double().mean()))


def _share(which: Tensor) -> float:
    return float(which.double().mean())

