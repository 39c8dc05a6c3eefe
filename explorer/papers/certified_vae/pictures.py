"""The pictures of proVAE: attacked images (Figure 1), reconstructions of both (Figure 2), and samples (Figure 4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.figures import pixels, tile, to_png, upscale
from explorer.models import elbo
from explorer.randomness import Streams
from explorer.types import Progress

from .attack import STEPS, attack_elbo
from .exploration import CertifiedVae
from .measuring import posterior_noise, prior_samples

SHOWN, RADIUS, SCALE = 8, 0.1, 2  # images, ε_attack of Figures 1 and 2, pixels for each of the images'


@dataclass(frozen=True, eq=False)
class AttackedImages:
    """The first test images as one model sees them, clean and attacked, with the means of their sampled ELBOs in nats."""

    label: str
    clean: Float[Tensor, "n c h w"]
    attacked: Float[Tensor, "n c h w"]
    clean_reconstructions: Float[Tensor, "n c h w"]
    attacked_reconstructions: Float[Tensor, "n c h w"]
    clean_elbo: float
    attacked_elbo: float


def attacked_images(
    opened: CertifiedVae, *, count: int = SHOWN, radius: float = RADIUS, clip: bool = False, seed: int = 0, steps: int = STEPS,
    progress: Progress | None = None,
) -> AttackedImages:  # fmt: skip
    """The attack that lowers the ELBO, with the noise that the tables use."""
    model, x = opened.model, opened.images.images[:count].to(opened.device)
    noise = posterior_noise(model, range(len(x)), seed).to(x)
    found = attack_elbo(model, x, radius, noise, Streams(seed, range(len(x))), clip=clip, steps=steps, progress=progress)
    with torch.inference_mode():
        rebuilt, broken = model(x, noise)[0], model(found.perturbed, noise)[0]
        clean = float(elbo(model, x, noise).mean())
    return AttackedImages(opened.checkpoint.header.name, x, found.perturbed, rebuilt, broken, clean, float(found.loss.mean()))


def figure_1(models: Sequence[AttackedImages]) -> bytes:
    """A PNG: the clean images, then a row for each model of what the attack on it has made of them."""
    return _sheet([models[0].clean, *(each.attacked for each in models)])


def figure_2(models: Sequence[AttackedImages]) -> bytes:
    """A PNG: a row for each model, reconstructions of the clean images on the left, of the attacked ones on the right."""
    return _sheet([torch.cat([each.clean_reconstructions, each.attacked_reconstructions]) for each in models])


def figure_4(models: Sequence[CertifiedVae], count: int = SHOWN, seed: int = 0) -> bytes:
    """A PNG: a row for each model of images drawn from it, at the same z where their latents are as many."""
    return _sheet([prior_samples(each.model, count, seed) for each in models])


def contact_sheet(shown: AttackedImages) -> bytes:
    """A PNG of one model: clean, attacked, and the reconstructions of both."""
    return _sheet([shown.clean, shown.attacked, shown.clean_reconstructions, shown.attacked_reconstructions])


def _sheet(rows: Sequence[Float[Tensor, "n c h w"]]) -> bytes:
    return to_png(upscale(tile(pixels(torch.cat(list(rows))), len(rows[0])), SCALE))
