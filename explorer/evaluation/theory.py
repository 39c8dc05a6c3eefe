"""What the objective of a trained CVAE promises of its set (Perturbation sets, §4.1 and Appendix A), for each pair.

Where the printed formulas do not hold, the corrected ones stand here, and the docstrings say so."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.metrics import squared_error
from explorer.models import ConditionalVAE
from explorer.randomness import Streams
from explorer.types import Progress, Silent, stop_if_cancelled

LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, eq=False)
class Objective:
    """Assumption 1 for each pair: R = E_q[log p(x | z, y)] in nats, and Kᵢ, twice the divergence of each latent dimension
    (KL ≤ ½ΣKᵢ). `pixels` is the theorems' m. Raises InvalidInput for values that no pair can have."""

    log_likelihood: Float[Tensor, "n"]
    divergence: Float[Tensor, "n latent"]
    pixels: int

    def __post_init__(self):
        limit = -self.pixels / 2 * LOG_2PI
        if not (self.log_likelihood <= limit + 1e-6 * abs(limit)).all():
            raise InvalidInput(f"R is at most −m/2·log 2π = {limit:.6g} at unit covariance, got {self.log_likelihood.max():.6g}.")
        _check_divergence(self.divergence)

    @property
    def expected_error(self) -> Float[Tensor, "n"]:
        """E_q‖x − g(z, y)‖² = −(2R + m·log 2π), summed over the pixels."""
        return -(2 * self.log_likelihood + self.pixels * LOG_2PI).clamp(max=0)


@dataclass(frozen=True, eq=False)
class Measured:
    """What was found for the same pairs: the norm of the encoding (μ_q − μ_p)/σ_p, and the squared error, summed over the
    pixels, of the closest member that a search found: an upper bound of the approximation error."""

    radius: Float[Tensor, "n"]
    error: Float[Tensor, "n"]


@dataclass(frozen=True, eq=False)
class Theorem1:
    """Some z with ‖(z − μ(y))/σ(y)‖₂ ≤ epsilon has ‖g(z, y) − x‖₂² ≤ delta, a sum over the pixels. `radius` is the r and
    `factor` the B of ε = B·r + √ΣKᵢ."""

    alpha: Float[Tensor, "*alphas"]
    radius: Float[Tensor, "*alphas"]
    factor: Float[Tensor, "n"]
    epsilon: Float[Tensor, "*alphas n"]
    delta: Float[Tensor, "*alphas n"]


@dataclass(frozen=True, eq=False)
class Theorem2:
    """Natural logarithms of H and of the bound on the expected squared error over the prior truncated to radius r.

    Almost always vacuous: H grows like exp(½(r + √K)²/a), and 1/a like exp(K + 1)."""

    alpha: Float[Tensor, "*alphas"]
    radius: Float[Tensor, "*alphas"]
    log_h: Float[Tensor, "*alphas n"]
    log_bound: Float[Tensor, "*alphas n"]


@dataclass(frozen=True)
class Counterexample:
    """Figure 4's δ_a, a triangle of height `maximum` = a on |z| ≤ `half_width` = 1/a², its expectation under N(0, 1), and
    `bound` = 1/a (its area is 1/a, the density at most 1/√2π)."""

    maximum: float
    half_width: float
    expectation: float
    bound: float

    def __call__(self, z: Float[Tensor, "*points"]) -> Float[Tensor, "*points"]:
        return self.maximum * (1 - z.abs() / self.half_width).clamp(min=0)


def measure_objective(
    model: ConditionalVAE,
    clean: Float[Tensor, "n c h w"],
    perturbed: Float[Tensor, "n c h w"],
    seed: int,
    samples: int = 32,
    batch_size: int = 256,
    progress: Progress | None = None,
    first: int = 0,
) -> Objective:
    """K, exactly, and a sample estimate of R: the mean over `samples` posterior draws for each pair, likelihood N(g, I). Pairs are
    number `first`, `first` + 1, …"""
    if samples < 1:
        raise InvalidInput(f"samples must be at least 1, got {samples}.")
    progress = progress or Silent()
    errors, divergences = [], []
    with torch.inference_mode():
        for start in range(0, len(clean), batch_size):
            stop_if_cancelled(progress)
            x, y = clean[start : start + batch_size], perturbed[start : start + batch_size]
            posterior, prior, streams = model.encode(x, y), model.prior(x), Streams(seed, range(first + start, first + start + len(x)))
            draws = (posterior.reparameterise(streams.normal((model.latent_dim,)).to(x)) for _ in range(samples))
            errors.append(sum(squared_error(model.decode(x, z), y).double().cpu() for z in draws) / samples)
            log_ratio = posterior.log_var.double() - prior.log_var.double()
            shift = (posterior.mean.double() - prior.mean.double()).square() * (-prior.log_var.double()).exp()
            divergences.append((log_ratio.expm1() - log_ratio + shift).clamp(min=0).cpu())
            progress.advance(min(start + batch_size, len(clean)), len(clean))
    pixels = clean[0].numel()
    return Objective(-(torch.cat(errors) + pixels * LOG_2PI) / 2, torch.cat(divergences), pixels)


def chi_radius(alpha: float | Float[Tensor, "*alphas"], dimension: int) -> Float[Tensor, "*alphas"]:
    """r with P(‖u‖₂ ≤ r) = 1 − α for a standard normal u: the Mahalanobis distance of both theorems."""
    from scipy.special import chdtri

    return torch.as_tensor(chdtri(float(dimension), _levels(alpha).numpy()), dtype=torch.float64).sqrt()


