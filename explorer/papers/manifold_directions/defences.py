"""From a configuration to the sources of a classifier's training inputs."""

import math
from dataclasses import dataclass, field

import torch

from explorer.checkpoints import load
from explorer.data import PAIRS
from explorer.errors import InvalidInput
from explorer.measuring import file_digest
from explorer.models import ConditionalVAE
from explorer.papers.trained import trained_path
from explorer.sets import LatentBall, LpBall, ManifoldLatent, PerturbationSet
from explorer.training import Inputs, Loss, attacked, beginning_with, clean, cross_entropy_of, paired, sampled

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
        path = trained_path(config.learned_set)
        checkpoint = load(path, device)
        header, model = checkpoint.header, checkpoint.model
        if not isinstance(model, ConditionalVAE) or header.dataset.get("pairs") not in PAIRS:
            raise InvalidInput(f"{path.name} holds a {header.kind!r}, expected a learned set, as digits-rts")
        _fits(path.name, model.image_shape, image_shape, config.dataset)
        ball = LatentBall(model, header.radius if config.latent_radius is None else config.latent_radius)
        digests["learned_set_digest"] = file_digest(path)
        found |= {"pairs": paired(PAIRS[header.dataset["pairs"]]()), "samples": sampled(ball), "learned": _latent(config, ball)}
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
