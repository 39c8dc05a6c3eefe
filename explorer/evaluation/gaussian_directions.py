"""One Gaussian class attacked off and on its manifold, in closed form (Manifold directions, §4 and Appendices A and C).

The data are N(μ, Σ) with eigenvalues λ, the generative model is probabilistic PCA with q latents, W = U_q(Λ_q − σ²I)^½, the loss is the
negative log-likelihood in nats. L is the Lagrange multiplier of the constraint on the perturbation's length. Everything is told by
eigenvalues, in float64: mean and eigenvectors stay those of the data."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import InvalidInput

STRATEGIES = (1, 2, 3)  # encode and decode by modes; by samples; sample the prior (§4.2)


@dataclass(frozen=True, eq=False)
class GaussianClass:
    """A class by the eigenvalues of its covariance, in descending order, and the number q of latents of its generative model."""

    eigenvalues: Float[Tensor, "d"]
    latents: int

    def __post_init__(self):
        values = self.eigenvalues
        if values.dtype != torch.float64 or not (values.isfinite().all() and (values >= 0).all() and (values[:-1] >= values[1:]).all() and values[0] > 0):
            raise InvalidInput("expected finite eigenvalues of at least 0 in descending order, the first above 0, in float64.")
        if not 1 <= self.latents <= len(values):
            raise InvalidInput(f"latents = {self.latents}: expected 1 to {len(values)}, the number of eigenvalues")

    @property
    def noise(self) -> float:
        """σ² of the generative model, the mean of the eigenvalues that it leaves out (§4.1)."""
        rest = self.eigenvalues[self.latents :]
        return float(rest.mean()) if len(rest) else 0.0

    @property
    def stretch(self) -> Float[Tensor, "d"]:
        """The squared singular values of W: λ − σ² for the first q, else 0."""
        return torch.cat([self.eigenvalues[: self.latents] - self.noise, torch.zeros(len(self.eigenvalues) - self.latents, dtype=torch.float64)])

    def decoded(self, strategy: int) -> Float[Tensor, "d"]:
        """Eigenvalues of what comes out of encoding and decoding without a perturbation (Lemma 1). Strategies 2 and 3 agree."""
        if strategy not in STRATEGIES:
            raise InvalidInput(f"strategy = {strategy}: expected one of {', '.join(map(str, STRATEGIES))}")
        if strategy == 1:
            return self.stretch**2 / torch.where(self.eigenvalues > 0, self.eigenvalues, 1.0)
        return self.stretch + self.noise


@dataclass(frozen=True)
class ExcessRisk:
    """What an attack adds to the loss, in nats: by perturbing, and by decoding to another distribution (eq. 7)."""

    perturbation: float
    change_of_distribution: float = 0.0

    @property
    def total(self) -> float:
        return self.perturbation + self.change_of_distribution


def latent_excess_risk(data: GaussianClass, multiplier: float, strategy: int = 3) -> ExcessRisk:
    """Of the best perturbation in the latent space at the true parameters: ½Σ[(1 + (λ − σ²)/((L − 1)λ + σ²))² − 1]·λ⁽ʲ⁾/λ, and
    ½(Σ λ⁽ʲ⁾/λ − d) (Theorem 2, without its logarithm: the parameters stay). Infinite where L is too small for a maximum."""
    values, decoded, stretch = data.eigenvalues, data.decoded(strategy), data.stretch
    change = 0.5 * (_ratio(decoded, values).sum().item() - int((values > 0).sum()))
    gap = multiplier * values - stretch
    if (gap[stretch > 0] <= 0).any():
        return ExcessRisk(math.inf, change)
    growth = 1 + torch.where(stretch > 0, stretch / torch.where(stretch > 0, gap, 1.0), 0.0)
    return ExcessRisk(0.5 * float(((growth**2 - 1) * _ratio(decoded, values)).sum()), change)


def original_excess_risk(data: GaussianClass, multiplier: float) -> ExcessRisk:
    """Of the best perturbation of the data themselves: ½Σ[(1 + 1/(Lλ − 1))² − 1] (Theorem 4). Infinite where Lλ ≤ 1 for any λ, as for data
    on a manifold of lower dimension."""
    gap = multiplier * data.eigenvalues - 1
    return ExcessRisk(math.inf if (gap <= 0).any() else 0.5 * float(((1 + 1 / gap) ** 2 - 1).sum()))


def latent_saddle(data: GaussianClass, multiplier: float, strategy: int = 3) -> Float[Tensor, "d"]:
    """Eigenvalues learned by latent space adversarial training: λ⁽ʲ⁾/2 + (λ − σ²)/L + √(λ⁽ʲ⁾²/4 + λ⁽ʲ⁾(λ − σ²)/L), and λ⁽ʲ⁾ beyond q
    (Theorem 5, whose print is garbled). With eigenvalues of a sample and strategy 3 it is Theorem 9."""
    return _amplified(data.decoded(strategy), data.stretch, _positive(multiplier))


def original_saddle(data: GaussianClass, multiplier: float) -> Float[Tensor, "d"]:
    """Eigenvalues learned by adversarial training: λ/2 + 1/L + √(λ²/4 + λ/L) (Theorem 6; Ilyas et al., 2019, Theorem 2)."""
    return _amplified(data.eigenvalues, torch.ones_like(data.eigenvalues), _positive(multiplier))


def latent_multiplier(data: GaussianClass, radius: float, strategy: int = 3, saddle: bool = False) -> float:
    """L where the perturbation of the latents has E‖Δz‖² = radius², at the true parameters, or at the saddle point."""
    decoded, stretch = data.decoded(strategy), data.stretch
    if saddle:
        return _solve(lambda L: _energy(stretch, _amplified(decoded, stretch, L), L), radius, 0.0)
    values, moved = data.eigenvalues, stretch * decoded
    lowest = float(_ratio(stretch, values).max())
    return _solve(lambda L: float(_ratio(moved, (L * values - stretch) ** 2).sum()), radius, lowest)


def original_multiplier(data: GaussianClass, radius: float, saddle: bool = False) -> float:
    """L where the perturbation of the data has E‖Δx‖² = radius², at the true parameters, or at the saddle point. Raises InvalidInput for
    data without variance in a direction, at their true parameters: there the loss has no maximum."""
    values, ones = data.eigenvalues, torch.ones_like(data.eigenvalues)
    if saddle:
        return _solve(lambda L: _energy(ones, _amplified(values, ones, L), L), radius, 0.0)
    if values[-1] == 0:
        raise InvalidInput("the data have no variance in a direction: there an attack of any radius has infinite excess risk (Theorem 4).")
    return _solve(lambda L: float((values / (L * values - 1) ** 2).sum()), radius, float(1 / values[-1]))


def augmented(data: GaussianClass, true: int, generated: int) -> Float[Tensor, "d"]:
    """Eigenvalues learned from true samples and samples of the generative model together: those of the sample up to q, beyond it pulled
    to σ² (Theorem 8)."""
    if true < 0 or generated < 0 or true + generated == 0:
        raise InvalidInput(f"expected numbers of samples of at least 0, not both 0, got {true} and {generated}.")
    share = generated / (true + generated)
    return torch.lerp(data.eigenvalues, data.decoded(3), share)


def _amplified(spread: Tensor, stretch: Tensor, multiplier: float) -> Tensor:
    """The larger root s of (Ls − w²)² = λL²s: the variance of what the best perturbation at s makes of variance λ. λ where w is 0."""
    return spread / 2 + stretch / multiplier + (spread**2 / 4 + spread * stretch / multiplier).sqrt()


def _energy(stretch: Tensor, saddle: Tensor, multiplier: float) -> float:
    """E‖Δ‖² at the saddle point: Σ w²λ/(Ls − w²)² = Σ w²/(L²s)."""
    return float(_ratio(stretch, saddle).sum()) / multiplier**2


def _solve(energy: Callable[[float], float], radius: float, lowest: float) -> float:
    """L above `lowest` with energy(L) = radius²; energy falls from infinity to 0."""
    if not 0 < radius < math.inf:
        raise InvalidInput(f"radius = {radius}: expected a finite number above 0")
    from scipy.optimize import brentq  # here: its import takes longer than all else of this file

    excess = 1.0
    while energy(lowest + excess) > radius**2:
        excess *= 2
    least = excess
    while energy(lowest + least) < radius**2:
        least /= 2
        if lowest + least == lowest:
            raise InvalidInput(f"radius = {radius} is too large for a multiplier in float64.")
    found = brentq(lambda power: math.log(energy(lowest + math.exp(power))) - 2 * math.log(radius), math.log(least), math.log(2 * excess), xtol=1e-14, rtol=1e-14)
    return lowest + math.exp(found)


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """above/below, and 0 where both are 0."""
    return torch.where(above == 0, 0.0, above / torch.where(above == 0, 1.0, below))


def _positive(multiplier: float) -> float:
    if not 0 < multiplier < math.inf:
        raise InvalidInput(f"multiplier = {multiplier}: expected a finite number above 0")
    return multiplier