def variance_ratio_interval(divergence: Float[Tensor, "*any"]) -> tuple[Float[Tensor, "*any"], Float[Tensor, "*any"]]:
    """Lemma 3: with twice the divergence at most K, σ²_q/σ²_p ∈ [a, b], a = −W₀(−e^{−(K+1)}), b = −W₋₁(−e^{−(K+1)}).

    Both solve x − log x = K + 1, here for t = log x: Newton's method descends from outside to the roots of the convex
    eᵗ − 1 − t = K. In float64; beyond K ≈ 744 a underflows to 0."""
    _check_divergence(divergence)
    k = divergence.double().cpu()
    above = torch.log1p(k + (2 * k).sqrt())  # eᵗ = 1 + K + t and t ≤ √(2K), as eᵗ − 1 − t ≥ t²/2
    below = -(k + k.sqrt() * (k + 8).sqrt()) / 2  # from e^{−τ} ≥ (2 − τ)/(2 + τ)
    return _log_ratio(below, k).exp(), _log_ratio(above, k).exp()


def lemma4(divergence: Float[Tensor, "*any"], radius: float | Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """log h of the corrected Lemma 4: q(z)/p(z) ≤ h wherever |σz + μ| ≤ r, for all μ² ≤ K and σ² ∈ [a, b].

    With w = σz + μ the ratio is σ·exp(½((w − μ)²/σ² − w²)). At w = ±r the bracket is at most (r + √K)²/a − r². At an inner
    maximum, which only σ² > 1 has, it is (σ² − 1)w² ≤ (b − 1)r²; that is never more, because ab ≤ 1 (the logarithmic mean
    of a and b is 1). Printed are C1 with a spurious −K, exponents without the ½, and [a, b] for σ instead of σ²."""
    a, b = variance_ratio_interval(divergence)
    k = divergence.double().cpu()
    return (b.log() + (radius + k.sqrt()).square() / a - radius**2) / 2


def theorem1(objective: Objective, alpha: float | Float[Tensor, "*alphas"]) -> Theorem1:
    """ε = B·r + √ΣKᵢ with B = maxᵢ √bᵢ, and δ = −(2R + m·log 2π)/(1 − α). Raises InvalidInput for α outside (0, 1)."""
    levels, k = _levels(alpha), objective.divergence.double().cpu()
    radius = chi_radius(levels, k.shape[1])
    factor = variance_ratio_interval(k)[1].amax(1).sqrt()
    epsilon = radius[..., None] * factor + k.sum(1).sqrt()
    return Theorem1(levels, radius, factor, epsilon, objective.expected_error.double().cpu() / (1 - levels[..., None]))


def theorem2(objective: Objective, alpha: float | Float[Tensor, "*alphas"]) -> Theorem2:
    """E‖g(u·σ(y) + μ(y), y) − x‖² over the prior truncated to radius r is at most −(2R + m·log 2π)/(1 − α)·H, with H = ΠHᵢ by
    the corrected Lemma 4; in logarithms throughout. Raises InvalidInput for α outside (0, 1)."""
    levels, k = _levels(alpha), objective.divergence
    radius = chi_radius(levels, k.shape[1])
    log_h = torch.stack([lemma4(k, float(r)).sum(1) for r in radius.flatten()]).view(*levels.shape, len(k))
    log_error = objective.expected_error.double().cpu().log()
    return Theorem2(levels, radius, log_h, log_error - torch.log1p(-levels)[..., None] + log_h)


def corollary2(expected_error: Float[Tensor, "*any"], pixels: int) -> Float[Tensor, "*any"]:
    """−m/2·log 2π − U/2, a lower bound in nats on log E[p(x)] over the truncated prior, where U bounds the expected error."""
    return -pixels / 2 * LOG_2PI - expected_error / 2


def figure4(a: float) -> Counterexample:
    """δ_a = max(a − a³|z|, 0): as a grows, its expectation vanishes and its maximum does not (Appendix A.3; the ends ±1/a² of the
    support are garbled in print). Raises InvalidInput for a outside [10⁻⁶, 10⁶]."""
    if not 1e-6 <= a <= 1e6:
        raise InvalidInput(f"a must lie between 1e-6 and 1e6, got {a}.")
    half_width = 1 / a**2
    plateau = a * math.erf(half_width / math.sqrt(2))  # ∫ a·φ over the support
    slope = 2 * a**3 * -math.expm1(-(half_width**2) / 2) / math.sqrt(2 * math.pi)  # ∫ a³|z|·φ over the support
    return Counterexample(a, half_width, plateau - slope, 1 / a)


def _levels(alpha):
    levels = torch.as_tensor(alpha, dtype=torch.float64).cpu()
    if not ((levels > 0) & (levels < 1)).all():
        raise InvalidInput(f"alpha, the mass left outside the radius, must lie strictly between 0 and 1, got {alpha}.")
    return levels


def _check_divergence(divergence):
    if not ((divergence >= 0) & divergence.isfinite()).all():
        raise InvalidInput("K, twice a divergence, must be finite and at least 0.")


def _log_ratio(t, k):
    for _ in range(12):  # four steps reach the last digit from these starts
        slope = t.expm1()
        t = t - torch.where(slope == 0, 0.0, (slope - t - k) / slope)
    return t
