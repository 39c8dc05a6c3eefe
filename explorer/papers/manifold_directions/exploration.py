"""Attacks off and on the manifold for pages: one image attacked in pixels and in latents, and examples of a cell of Table 1."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError
from explorer.evaluation.spectra import Spectrum, spectrum
from explorer.randomness import Streams
from explorer.sets import ManifoldLatent

from .accuracy import AttackInSet, Strength, attacks, strength_for
from .opening import OpenedDirections

OFF, ON = "pixels", "latents"
MOST_IMAGES = 2000  # of a class, for its principal directions
SHARE = 2.5  # of the radius, over all steps (Madry et al., 2018)


@dataclass(frozen=True)
class Settings:
    """Radii of the ℓ∞ ball of pixels and of the box of latents, and the steps of PGD in either; one in latents is the paper's sign step."""

    radius: float
    latent_radius: float
    steps: int = 40
    latent_steps: int = 1
    seed: int = 0

    def __post_init__(self):
        problems = out_of_range(self, steps=(1, 10_000), latent_steps=(1, 10_000))
        problems += [f"{name} = {getattr(self, name)}: expected 0 to {high}" for name, high in (("radius", 1), ("latent_radius", 100)) if not 0 <= getattr(self, name) <= high]
        if problems:
            raise ConfigurationError(problems)


@dataclass(frozen=True, eq=False)
class Attacked:
    """What one attack made of an image. Its δ counts from `origin`: the image itself in pixels, in latents the image encoded and decoded.
    `share` is that of ‖δ‖² along each principal direction of the class, NaN for δ = 0."""

    name: str
    origin: Float[Tensor, "1 c h w"]
    perturbed: Float[Tensor, "1 c h w"]
    logits: Float[Tensor, "1 classes"]
    origin_logits: Float[Tensor, "1 classes"]
    share: Float[Tensor, "d"]

    @property
    def delta(self) -> Float[Tensor, "1 c h w"]:
        return self.perturbed - self.origin

    def beyond(self, split: int) -> float:
        """The share of the energy off the first directions."""
        return float(self.share[split:].sum())


def usual(opened: OpenedDirections) -> Settings:
    """The paper's radii and steps for the data set, or ours where it has none."""
    strength = strength_for(opened.data.name)
    return Settings(strength.radius, strength.latent_radius, strength.steps)


def class_directions(opened: OpenedDirections, label: int) -> Spectrum:
    """Principal directions of a class's training images. Raises DataNotFound, or InvalidInput for fewer than two."""
    images = opened.data.load("train")
    return spectrum(images.images[images.labels == label][:MOST_IMAGES])


def attack_image(opened: OpenedDirections, image: Float[Tensor, "1 c h w"], label: int, number: int, settings: Settings, directions: Spectrum) -> dict[str, Attacked]:
    """In pixels, and in latents where there is a VAE; `number` keys the random start. Raises InvalidInput."""
    x, labels, streams = image.to(opened.device), torch.tensor([label], device=opened.device), Streams(settings.seed, [number])
    found = {OFF: _attacked(opened, OFF, x, _in_pixels(settings).perturbed(opened.model, x, labels, streams), directions)}
    if opened.vae is not None:
        perturbed = _in_latents(opened, settings).perturbed(opened.model, x, labels, streams)
        found[ON] = _attacked(opened, ON, _decoded(opened, x, labels), perturbed, directions)
    return found


def examples(opened: OpenedDirections, attack: str, numbers: Sequence[int], seed: int = 0) -> tuple[Float[Tensor, "n c h w"], Float[Tensor, "n c h w"], Int[Tensor, "n"]]:
    """Test images, what an attack of Table 1 made of them at its strength, and the classes that are then seen. `attack` is a heading of the
    table, or clean. Raises InvalidInput where it needs a VAE and there is none."""
    chosen = opened.images[list(numbers)]
    x, labels = chosen.images.to(opened.device), chosen.labels.to(opened.device)
    if attack in ("VAE", "decoded"):
        opened.manifold(1.0)  # says what is missing
    known = attacks(strength_for(opened.data.name), opened.vae.model if opened.vae else None)
    perturbed = x if attack == "clean" else known[attack].perturbed(opened.model, x, labels, Streams(seed, numbers))
    with torch.no_grad():
        return x.cpu(), perturbed.cpu(), opened.model(perturbed).argmax(1).cpu()


def _in_pixels(settings: Settings) -> AttackInSet:
    return attacks(Strength(settings.radius, 1.0, settings.latent_radius, settings.steps), None)["PGD"]


def _in_latents(opened: OpenedDirections, settings: Settings) -> AttackInSet:
    step = 1.0 if settings.latent_steps == 1 else SHARE / settings.latent_steps
    return AttackInSet(ManifoldLatent(opened.vae.model, settings.latent_radius), {"steps": settings.latent_steps, "step_size": step, "start": "zero"})


def _decoded(opened: OpenedDirections, x: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        return opened.vae.model.decode(opened.vae.model.encode(x, labels).mean, labels)


def _attacked(opened: OpenedDirections, name: str, origin: Tensor, perturbed: Tensor, directions: Spectrum) -> Attacked:
    with torch.no_grad():
        logits, before = opened.model(perturbed).cpu(), opened.model(origin).cpu()
    delta = (perturbed - origin).flatten().double().cpu()
    energy = (directions.directions @ delta).square()
    return Attacked(name, origin.cpu(), perturbed.cpu(), logits, before, energy / energy.sum())
