"""Looking at one image through a VAE: its clean ELBO, what is certified over a box around it, and what an attack finds there."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.bounds.elbo import ElboBounds, elbo_bounds
from explorer.bounds.elbo_certificate import CONFIDENCE, DRAWS, ElboCertificate, elbo_certificate
from explorer.checkpoints import Checkpoint, load
from explorer.data import ImageDataset, Source, images_at_hand
from explorer.errors import InvalidInput
from explorer.models import VAE, elbo
from explorer.models.vae import SIGMA0
from explorer.randomness import Streams
from explorer.types import Progress

from .attack import RESTARTS, STEPS, attack_elbo
from .config import KIND
from .measuring import posterior_noise


@dataclass(frozen=True)
class CertifiedVae:
    """An opened checkpoint with the images to perturb. `note` says where they are not the ones it was trained for."""

    name: str
    checkpoint: Checkpoint
    images: ImageDataset
    data: Source
    note: str | None = None

    @property
    def model(self) -> VAE:
        return self.checkpoint.model

    @property
    def radius(self) -> float:
        """That of its training."""
        return float(self.checkpoint.header.radius)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def image(self, index: int) -> Float[Tensor, "1 c h w"]:
        """Test image number `index`. Raises InvalidInput."""
        if not 0 <= index < len(self.images):
            raise InvalidInput(f"image {index} does not exist: the test images are numbered 0 to {len(self.images) - 1}")
        return self.images.images[index : index + 1].to(self.device)


@dataclass(frozen=True)
class Settings:
    """What the page asks for. `key` names the image for its noise: the same one for clean, attack and bound."""

    radius: float
    clip: bool = False
    sigma0: float = SIGMA0
    seed: int = 0
    key: int = 0
    method: str = "ibp"


@dataclass(frozen=True, eq=False)
class Exploration:
    """One image: its sampled ELBO in nats, certified bounds of it over the box, and its reconstruction."""

    clean: float
    bounds: ElboBounds
    reconstruction: Float[Tensor, "1 c h w"]


@dataclass(frozen=True, eq=False)
class Attacked:
    """What a search found: the image in the box, its sampled ELBO in nats, and its reconstruction."""

    image: Float[Tensor, "1 c h w"]
    elbo: float
    reconstruction: Float[Tensor, "1 c h w"]


def open_certified_vae(path: str | Path, device: str | torch.device = "cpu", root: str | Path | None = None) -> CertifiedVae:
    """Load a checkpoint and its test images. Raises CheckpointError, or InvalidInput for another kind or images of another size."""
    checkpoint = load(path, device)
    if checkpoint.header.kind != KIND:
        raise InvalidInput(f"{Path(path).name} holds a {checkpoint.header.kind!r}, expected a {KIND!r}: a VAE that python -m explorer.train has trained")
    images, data, note = images_at_hand(str(checkpoint.header.dataset.get("name")), root)
    if (shape := tuple(images.images.shape[1:])) != checkpoint.model.image_shape:
        raise InvalidInput(f"{Path(path).name} takes images of {checkpoint.model.image_shape}, those of {data.name!r} are {shape}")
    return CertifiedVae(Path(path).name, checkpoint, images, data, note)


def explore(opened: CertifiedVae, image: Float[Tensor, "1 c h w"], settings: Settings) -> Exploration:
    """A few milliseconds: what changes while the radius is dragged."""
    noise = posterior_noise(opened.model, [settings.key], settings.seed).to(image)
    with torch.inference_mode():
        found = elbo_bounds(opened.model, image, settings.radius, noise, sigma0=settings.sigma0, clip=settings.clip, method=settings.method)
        clean = elbo(opened.model, image, noise, settings.sigma0)
        return Exploration(float(clean), found, opened.model(image, noise)[0])


def attacked(
    opened: CertifiedVae,
    image: Float[Tensor, "1 c h w"],
    settings: Settings,
    *,
    maximise: bool = False,
    steps: int = STEPS,
    restarts: int = RESTARTS,
    progress: Progress | None = None,
) -> Attacked:
    """PGD with the noise of `explore`: between its bounds, and never on the other side of its clean value."""
    noise = posterior_noise(opened.model, [settings.key], settings.seed).to(image)
    found = attack_elbo(
        opened.model, image, settings.radius, noise, Streams(settings.seed, [settings.key]), maximise=maximise, clip=settings.clip,
        sigma0=settings.sigma0, steps=steps, restarts=restarts, progress=progress,
    )  # fmt: skip
    with torch.inference_mode():
        return Attacked(found.perturbed, float(found.loss), opened.model(found.perturbed, noise)[0])


def certificate(
    opened: CertifiedVae,
    image: Float[Tensor, "1 c h w"],
    settings: Settings,
    *,
    confidence: float = CONFIDENCE,
    statements: int = 1,
    draws: int = DRAWS,
    progress: Progress | None = None,
) -> ElboCertificate:
    """A lower bound of the expected ELBO over the whole box, with confidence; `statements` is how many of them are shown together."""
    streams = Streams(settings.seed, [settings.key], purpose="certificate")
    return elbo_certificate(
        opened.model, image, settings.radius, streams, confidence=confidence, draws=draws, statements=statements,
        sigma0=settings.sigma0, clip=settings.clip, method=settings.method, progress=progress,
    )  # fmt: skip
