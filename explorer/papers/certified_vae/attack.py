"""Searching the box for the input whose ELBO is lowest or highest (proVAE, eqs. 5 and 6)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.attacks import AttackResult, elbo, pgd
from explorer.models import VAE
from explorer.models.vae import SIGMA0
from explorer.randomness import Streams
from explorer.sets import Box, LpBall, Perturbations
from explorer.sets.checks import check_radius
from explorer.sets.lp_ball import Shift
from explorer.types import Progress

STEPS, STEP_SIZE, RESTARTS = 40, 0.1, 1  # of PGD, the step as a share of the radius; the paper names none


def box_perturbations(x: Float[Tensor, "batch c h w"], radius: float, clip: bool) -> Perturbations:
    """The paper's box x ± radius, which leaves [0, 1]; or with `clip` the pixels of it that do not."""
    if clip:
        return LpBall(math.inf, radius).at(x)
    check_radius(radius)
    return Perturbations(Box(torch.full_like(x, radius)), Shift(x.detach()))


def attack_elbo(
    model: VAE,
    x: Float[Tensor, "batch c h w"],
    radius: float,
    noise: Float[Tensor, "batch latent"],
    streams: Streams,
    *,
    maximise: bool = False,
    clip: bool = False,
    sigma0: float = SIGMA0,
    steps: int = STEPS,
    restarts: int = RESTARTS,
    start: Tensor | None = None,
    progress: Progress | None = None,
) -> AttackResult:
    """PGD on the sampled ELBO with this noise: out of the distribution, or with `maximise` into it.

    The first restart sets out from the image itself, or from `start`, the others from random points; so that what is found is never on the
    other side of the clean ELBO, and with the noise of `elbo_lower_bound` never below that."""
    perturbations, objective = box_perturbations(x, radius, clip), elbo(model, noise, sigma0)
    search = {"steps": steps, "step_size": STEP_SIZE, "maximise": maximise, "progress": progress}
    found = pgd(perturbations, objective, start="zero" if start is None else start, streams=streams, **search)
    if restarts > 1:
        again = pgd(perturbations, objective, restarts=restarts - 1, streams=streams.restarted(streams.restart + 1), **search)
        found = _better(again, found, maximise)
    return found


def _better(first: AttackResult, second: AttackResult, maximise: bool) -> AttackResult:
    """Example by example."""
    won = first.loss > second.loss if maximise else first.loss < second.loss
    column = won.view(-1, 1, 1, 1)
    return AttackResult(
        torch.where(column, first.delta, second.delta), torch.where(column, first.perturbed, second.perturbed), torch.where(won, first.loss, second.loss)
    )
