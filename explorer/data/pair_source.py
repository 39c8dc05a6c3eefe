"""Where pairs come from: a reference, what it looks like perturbed, and of what type the perturbation is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.registry import look_up

from .at_hand import Source, images_at_hand
from .base import ImageDataset, load_dataset
from .pairs import Pairs

SEED = 0  # of the fixed pairs
SHOWN = 8  # pairs of one image, where there is a single type


@dataclass(frozen=True, eq=False)
class PairBatch:
    """Pairs; `scenes` are the numbers of the images that they are of, `types` those among the source's `type_names`, and `values` the
    parameters of what was done, in the order of its `parameter_names`."""

    reference: Float[Tensor, "n c h w"]
    perturbed: Float[Tensor, "n c h w"]
    scenes: Int[Tensor, "n"]
    types: Int[Tensor, "n"]
    values: Float[Tensor, "n parameters"]

    def __len__(self) -> int:
        return len(self.scenes)

    @property
    def both(self) -> tuple[Tensor, Tensor]:
        return self.reference, self.perturbed

    def to(self, device: torch.device | str) -> "PairBatch":
        return PairBatch(*(value.to(device) for value in vars(self).values()))


@runtime_checkable
class PairSource(Protocol):
    """The pairs of one split. Each is of a scene, whose image stands in `images` as the clean one, without a frame.

    `fixed` are those that are measured on, `len(source)` of them, numbered so that the first ones cover scenes and types evenly. `drawn` are a
    training's: `draws` uniform numbers decide one of a scene. `shown` are some of one image with what was done to it in words; where pairs
    cannot be made from any image, those of another scene. A `costly` source is better asked ahead, from other processes; others may be
    `on` the device where they are used."""

    images: ImageDataset
    draws: int
    costly: bool

    @property
    def type_names(self) -> tuple[str, ...]: ...

    @property
    def parameter_names(self) -> tuple[str, ...]: ...

    def __len__(self) -> int: ...

    def fixed(self, numbers: Sequence[int]) -> PairBatch: ...

    def drawn(self, scenes: Int[Tensor, "n"], draws: Float[Tensor, "n draws"]) -> PairBatch: ...

    def shown(self, image: Float[Tensor, "1 c h w"], key: int) -> tuple[PairBatch, tuple[str, ...]]: ...

    def clean(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c fh fw"]: ...

    def image_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]: ...

    def fingerprint(self) -> str: ...

    def on(self, device: torch.device) -> "PairSource": ...


@dataclass(frozen=True, eq=False)
class GeneratedPairs:
    """Pairs made from images: one fixed pair of each type for each image, in rounds over all images."""

    way: Pairs
    images: ImageDataset

    @property
    def type_names(self) -> tuple[str, ...]:
        return self.way.type_names

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return self.way.parameter_names

    @property
    def costly(self) -> bool:
        return self.way.costly

    @property
    def draws(self) -> int:
        return self.way.draws(tuple(self.images.images.shape[1:]))

    def __len__(self) -> int:
        return len(self.images) * len(self.type_names)

    def fixed(self, numbers: Sequence[int]) -> PairBatch:
        if numbers and not 0 <= min(numbers) <= max(numbers) < len(self):
            raise InvalidInput(f"pairs are numbered 0 to {len(self) - 1}, got {min(numbers)} to {max(numbers)}")
        draws = Streams(SEED, numbers, purpose="pairs").uniform((self.draws,))
        rounds, scenes = (torch.tensor([step(number, len(self.images)) for number in numbers], dtype=torch.long) for step in (int.__floordiv__, int.__mod__))
        return self.drawn(scenes, self._typed(draws, (scenes + rounds) % len(self.type_names)))

    def drawn(self, scenes: Int[Tensor, "n"], draws: Float[Tensor, "n draws"]) -> PairBatch:
        images = self.images.images[scenes]
        draws = draws.to(images)
        return PairBatch(self.way.reference(images, draws), self.way.perturb(images, draws), scenes, *self._about(draws))

    def shown(self, image: Float[Tensor, "1 c h w"], key: int) -> tuple[PairBatch, tuple[str, ...]]:
        """One of each type, or eight of the only one, of which the first is the fixed pair of image number `key`."""
        types = len(self.type_names)
        restarts = range(SHOWN if types == 1 else types)
        draws = torch.cat([Streams(SEED, [key], restart, "pairs").uniform((self.way.draws(tuple(image.shape[1:])),)) for restart in restarts])
        draws = self._typed(draws, torch.arange(len(restarts)) % types)
        images = image.cpu().expand(len(restarts), -1, -1, -1)
        batch = PairBatch(self.way.clean(images), self.way.perturb(images, draws), torch.full((len(draws),), key), *self._about(draws))
        return batch, self.way.describe(draws)

    def clean(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c fh fw"]:
        return self.way.clean(images)

    def image_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        return self.way.image_shape(shape)

    def fingerprint(self) -> str:
        return self.images.fingerprint()

    def on(self, device: torch.device) -> "GeneratedPairs":
        return GeneratedPairs(self.way, ImageDataset(self.images.images.to(device), self.images.labels, self.images.class_names))

    def _typed(self, draws: Tensor, types: Int[Tensor, "n"]) -> Tensor:
        """Where there are several types, the first number decides which."""
        if len(self.type_names) > 1:
            draws[:, 0] = (types + 0.5) / len(self.type_names)
        return draws

    def _about(self, draws: Tensor) -> tuple[Tensor, Tensor]:
        return type_numbers(draws, len(self.type_names)), self.way.parameter_values(draws)


def type_numbers(draws: Float[Tensor, "n draws"], types: int) -> Int[Tensor, "n"]:
    """Which of so many types the first uniform number means."""
    return (draws[:, 0] * types).long().clamp(max=types - 1) if types > 1 else torch.zeros(len(draws), dtype=torch.long)


@dataclass(frozen=True)
class PairKind:
    """A way that pairs come about. `open(dataset, split, root, limit)` gives those of a split, of the first `limit` scenes only; `problems(dataset)`
    what is wrong with a data set's name; `at_hand(dataset, root)` the test pairs, or those that stand in for them, as a note says, and of what."""

    open: Callable[[str, str, Path | None, int | None], PairSource]
    problems: Callable[[str], list[str]]
    at_hand: Callable[[str, str | Path | None], tuple[PairSource, Source, str | None]]


def generated(make: Callable[[], Pairs]) -> PairKind:
    """Pairs made from the images of any data set."""
    from . import DATASETS

    def load(dataset: str, split: str, root: Path | None, limit: int | None) -> PairSource:
        return GeneratedPairs(make(), load_dataset(dataset, split, root, limit))

    def problems(dataset: str) -> list[str]:
        return [] if dataset in DATASETS else [f"dataset = {dataset!r}: expected one of {', '.join(DATASETS)}"]

    def at_hand(dataset: str, root: str | Path | None) -> tuple[PairSource, Source, str | None]:
        images, data, note = images_at_hand(dataset, root)
        return GeneratedPairs(make(), images), data, note

    return PairKind(load, problems, at_hand)


def pair_kind(name: str) -> PairKind:
    """A way that pairs come about, by name. Raises UnknownName."""
    from . import PAIRS, STORED_PAIRS

    found = look_up({**PAIRS, **STORED_PAIRS}, name, "kind of pairs")
    return found if isinstance(found, PairKind) else generated(found)


def open_pairs(name: str, dataset: str, split: str, root: Path | None = None, limit: int | None = None) -> PairSource:
    """The pairs of a split. Raises UnknownName, DataNotFound, or InvalidInput."""
    return pair_kind(name).open(dataset, split, root, limit)
