"""Opening a classifier's checkpoint, shipped, trained or imported, together with the images it is shown."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.checkpoints import Checkpoint, Header, load
from explorer.data import ImageDataset, Source, images_at_hand
from explorer.data.folders import FolderImages
from explorer.errors import InvalidInput
from explorer.models import BudgetedClassifier, Classifier
from explorer.models.classifiers import KIND


@dataclass(frozen=True)
class OpenedClassifier:
    """A checkpoint with the test images of its data set. `note` says where they are not the ones it was trained for."""

    name: str
    checkpoint: Checkpoint
    images: ImageDataset | FolderImages
    data: Source
    note: str | None = None

    @property
    def model(self) -> Classifier | BudgetedClassifier:
        return self.checkpoint.model

    @property
    def radius(self) -> float:
        """The one it was trained for, in units of pixel intensity."""
        return float(self.checkpoint.header.radius)

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.images.class_names

    @property
    def imported(self) -> str | None:
        """The file that it was imported from, of a classifier from elsewhere."""
        found = self.checkpoint.header.training.get("imported_from")
        return found if isinstance(found, str) else None

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def logits(self, image: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 classes"]:
        with torch.inference_mode():
            return self.model(image.to(self.device)).cpu().clone()


def open_classifier(path: str | Path, device: str | torch.device = "cpu", root: str | Path | None = None) -> OpenedClassifier:
    """Load a checkpoint and its test images. Where its data set is not at hand, the embedded digits stand in, and `note` says so.
    Raises CheckpointError, or InvalidInput for another kind or for images that it does not take."""
    checkpoint = load(path, device)
    header, file = checkpoint.header, Path(path).name
    if header.kind != KIND or not isinstance(checkpoint.model, Classifier | BudgetedClassifier):
        raise InvalidInput(f"{file} holds a {header.kind!r} with the model {header.model!r}, expected a {KIND!r}: one that python -m explorer.train uniform-digits has trained, or python -m explorer.import_classifier has made")
    name = str(header.dataset.get("name"))[:40]
    images, data, note = images_at_hand(name, root)
    taken, found = checkpoint.model.image_shape, tuple(images.images.shape[1:])
    if taken != found or checkpoint.model.classes != len(images.class_names):
        raise InvalidInput(
            f"{file} takes images of {taken} in {checkpoint.model.classes} classes; the images at hand are of {found} in {len(images.class_names)}. "
            f"Get its data set: python -m explorer.data {name}"
        )
    return OpenedClassifier(file, checkpoint, replace(images, class_names=own_names(header, images.class_names)), data, note)


def own_names(header: Header, names: tuple[str, ...]) -> tuple[str, ...]:
    """The class names that a checkpoint brings, else those of its data set."""
    own = header.dataset.get("class_names")
    fits = isinstance(own, list) and len(own) == len(names) and all(isinstance(name, str) and 0 < len(name) <= 60 for name in own)
    return tuple(own) if fits else names
