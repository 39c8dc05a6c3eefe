"""A two-dimensional Gaussian attacked off and on its manifold: the shapes of Figure 1, from the closed forms of §4."""

import math
from dataclasses import dataclass
from typing import Literal

import torch

from explorer.errors import ConfigurationError, InvalidInput

from .gaussian_directions import (
    GaussianClass,
    latent_excess_risk,
    latent_multiplier,
    latent_saddle,
    original_excess_risk,
    original_multiplier,
    original_saddle,
)

Given = Literal["radius", "multiplier"]
LIMITS = {"first": (0.01, 10.0), "second": (0.01, 10.0), "angle": (-90.0, 90.0), "off": (0.01, 1000.0), "on": (0.01, 1000.0)}


@dataclass(frozen=True)
class PlaneSettings:
    """Variances along two directions, the first turned by `angle` degrees, and the number of latents of the generative model. `off` and `on`
    are the radii of the perturbations of the data and of the latents, or with given="multiplier" their Lagrange multipliers L."""

    first: float = 1.0
    second: float = 0.1
    angle: float = 30.0
    off: float = 0.15
    on: float = 0.3
    given: Given = "radius"
    latents: int = 2

    def __post_init__(self):
        problems = [f"{name} = {getattr(self, name)}: expected {low:g} to {high:g}" for name, (low, high) in LIMITS.items() if not low <= getattr(self, name) <= high]
        problems += [f"given = {self.given!r}: expected radius or multiplier"] if self.given not in ("radius", "multiplier") else []
        problems += [f"latents = {self.latents}: expected 1 or 2"] if self.latents not in (1, 2) else []
        if problems:
            raise ConfigurationError(problems)


@dataclass(frozen=True)
class Side:
    """One kind of attack, by directions in the order of the settings. `constraint` are the half-axes of what may be added to a point; the best
    perturbation moves a point x to (1 + growth)·x, None where L allows no maximum; `share` is that of its energy along each direction;
    `saddle` are the variances that adversarial training learns. `radius` is the root of E‖Δ‖², which is at the saddle point the same for
    `saddle_multiplier`; `risk` in nats."""

    radius: float
    multiplier: float
    constraint: tuple[float, float]
    growth: tuple[float, float] | None
    share: tuple[float, float] | None
    risk: float
    saddle_multiplier: float
    saddle: tuple[float, float]


@dataclass(frozen=True)
class Plane:
    """Both sides of one Gaussian."""

    settings: PlaneSettings
    off: Side
    on: Side

    @property
    def variances(self) -> tuple[float, float]:
        return self.settings.first, self.settings.second


def plane(settings: PlaneSettings) -> Plane:
    """Raises InvalidInput for radii that no multiplier in float64 has."""
    swapped = settings.second > settings.first
    data = GaussianClass(torch.tensor(sorted((settings.first, settings.second), reverse=True), dtype=torch.float64), settings.latents)
    sides = []
    for stretch, solve, saddle, risk, value in (
        (torch.ones(2, dtype=torch.float64), original_multiplier, original_saddle, original_excess_risk, settings.off),
        (data.stretch, latent_multiplier, latent_saddle, latent_excess_risk, settings.on),
    ):
        if not stretch.any():
            raise InvalidInput("both variances are equal: a generative model with one latent leaves nothing to perturb. Choose two latents, or other variances.")
        if settings.given == "radius":
            multiplier, at_saddle, radius = solve(data, value), solve(data, value, saddle=True), value
        else:
            multiplier = at_saddle = value
            radius = _radius(data, stretch, value)
        gap = multiplier * data.eigenvalues - stretch
        growth = torch.where(stretch > 0, stretch / gap, 0.0) if (gap[stretch > 0] > 0).all() else None
        energy = None if growth is None else _energy(data, stretch, gap)
        limits = stretch.sqrt() * (radius if math.isfinite(radius) else 0.0)
        sides.append(
            Side(
                radius, multiplier, _ordered(limits, swapped), None if growth is None else _ordered(growth, swapped), None if growth is None else _ordered(_moved(data, growth), swapped),
                risk(data, multiplier).total if energy is not None else math.inf, at_saddle, _ordered(saddle(data, at_saddle), swapped),
            )  # fmt: skip
        )
    return Plane(settings, *sides)


def _energy(data: GaussianClass, stretch: torch.Tensor, gap: torch.Tensor) -> torch.Tensor:
    """E‖Δ‖² along each direction, of the data or of the latents: w²λ/(Lλ − w²)²."""
    return torch.where(stretch > 0, stretch * data.decoded(3) / gap**2, 0.0)


def _moved(data: GaussianClass, growth: torch.Tensor) -> torch.Tensor:
    """The share of what the data move along each direction."""
    moved = growth**2 * data.decoded(3)
    return moved / moved.sum()


def _radius(data: GaussianClass, stretch: torch.Tensor, multiplier: float) -> float:
    gap = multiplier * data.eigenvalues - stretch
    return math.inf if (gap[stretch > 0] <= 0).any() else float(_energy(data, stretch, gap).sum().sqrt())


def _ordered(values: torch.Tensor, swapped: bool) -> tuple[float, float]:
    first, second = values.tolist()
    return (second, first) if swapped else (first, second)
