"""Rendered scenes, each under all 25 lamps, with the material of every pixel; no download."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.data.base import SPLITS
from explorer.types import Progress, Silent, stop_if_cancelled

from .cache import Arrays, kept, kept_arrays
from .layout import MATERIALS
from .render import LIGHTS, render_scenes
from .shapes import SHAPES

COUNTS = {"train": 240, "validation": 8, "test": 24}
SIZE = 64
SEEDS = {split: number + len(SPLITS) for number, split in enumerate(SPLITS)}  # other scenes than those of the data set `scenes`
TOGETHER = 10  # scenes between two signs of progress


@dataclass(frozen=True, eq=False)
class RenderedScenes:
    """The first scenes of a split, 3 × 64 × 64. A picture is rendered when it is first asked for; `prepare` renders all and keeps them. `labels`
    are the shapes of the main bodies."""

    split: str
    count: int
    device: torch.device | str = "cpu"
    _pixels: dict[tuple[int, int], Tensor] = field(default_factory=dict, repr=False)
    _materials: dict[int, Tensor] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"scene {number}" for number in range(self.count))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return 3, SIZE, SIZE

    @property
    def material_names(self) -> tuple[str, ...]:
        return MATERIALS

    @property
    def labels(self) -> Int[Tensor, "scenes"]:
        return torch.arange(self.count) % len(SHAPES)

    def pictures(self, scenes: Sequence[int], lights: Sequence[int]) -> Float[Tensor, "n channels height width"]:
        asked = list(zip(scenes, lights, strict=True))
        self._render([each for each in dict.fromkeys(asked) if each not in self._pixels])
        pixels = torch.stack([self._pixels[each] for each in asked]) if asked else torch.empty(0, *self.image_shape, dtype=torch.uint8)
        return pixels.to(self.device).float().div_(255)

    def materials(self, scenes: Sequence[int]) -> Int[Tensor, "n height width"]:
        self._render([(scene, 0) for scene in dict.fromkeys(scenes) if scene not in self._materials])
        return torch.stack([self._materials[scene] for scene in scenes]).to(self.device).long() if len(scenes) else torch.empty(0, SIZE, SIZE, dtype=torch.int64)

    def prepare(self, progress: Progress | None = None) -> None:
        """All these pictures; of a whole split from the cache folder, else rendered (0.05 s each) and kept there. Raises Cancelled."""
        if self.count < COUNTS[self.split]:
            return
        def make() -> Arrays:
            watch, every = progress or Silent(), [(scene, light) for scene in range(COUNTS[self.split]) for light in range(LIGHTS)]
            for first in range(0, len(every), TOGETHER * LIGHTS):
                stop_if_cancelled(watch)
                self._render([each for each in every[first : first + TOGETHER * LIGHTS] if each not in self._pixels])
                watch.advance(min(first + TOGETHER * LIGHTS, len(every)), len(every), "rendering")
            pictures = torch.stack([self._pixels[each] for each in every]).view(-1, LIGHTS, *self.image_shape)
            return {"pictures": pictures.numpy(), "materials": torch.stack([self._materials[scene] for scene in range(COUNTS[self.split])]).numpy()}

        shapes = {"pictures": (COUNTS[self.split], LIGHTS, *self.image_shape), "materials": (COUNTS[self.split], SIZE, SIZE)}
        arrays = kept_arrays(_kept(self.split), shapes, make)
        pictures, materials = (torch.from_numpy(arrays[key]) for key in ("pictures", "materials"))
        self._pixels.update({(scene, light): pictures[scene, light] for scene in range(len(pictures)) for light in range(LIGHTS)})
        self._materials.update(dict(enumerate(materials)))

    def _render(self, wanted: list[tuple[int, int]]) -> None:
        if not wanted:
            return
        scenes, lights = zip(*wanted)
        made = render_scenes(scenes, SIZE, light=lights, seed=SEEDS[self.split])
        for each, picture, materials in zip(wanted, made.images.mul(255).round().to(torch.uint8), made.materials.to(torch.uint8)):
            self._pixels[each] = picture
            self._materials[each[0]] = materials


def lit_scenes(split: str, limit: int | None = None) -> RenderedScenes:
    """240 / 8 / 24 scenes of the splits, or the first few of them."""
    scenes = RenderedScenes(split, min(limit or COUNTS[split], COUNTS[split]))
    if _kept(split).is_file():
        scenes.prepare()
    return scenes


def _kept(split: str) -> Path:
    return kept(f"lit-scenes-{split}")
