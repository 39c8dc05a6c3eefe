"""What a number of votes proves, in float64: one-sided Clopper–Pearson bounds and the radii that follow from them."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import special
from torch import Tensor

from explorer.errors import InvalidInput


def lower_confidence_bound(successes: Int[Tensor, "..."], trials: int, confidence: float) -> Float[Tensor, "..."]:
    """The probability that a binomial with so many successes exceeds with this confidence: the one-sided bound of Clopper & Pearson
    (1934), which errs at most 1 − confidence of the time (Perturbation sets, Algorithm 2, LowerConfidenceBound)."""
    check_confidence(confidence)
    if trials < 1 or (successes.numel() and not 0 <= int(successes.min()) <= int(successes.max()) <= trials):
        raise InvalidInput(f"expected 0 to {trials} successes of at least 1 trial, got {successes.min() if successes.numel() else 'none'} to {successes.max() if successes.numel() else 'none'}.")
    k = successes.cpu().numpy().astype(np.float64)
    with np.errstate(invalid="ignore"):
        bound = special.betaincinv(np.maximum(k, 1), trials - k + 1, 1 - confidence)
    return torch.from_numpy(np.asarray(np.where(k > 0, bound, 0.0)))


def binomial_p_value(first: Int[Tensor, "..."], second: Int[Tensor, "..."]) -> Float[Tensor, "..."]:
    """How likely a fair coin splits first + second throws at least as unevenly (Perturbation sets, Algorithm 2, BinomPValue at ½). Two-sided."""
    a, b = (each.cpu().numpy() for each in (first, second))
    return torch.from_numpy(np.asarray(np.minimum(1.0, 2 * special.bdtr(np.minimum(a, b), a + b, 0.5))))


def smoothing_radius(probability: Float[Tensor, "..."], sigma: float) -> Float[Tensor, "..."]:
    """σ·Φ⁻¹(p): no point closer than this in ℓ2 changes what more than half of N(x, σ²I) is classified as (Cohen et al., 2019, Theorem 1
    with p_B = 1 − p_A); 0 where p is at most ½."""
    return torch.from_numpy(np.asarray(sigma * np.maximum(special.ndtri(probability.double().cpu().numpy()), 0.0)))


def sigma_for_radius(radius: float, samples: int, confidence: float) -> float:
    """The noise with which unanimous votes certify exactly this radius: ε/Φ⁻¹(α^(1/n)) (Perturbation sets, Appendix E.6). The radius is in
    the units of the parameters."""
    if not 0 < radius < math.inf:
        raise InvalidInput(f"radius = {radius}: expected a finite number above 0")
    check_samples(samples, confidence)
    return radius / float(special.ndtri((1 - confidence) ** (1 / samples)))


def needed_successes(samples: int, confidence: float) -> int:
    """The fewest votes of so many that certify any radius at all."""
    check_samples(samples, confidence)
    counts = torch.arange(samples + 1)
    return int((lower_confidence_bound(counts, samples, confidence) > 0.5).double().argmax())


def check_confidence(confidence: float) -> None:
    """Raise InvalidInput unless it is a share between ½ and 1."""
    if not 0.5 < confidence < 1:
        raise InvalidInput(f"confidence = {confidence}: expected a share above 0.5 and below 1, 0.999 say")


def check_samples(samples: int, confidence: float) -> None:
    """Raise InvalidInput where not even unanimous votes could certify anything."""
    check_confidence(confidence)
    fewest = math.floor(math.log2(1 / (1 - confidence))) + 1
    if samples < fewest:
        raise InvalidInput(f"samples = {samples}: not even unanimous votes certify anything at confidence {confidence:g}; at least {fewest} are needed.")
