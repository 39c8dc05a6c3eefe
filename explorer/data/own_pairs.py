"""Pairs of the user's own pictures, split by scene."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from explorer.errors import ConfigurationError, ExplorerError, InvalidInput

from .at_hand import Source
from .base import ImageDataset, hold_out
from .own_files import own_scenes, read_pictures
from .pair_source import PairBatch, PairKind

HELD = 10  # a tenth of the scenes each for validation and test
FEWEST = 5  # scenes


@dataclass(frozen=True, eq=False)
class OwnPairs:
    """The reference of each scene with its perturbed pictures, whose type is their file's name or the CSV's. `pairs` says of each the scene, the
    place of its picture in `perturbed`, and the type."""

    references: UInt8[Tensor, "scenes c h w"]
    perturbed: UInt8[Tensor, "n c h w"]
    scene_names: tuple[str, ...]
    scene_of: Int[Tensor, "n"]
    type_of: Int[Tensor, "n"]
    type_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    draws = 1
    costly = False
    parameter_names = ()

    @cached_property
    def images(self) -> ImageDataset:
        return ImageDataset(_floats(self.references), torch.arange(len(self.references)), self.scene_names)

    @cached_property
    def order(self) -> Int[Tensor, "n"]:
        """In rounds over the scenes, so that the first pairs cover them evenly."""
        place = torch.zeros_like(self.scene_of)
        for scene in range(len(self.references)):
            mine = self.scene_of == scene
            place[mine] = torch.arange(int(mine.sum()))
        return torch.argsort(place * len(self.references) + self.scene_of)

    def __len__(self) -> int:
        return len(self.scene_of)

    def fixed(self, numbers: Sequence[int]) -> PairBatch:
        if numbers and not 0 <= min(numbers) <= max(numbers) < len(self):
            raise InvalidInput(f"pairs are numbered 0 to {len(self) - 1}, got {min(numbers)} to {max(numbers)}")
        return self._pairs(self.order[list(numbers)])

    def drawn(self, scenes: Int[Tensor, "n"], draws: Float[Tensor, "n draws"]) -> PairBatch:
        """One of each scene's perturbed pictures, all alike likely."""
        counts = self.scene_of.bincount(minlength=len(self.references))
        first = counts.cumsum(0) - counts
        which = (draws[:, 0].cpu() * counts[scenes]).long().minimum(counts[scenes] - 1)
        return self._pairs(torch.argsort(self.scene_of, stable=True)[first[scenes] + which])

    def shown(self, image: Float[Tensor, "1 c h w"], key: int) -> tuple[PairBatch, tuple[str, ...]]:
        """Those of scene number `key`; of a picture that is none of these, those of another scene, which their names say."""
        scene = key % len(self.references)
        batch = self._pairs((self.scene_of == scene).nonzero().flatten())
        own = key < len(self.references) and image.shape == batch.reference[:1].shape and torch.equal(image.cpu(), batch.reference[:1])
        names, told = [self.type_names[number] for number in batch.types.tolist()], []
        for name in names:
            told.append(f"{name} {told.count(name) + 1}" if name in told else name)
        return batch, tuple(told if own else (f"{name}, of scene {self.scene_names[scene]}" for name in told))

    def clean(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return images

    def image_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        return tuple(shape)

    def fingerprint(self) -> str:
        digest = hashlib.sha256(str((tuple(self.perturbed.shape), self.scene_of.tolist(), self.type_of.tolist(), self.type_names)).encode())
        for pixels in (self.references, self.perturbed):
            digest.update(pixels.numpy().tobytes())
        return digest.hexdigest()[:16]

    def on(self, device: torch.device) -> "OwnPairs":
        return self

    def of_scenes(self, chosen: Int[Tensor, "scenes"]) -> "OwnPairs":
        """Those of some scenes, numbered anew in that order; types keep their numbers."""
        new = torch.full((len(self.references),), -1)
        new[chosen] = torch.arange(len(chosen))
        kept = (new[self.scene_of] >= 0).nonzero().flatten()
        names = tuple(self.scene_names[number] for number in chosen.tolist())
        return OwnPairs(self.references[chosen], self.perturbed[kept], names, new[self.scene_of[kept]], self.type_of[kept], self.type_names, self.notes)

    def _pairs(self, places: Int[Tensor, "n"]) -> PairBatch:
        scenes = self.scene_of[places]
        return PairBatch(_floats(self.references[scenes]), _floats(self.perturbed[places]), scenes, self.type_of[places], torch.zeros(len(places), 0))


def _floats(pixels: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    return pixels.float() / 255


def load_own_pairs(place: Path) -> OwnPairs:
    """All pairs of a folder or a CSV. Raises DataNotFound, or ConfigurationError with everything that is wrong."""
    place = place.expanduser()
    scenes = own_scenes(place)
    if len(scenes) < FEWEST:
        raise ConfigurationError([f"{len(scenes)} scene{'s' if len(scenes) > 1 else ''}: too few to be split into training, validation and test. Expected at least {FEWEST}, better some hundred."])
    return _read(str(place.resolve()), tuple((each.name, str(path), type) for each in scenes for path, type in ((each.reference, ""), *((pair.path, pair.type) for pair in each.pairs))), _stamp(scenes))


@lru_cache(maxsize=2)
def _read(place: str, files: tuple[tuple[str, str, str], ...], stamp: int) -> OwnPairs:
    pictures = read_pictures([Path(path) for _, path, _ in files])
    scene_names = tuple(dict.fromkeys(name for name, _, _ in files))
    references = torch.tensor([number for number, (_, _, type) in enumerate(files) if not type])
    perturbed = torch.tensor([number for number, (_, _, type) in enumerate(files) if type])
    type_names = tuple(sorted({type for _, _, type in files if type}))
    types = torch.tensor([type_names.index(files[number][2]) for number in perturbed.tolist()])
    number_of = {name: number for number, name in enumerate(scene_names)}
    scene_of = torch.tensor([number_of[files[number][0]] for number in perturbed.tolist()])
    notes = list(pictures.notes)
    if single := [name for number, name in enumerate(type_names) if int((types == number).sum()) == 1]:
        notes.append(f"{len(single)} type{'s have' if len(single) > 1 else ' has'} a single example, so what is measured by type says nothing of {', '.join(single[:5])}{' …' if len(single) > 5 else ''}")
    return OwnPairs(pictures.pixels[references], pictures.pixels[perturbed], scene_names, scene_of, types, type_names, tuple(notes))


def _stamp(scenes) -> int:
    """Changes with any file."""
    paths = [path for scene in scenes for path in (scene.reference, *(pair.path for pair in scene.pairs))]
    return hash(tuple((path.stat().st_mtime_ns, path.stat().st_size) for path in paths))


def own_split(whole: OwnPairs, split: str) -> OwnPairs:
    """The scenes of a split: a tenth each, at least one, for validation and test; the same ones every time."""
    scenes = len(whole.references)
    held = max(1, scenes // HELD)
    rest, test = hold_out(scenes, held)
    train, validation = (rest[chosen] for chosen in hold_out(len(rest), held, seed=1))
    return whole.of_scenes({"train": train, "validation": validation, "test": test}[split])


def _open(dataset: str, split: str, root: Path | None, limit: int | None) -> OwnPairs:
    found = own_split(load_own_pairs(Path(dataset)), split)
    return found if limit is None else found.of_scenes(torch.arange(min(limit, len(found.references))))


def _problems(dataset: str) -> list[str]:
    if not dataset:
        return ["data: expected a folder with a folder of pictures for each scene, or a CSV with the columns reference, perturbed, type"]
    try:
        load_own_pairs(Path(dataset))
    except ConfigurationError as error:
        return list(error.problems)
    except ExplorerError as error:
        return [str(error)]
    return []


def _at_hand(dataset: str, root: str | Path | None) -> tuple[OwnPairs, Source, str | None]:
    found = _open(dataset, "test", None, None)
    return found, Source(dataset, root), " ".join(f"{note}." for note in found.notes) or None


OWN_PAIRS = PairKind(_open, _problems, _at_hand)
