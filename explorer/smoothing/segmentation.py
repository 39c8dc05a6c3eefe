"""Certifying the class of every pixel at once (Fischer et al., 2021, SegCertify; Perturbation sets, Appendix C.2 for one label)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import special
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.sets import Perturbations
from explorer.types import Progress

from .certification import ABSTAIN, CONFIDENCE, SAMPLES, SELECTION
from .confidence import check_confidence
from .sampling import Classifier, count_votes

SHARE = 0.75  # τ of Fischer et al.: the share of votes that a class has to exceed


@dataclass(frozen=True)
class PixelCertificates:
    """The class of each pixel, or ABSTAIN. All pixels of an image that do not abstain keep their class together, with the confidence asked
    for, wherever δ goes within `radius` in ℓ2, in the units of the set's parameters."""

    labels: Int[Tensor, "images height width"]
    radius: float

    @property
    def certain(self) -> Bool[Tensor, "images height width"]:
        return self.labels != ABSTAIN


def certify_pixels(
    segmenter: Classifier,
    perturbations: Perturbations,
    *,
    sigma: float,
    streams: Streams,
    samples: int = SAMPLES,
    selection: int = SELECTION,
    confidence: float = CONFIDENCE,
    share: float = SHARE,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> PixelCertificates:
    """Classes that more than `share` of N(0, σ²I) gives, which are certified within σ·Φ⁻¹(share). `selection` votes choose each pixel's
    class, `samples` new ones test it; Holm's step-down procedure corrects for testing all pixels of an image at once. Raises InvalidInput
    for a classifier that labels no pixels, a share outside ½ to 1, and errors as `count_votes`."""
    check_confidence(confidence)
    if not 0.5 <= share < 1:
        raise InvalidInput(f"share = {share}: expected at least 0.5 and below 1, 0.75 say")
    common = {"sigma": sigma, "batch_size": batch_size}
    votes = count_votes(segmenter, perturbations, samples=selection, streams=_own(streams, "selection"), **common)
    if votes.ndim != 4:
        raise InvalidInput(f"expected logits for each pixel, images × classes × height × width, got votes of shape {tuple(votes.shape)}. For one label an image use certify.")
    chosen = votes.argmax(1)
    votes = count_votes(segmenter, perturbations, samples=samples, streams=_own(streams, "certification"), progress=progress, **common)
    won = votes.gather(1, chosen.unsqueeze(1)).squeeze(1)
    sure = torch.stack([holm(share_p_value(each.flatten(), samples, share), 1 - confidence).view_as(each) for each in won])
    return PixelCertificates(torch.where(sure, chosen, ABSTAIN), sigma * float(special.ndtri(share)))


def share_p_value(successes: Int[Tensor, " tests"], trials: int, share: float) -> Float[Tensor, " tests"]:
    """How likely so many successes or more are where each has at most that probability. One-sided."""
    return torch.from_numpy(np.asarray(special.bdtrc(successes.cpu().numpy() - 1, trials, share)))


def holm(p_values: Float[Tensor, " tests"], alpha: float) -> Bool[Tensor, " tests"]:
    """Which hypotheses fall, so that with probability 1 − α none of them is true (Holm, 1979): the k-th smallest p-value is compared with
    α/(tests − k + 1), until one is larger."""
    ordered, order = p_values.sort()
    limits = alpha / torch.arange(len(p_values), 0, -1, dtype=p_values.dtype)
    falls = (ordered <= limits).long().cumprod(0).bool()
    return torch.zeros_like(falls).scatter(0, order, falls)


def _own(streams: Streams, purpose: str) -> Streams:
    return Streams(streams.seed, streams.examples, streams.restart, f"smoothing pixels {purpose}")
