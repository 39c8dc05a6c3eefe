"""Pairs of CIFAR-10 and corruptions of it that lie in files: those of the paper's published code, and for the test split those of CIFAR-10-C."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.errors import DataNotFound, InvalidInput

from .at_hand import Source
from .base import data_folder, load_dataset
from .cifar10 import EDGE, split_rows
from .cifar10_variants import CORRUPTED, CORRUPTED_PAGE, open_array
from .corruption_pairs import ORIGINAL, CorruptionPairs
from .corruptions import SEVERITIES
from .pair_source import GeneratedPairs, PairBatch, PairKind, PairSource, generated

DATASET = "cifar10"
FIRST_ROWS = 8
FOLDERS = {"train": "cifar-10-c-train", "validation": "cifar-10-c-train", "test": "cifar-10-c-test"}  # {name}_{severity}.npy, a row for each image


@dataclass(frozen=True, eq=False)
class StoredCorruptions(GeneratedPairs):
    """The same pairs as generated ones, of which every image has one corruption of each type: row `rows[scene]` of that type's array of bytes."""

    way: CorruptionPairs
    arrays: dict[str, np.ndarray]
    rows: Int[Tensor, "n"]

    @property
    def costly(self) -> bool:
        """Rows are read from files every time."""
        return True

    def drawn(self, scenes: Int[Tensor, "n"], draws: Float[Tensor, "n draws"]) -> PairBatch:
        types, others = self.way.types(draws), self.way.reference_types(draws)
        reference = self.images.images[scenes] if others is None else self._of_types(scenes, others)
        return PairBatch(reference, self._of_types(scenes, types), scenes, types, self.way.parameter_values(draws))

    def shown(self, image: Float[Tensor, "1 c h w"], key: int) -> tuple[PairBatch, tuple[str, ...]]:
        """The stored ones of the image of that number; of an image of another origin new ones."""
        if not (0 <= key < len(self.images) and torch.equal(image.cpu(), self.images.images[key : key + 1])):
            return super().shown(image, key)
        types = torch.arange(len(self.type_names))
        scenes = torch.full_like(types, key)
        batch = PairBatch(self.images.images[scenes], self._of_types(scenes, types), scenes, types, torch.empty(len(types), 0))
        return batch, tuple(name.replace("_", " ") for name in self.type_names)

    def fingerprint(self) -> str:
        """Of the images, and of the first rows of each file: all of them are gigabytes."""
        digest = hashlib.sha256(super().fingerprint().encode())
        for name in sorted(self.arrays):
            digest.update(f"{name} {self.arrays[name].shape}".encode() + self.arrays[name][:FIRST_ROWS].tobytes())
        return digest.hexdigest()[:16]

    def on(self, device: torch.device) -> "StoredCorruptions":
        return self

    def _of_types(self, scenes: Int[Tensor, "n"], types: Int[Tensor, "n"]) -> Float[Tensor, "n c h w"]:
        found = self.images.images[scenes].clone()
        for number in types.unique().tolist():
            if (name := self.type_names[number]) != ORIGINAL:
                chosen = types == number
                pixels = self.arrays[name][self.rows[scenes[chosen]].numpy()]
                found[chosen] = torch.from_numpy(pixels).movedim(-1, 1).float().div(255)
        return found


def stored_corruptions(make: Callable[[], CorruptionPairs]) -> PairKind:
    """The kind of pairs that lie in files. Where these are not at hand to be shown, corruptions are made instead."""

    def load(dataset: str, split: str, root: str | Path | None, limit: int | None, download: bool = True) -> StoredCorruptions:
        images, way = load_dataset(dataset, split, root, download=download), make()
        arrays = {name: _array(data_folder(root) or Path("data"), split, name, way.severity, len(images)) for name in way.corruptions}
        published = len(next(iter(arrays.values())))
        return StoredCorruptions(way, images if limit is None else images[:limit], arrays, split_rows(published, split))

    def problems(dataset: str) -> list[str]:
        return [] if dataset == DATASET else [f"dataset = {dataset!r}: corruptions that lie in files are of {DATASET!r}"]

    def at_hand(dataset: str, root: str | Path | None) -> tuple[PairSource, Source, str | None]:
        try:
            return load(dataset, "test", root, None, download=False), Source(dataset, root), None
        except DataNotFound:
            return generated(make).at_hand(dataset, root)

    return PairKind(load, problems, at_hand)


def _array(base: Path, split: str, name: str, severity: int, images: int) -> np.ndarray:
    """Bytes, a row for each published image. Raises DataNotFound, or InvalidInput where they are of other images."""
    path = base / FOLDERS[split] / f"{name}_{severity}.npy"
    if split == "test" and not path.is_file():
        published = base / CORRUPTED / f"{name}.npy"  # all severities, one after another
        if not published.is_file():
            raise DataNotFound(f"neither {path} nor {published} was found. Put the published files there ({CORRUPTED_PAGE}), or name their parent folder with --root or the variable EXPLORER_DATA.")
        rows = open_array(published, (len(SEVERITIES) * images, EDGE, EDGE, 3), np.uint8, CORRUPTED_PAGE)
        return rows[(severity - 1) * images : severity * images]
    rows = open_array(path, (None, EDGE, EDGE, 3), np.uint8, "its source")
    if len(split_rows(len(rows), split)) != images:
        raise InvalidInput(f"{path} holds {len(rows):,} images, of which {len(split_rows(len(rows), split)):,} would be those of the split {split!r}, expected {images:,}: a row for each published image, in their order.")
    return rows
