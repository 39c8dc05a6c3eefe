"""Figure 1 as numbers: where attacks on a two-dimensional Gaussian go, and which variances the trainings against them learn."""

import torch
from torch import Tensor

from explorer.evaluation.gaussian_directions import (
    GaussianClass,
    latent_multiplier,
    latent_saddle,
    original_multiplier,
    original_saddle,
)
from explorer.papers.base import Filled, Row

COLUMNS = ("large variance: share", "small variance: share", "large variance: grows", "small variance: grows")
VARIANCES, OFF, ON = (1.0, 0.1), 0.15, 0.3  # ours: the paper draws the figure without numbers


def figure_1(variances: tuple[float, float] = VARIANCES, off: float = OFF, on: float = ON) -> Filled:
    """Regular attacks above, generative ones below, at these radii of the data and of the latents, of which there are two. The variances
    stand in descending order."""
    data = GaussianClass(torch.tensor(variances, dtype=torch.float64), 2)
    regular = original_multiplier(data, off), original_saddle(data, original_multiplier(data, off, saddle=True))
    generative = latent_multiplier(data, on), latent_saddle(data, latent_multiplier(data, on, saddle=True))
    rows = (
        _row("regular: attack (a), saddle point (b)", data, torch.ones_like(data.eigenvalues), *regular),
        _row("generative: attack (c), saddle point (d)", data, data.stretch, *generative),
    )
    note = (
        f"Variances {variances[0]:g} and {variances[1]:g}, radius {off:g} in the data and {on:g} in the latents. Shares of E‖Δx‖² of the best perturbation "
        "(Theorems 2 and 4), and how many times its own variance a direction has at the saddle point (Theorems 5 and 6)."
    )
    return Filled(COLUMNS, rows, note)


def _row(label: str, data: GaussianClass, stretch: Tensor, multiplier: float, saddle: Tensor) -> Row:
    """The best perturbation moves x by w²/(Lλ − w²) times itself."""
    moved = (stretch / (multiplier * data.eigenvalues - stretch)) ** 2 * data.eigenvalues
    return Row(label, (), (*(moved / moved.sum()).tolist(), *(saddle / data.eigenvalues).tolist()))
