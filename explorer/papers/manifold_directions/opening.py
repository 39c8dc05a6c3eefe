"""Opening what an attack on the manifold takes: a class-conditional VAE, and a classifier of the same images."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from explorer.checkpoints import Checkpoint, load
from explorer.data import ImageDataset, Source, images_at_hand
from explorer.errors import CheckpointError, InvalidInput
from explorer.measuring import file_digest
from explorer.models import ClassConditionalVAE
from explorer.papers.trained import trained_path
from explorer.sets import ManifoldLatent

from .config import KIND as CLASSIFIER
from .vae_config import KIND


@dataclass(frozen=True)
class OpenedVae:
    """A class-conditional VAE, its file's digest, and where it was read."""

    name: str
    checkpoint: Checkpoint
    digest: str
    path: Path

    @property
    def model(self) -> ClassConditionalVAE:
        return self.checkpoint.model


@dataclass(frozen=True)
class OpenedDirections:
    """A classifier with the test images of its data set, and the class-conditional VAE of its manifold, None where none is at hand:
    `missing` then says why. `note` says where the images are not the ones it was trained for."""

    name: str
    checkpoint: Checkpoint
    images: ImageDataset
    data: Source
    vae: OpenedVae | None
    missing: str = ""
    note: str | None = None

    @property
    def model(self) -> nn.Module:
        return self.checkpoint.model

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def manifold(self, radius: float, norm: float = float("inf")) -> ManifoldLatent:
        """The set around an image on the manifold of its class. Raises InvalidInput where no VAE is at hand."""
        if self.vae is None:
            raise InvalidInput(self.missing)
        return ManifoldLatent(self.vae.model, radius, norm)


def open_vae(name: str, device: str | torch.device = "cpu") -> OpenedVae:
    """A class-conditional VAE by its file or by the experiment that trains it. Raises CheckpointError, or InvalidInput for another kind."""
    path = trained_path(name)
    checkpoint = load(path, device)
    if checkpoint.header.kind != KIND or not isinstance(checkpoint.model, ClassConditionalVAE):
        raise InvalidInput(f"{path.name} holds a {checkpoint.header.kind!r}, expected a {KIND!r}: one that python -m explorer.train class-cvae-digits has trained")
    return OpenedVae(checkpoint.header.name, checkpoint, file_digest(path), path)


def open_directions(path: str | Path, device: str | torch.device = "cpu", root: str | Path | None = None, vae: str | None = None) -> OpenedDirections:
    """Load a classifier, its test images, and a VAE of the same images: the one given, else the one that it was trained with, else the one of
    its data set where there is one. Raises CheckpointError, or InvalidInput for another kind, another image size or other classes."""
    checkpoint, file = load(path, device), Path(path).name
    header, model = checkpoint.header, checkpoint.model
    if header.kind != CLASSIFIER or not hasattr(model, "image_shape"):
        raise InvalidInput(f"{file} holds a {header.kind!r} with the model {header.model!r}, expected a {CLASSIFIER!r}, as python -m explorer.train lenet-digits-standard trains it")
    images, data, note = images_at_hand(str(header.dataset.get("name"))[:40], root)
    own, found = (*model.image_shape, model.classes), (*images.images.shape[1:], len(images.class_names))
    if own != found:
        raise InvalidInput(f"{file} takes images of {own[:3]} in {own[3]} classes, those of {data.name!r} are of {found[:3]} in {found[3]}.")
    opened, missing = None, ""
    try:
        opened = open_vae(vae or header.training.get("vae") or f"class-cvae-{data.name}".replace("_", "-"), device)
        other = (*opened.model.image_shape, opened.model.classes)
        if other != own:
            raise InvalidInput(f"{opened.name} takes images of {other[:3]} in {other[3]} classes, {file} of {own[:3]} in {own[3]}. Give another VAE.")
    except (CheckpointError, InvalidInput) as error:
        if vae:
            raise
        opened, missing = None, str(error)
    return OpenedDirections(file, checkpoint, images, data, opened, missing, note)
