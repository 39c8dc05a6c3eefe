"""The images that a checkpoint is shown and measured on, or those that stand in for them."""

from dataclasses import dataclass
from pathlib import Path

from explorer.errors import DataNotFound, UnknownName

from .base import ImageDataset, load_dataset
from .folders import FolderImages
from .imagenet import IMAGENET, SHOWN, open_imagenet

STAND_INS = {"watermarked_mnist": "watermarked_digits", "framed_mnist": "framed_digits", "cifar10": "scenes", IMAGENET: "scenes"}  # need no download
STAND_IN = "digits"  # for all others


@dataclass(frozen=True)
class Source:
    """A data set by name and folder, which may not be at hand."""

    name: str
    root: str | Path | None

    def load(self, split: str) -> ImageDataset | FolderImages:
        """Never downloads; ImageNet's pictures stay in their folders. Raises DataNotFound, or UnknownName."""
        if self.name == IMAGENET:
            return open_imagenet(split, self.root, SHOWN)
        return load_dataset(self.name, split, self.root, download=False)


def images_at_hand(name: str, root: str | Path | None) -> tuple[ImageDataset | FolderImages, Source, str | None]:
    """The test images of a data set, and where they come from. Where they are not at hand, embedded images stand in, and the note says so."""
    from . import DATASETS

    data = Source(name, root)
    try:
        return data.load("test"), data, None
    except (DataNotFound, UnknownName) as error:
        known = "not on this machine" if isinstance(error, DataNotFound) else "not known here"
        data = Source(STAND_INS.get(name, STAND_IN), root)
        note = f"The data set {name[:40]!r} is {known}, so {data.name!r} stands in."
        if name in DATASETS:
            note += f" To get it: python -m explorer.data {name}, or set EXPLORER_DATA to the folder that holds it."
        return data.load("test"), data, note
