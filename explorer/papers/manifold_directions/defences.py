"""From a configuration to the sources of a classifier's training inputs."""

import math
from dataclasses import dataclass, field

import torch

from explorer.data import PAIRS
from explorer.errors import InvalidInput
from explorer.papers.trained import open_trained_set
from explorer.sets import LatentBall, LpBall, ManifoldLatent, PerturbationSet
from explorer.smoothing import sigma_for_radius
from explorer.smoothing.certification import CONFIDENCE, SAMPLES
from explorer.training import Inputs, Loss, attacked, beginning_with, clean, cross_entropy_of, noisy, paired, sampled

from .config import OF_LEARNED_SETS, ClassifierConfig
from .opening import open_vae

GRADIENT_SHARE = 0.8  # Euclidean length of an ℓ1 step of size 1, in units of the ℓ1 radius; of 0.08 to 1.6 it found most on digits


@dataclass(frozen=True)
class Defence:
    """The loss of a training, and the digests of the files that its sources are made of."""

    loss: Loss
    digests: dict[str, str] = field(default_factory=dict)


def defence(config: ClassifierConfig, image_shape: tuple[int, int, int], classes: int, device: torch.device) -> Defence:
    """Open what the sources need. Raises CheckpointError where it is missing, or InvalidInput where it is of other images."""
    found, digests = {}, {}
    if "manifold" in config.sources:
        vae = open_vae(config.vae, device)
        _fits(config.vae, (*vae.model.image_shape, vae.model.classes), (*image_shape, classes), config.dataset)
        found["manifold"], digests["vae_digest"] = _latent(config, ManifoldLatent(vae.model, config.latent_radius)), vae.digest
    if set(OF_LEARNED_SETS) & set(config.sources):
        learned = open_trained_set(config.learned_set, image_shape, device)
        kind = learned.checkpoint.header.dataset.get("pairs")
        if kind not in PAIRS:
            raise InvalidInput(f"{learned.name} was learned from pairs of kind {str(kind)[:40]!r}, which cannot be made of the images of {config.dataset!r}: expected one of {', '.join(PAIRS)}")
        ball = LatentBall(learned.model, learned.radius_for(config.latent_radius, config.percentile))
        digests["learned_set_digest"] = learned.digest
        found |= {"pairs": paired(PAIRS[kind]()), "samples": sampled(ball), "learned": _latent(config, ball)}
        if "smoothed" in config.sources:
            found["smoothed"] = noisy(ball, sigma_for_radius(ball.radius, SAMPLES, CONFIDENCE))
    found |= {"clean": clean, "linf": _pixels(config, math.inf, config.radius), "l2": _pixels(config, 2, config.radius_l2), "l1": _pixels(config, 1, config.radius_l1)}
    whole = cross_entropy_of([found[name] for name in config.sources], config.mixing)
    return Defence(beginning_with(cross_entropy_of([clean]), config.standard_epochs, whole), digests)


def step_size(config: ClassifierConfig) -> float:
    """Of PGD in pixels, as a share of the radius."""
    return 2.5 / config.steps if config.step_size is None else config.step_size


def _pixels(config: ClassifierConfig, norm: float, radius: float) -> Inputs:
    return attacked(LpBall(norm, radius), steps=config.steps, start=config.start, **pixel_step(norm, radius, step_size(config)))


def pixel_step(norm: float, radius: float, share: float) -> dict:
    """The step rule of PGD in pixels and its size: steepest ascent, but along the gradient in an ℓ1 ball, whose steepest ascent moves one pixel."""
    return {"step": "gradient", "step_size": share * radius * GRADIENT_SHARE} if norm == 1 else {"step": "region", "step_size": share}


def _latent(config: ClassifierConfig, perturbation_set: PerturbationSet) -> Inputs:
    return attacked(perturbation_set, steps=config.latent_steps, step_size=config.latent_step_size, start="zero")


def _fits(name: str, own: tuple, wanted: tuple, dataset: str) -> None:
    if own != wanted:
        raise InvalidInput(f"{name} takes images of shape {own}, those of {dataset!r} are of {wanted}. Choose one that was trained on them.")
