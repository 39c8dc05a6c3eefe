"""The images that a checkpoint is shown and measured on."""

from dataclasses import dataclass
from pathlib import Path

from explorer.checkpoints import Header
from explorer.data import DATASETS, ImageDataset, load_dataset
from explorer.errors import DataNotFound, UnknownName

FALLBACK = "digits"


@dataclass(frozen=True)
class Source:
    """A data set by name and folder, which may not be at hand."""

    name: str
    root: str | Path | None

    def load(self, split: str) -> ImageDataset:
        """Never downloads. Raises DataNotFound, or UnknownName."""
        return load_dataset(self.name, split, self.root, download=False)


def images_of(header: Header, root: str | Path | None) -> tuple[ImageDataset, Source, str | None]:
    """The test images of the data set that a checkpoint was trained on, and where they come from. Where they are not at hand, the embedded
    digits stand in, and the note says so."""
    name, note = str(header.dataset.get("name")), None
    data = Source(name, root)
    try:
        return data.load("test"), data, note
    except (DataNotFound, UnknownName) as error:
        known = "not on this machine" if isinstance(error, DataNotFound) else "not known here"
        note = f"The data set {name[:40]!r} is {known}, so {FALLBACK!r} stands in."
        if name in DATASETS:
            note += f" To get it: python -m explorer.data {name}, or set EXPLORER_DATA to the folder that holds it."
        data = Source(FALLBACK, root)
        return data.load("test"), data, note
