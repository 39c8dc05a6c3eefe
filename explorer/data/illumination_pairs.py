"""Pairs of one scene under two lights (Perturbation sets, §5.2 and Appendix F): of the published scenes, and of rendered ones."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.errors import InvalidInput

from .at_hand import Source
from .base import ImageDataset, data_folder
from .illumination import FOLDER, LEVELS, LIGHTS, LitScenes, open_scenes
from .pair_source import PairBatch, PairKind
from .scenes import SHAPES, RenderedScenes, lit_scenes

NEUTRAL = 0  # "a fixed lighting angle which appears to be neutral": the published code's first
RENDERED = "lit_scenes"
PUBLISHED = re.compile(rf"{FOLDER}-mip([{LEVELS.start}-{LEVELS.stop - 1}])")
PAIRS_OF_A_SCENE = LIGHTS * LIGHTS
STRIDE, SHIFT = 239, 97  # coprime to the number of pairs of a scene: neighbours in the order have little in common


@dataclass(frozen=True, eq=False)
class LightPairs:
    """A reference light and the light that it becomes, which is the pair's type. All 25 × 25 ordered pairs of each scene are measured on; a
    training draws two different lights. The clean images are those under the neutral light."""

    scenes: LitScenes
    draws = 2

    @property
    def costly(self) -> bool:
        """Published pictures are read from files every time."""
        return not isinstance(self.scenes, RenderedScenes)

    @cached_property
    def images(self) -> ImageDataset:
        """Every scene under the neutral light; labels are the main bodies of rendered scenes."""
        everyone = range(len(self.scenes.names))
        labels, names = (self.scenes.labels, tuple(SHAPES)) if isinstance(self.scenes, RenderedScenes) else (torch.zeros(len(everyone), dtype=torch.long), ("scene",))
        return ImageDataset(self.scenes.pictures(everyone, [NEUTRAL] * len(everyone)), labels, names)

    @property
    def type_names(self) -> tuple[str, ...]:
        return tuple(f"light {light}" for light in range(LIGHTS))

    parameter_names = ()

    def __len__(self) -> int:
        return len(self.scenes.names) * PAIRS_OF_A_SCENE

    def fixed(self, numbers: Sequence[int]) -> PairBatch:
        """In rounds over the scenes, so that the first pairs cover scenes and lights evenly."""
        if len(numbers) and not 0 <= min(numbers) <= max(numbers) < len(self):
            raise InvalidInput(f"pairs are numbered 0 to {len(self) - 1}, got {min(numbers)} to {max(numbers)}")
        places = [divmod(number, len(self.scenes.names)) for number in numbers]
        chosen = [(scene, (turn * STRIDE + scene * SHIFT) % PAIRS_OF_A_SCENE) for turn, scene in places]
        return self._batch([scene for scene, _ in chosen], [pair // LIGHTS for _, pair in chosen], [pair % LIGHTS for _, pair in chosen])

    def drawn(self, scenes: Int[Tensor, "n"], draws: Float[Tensor, "n draws"]) -> PairBatch:
        first = (draws[:, 0] * LIGHTS).long().clamp(max=LIGHTS - 1)
        other = (draws[:, 1] * (LIGHTS - 1)).long().clamp(max=LIGHTS - 2)
        return self._batch(scenes.tolist(), first.tolist(), ((first + 1 + other) % LIGHTS).tolist())

    def shown(self, image: Float[Tensor, "1 c h w"], key: int) -> tuple[PairBatch, tuple[str, ...]]:
        """The scene of that number under each light, from the neutral one; for an image of another origin those of some scene."""
        return self._batch([key % len(self.scenes.names)] * LIGHTS, [NEUTRAL] * LIGHTS, list(range(LIGHTS))), self.type_names

    def clean(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return images

    def image_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        return tuple(shape)

    def fingerprint(self) -> str:
        """Changes with the scenes, and with any pixel of them under the neutral light."""
        return hashlib.sha256(f"{self.scenes.names} {self.images.fingerprint()}".encode()).hexdigest()[:16]

    def on(self, device: torch.device) -> "LightPairs":
        """Rendered scenes are rendered as a whole now."""
        if not isinstance(self.scenes, RenderedScenes):
            return self
        self.scenes.prepare()
        return LightPairs(replace(self.scenes, device=device))

    def _batch(self, scenes: list[int], references: list[int], lights: list[int]) -> PairBatch:
        pictures = self.scenes.pictures(scenes + scenes, references + lights)
        reference, perturbed = pictures[: len(scenes)], pictures[len(scenes) :]
        return PairBatch(reference, perturbed, torch.tensor(scenes, dtype=torch.long), torch.tensor(lights, dtype=torch.long), torch.empty(len(scenes), 0))


def open_lit_scenes(dataset: str, split: str, root: Path | None, limit: int | None = None) -> LitScenes:
    """`lit_scenes`, or `multi_illumination-mip5` and its other levels. Raises InvalidInput, or DataNotFound."""
    if dataset == RENDERED:
        return lit_scenes(split, limit)
    if problems := _problems(dataset):
        raise InvalidInput(problems[0])
    return open_scenes(split, int(PUBLISHED.fullmatch(dataset)[1]), data_folder(root), limit)


def _open(dataset: str, split: str, root: Path | None, limit: int | None) -> LightPairs:
    return LightPairs(open_lit_scenes(dataset, split, root, limit))


def _problems(dataset: str) -> list[str]:
    known = (RENDERED, *(f"{FOLDER}-mip{level}" for level in LEVELS))
    return [] if dataset == RENDERED or PUBLISHED.fullmatch(dataset) else [f"dataset = {dataset!r}: expected scenes under several lights, {', '.join(known)}"]


def _at_hand(dataset: str, root: str | Path | None) -> tuple[LightPairs, Source, str | None]:
    """Where the published scenes are not at hand, rendered ones of their size cannot stand in: they are square."""
    return LightPairs(open_lit_scenes(dataset, "test", data_folder(root))), Source(dataset, root), None


LIGHT_PAIRS = PairKind(_open, _problems, _at_hand)
