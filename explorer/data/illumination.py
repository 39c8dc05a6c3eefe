"""Scenes under 25 lights with the material of every pixel; and those of the multi-illumination data set in their published layout (Murmann et al., 2019)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.errors import DataNotFound, InvalidInput

LIGHTS = 25
FOLDER = "multi_illumination"
FULL_SIZE = (4000, 6000)  # pixels at level 0; each level halves them
LEVELS = range(2, 8)
OTHER = "Other"
PALETTE = (
    "unassigned", "I can't tell", "More than one material", "Cardboard", "Ceramic", "Concrete", "Cork/corkboard", "Dirt", "Fabric/cloth", "Foliage", "Food", "Fur", "Glass",
    "Granite/marble", "Laminate", "Leather", "Linoleum", "Metal", "Mirror", "Not on list", "Painted", "Paper/tissue", "Plastic - clear", "Plastic - opaque", "Rubber/latex",
    "Sponge", "Styrofoam", "Tile", "splitshape", "Wallpaper", "Wax", "Wicker", "Wood", "Stone", "Chalkboard/blackboard", "Carpet/rug", "Brick", "Skin", "Water", "Hair", "no_consensus",
)  # fmt: skip
"""What each index of a published material map stands for."""
UNKNOWN = frozenset({"unassigned", "I can't tell", "More than one material", "Not on list", "splitshape", "no_consensus"})
PUBLISHED_MATERIALS = (*sorted(set(PALETTE) - UNKNOWN), OTHER)
"""The 36 classes of the published segmentation: what is known, in alphabetical order, and all else."""


@runtime_checkable
class LitScenes(Protocol):
    """Scenes that are each seen under the same 25 lights. Pictures are float32 in [0, 1]; a material is a position in `material_names`."""

    names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    material_names: tuple[str, ...]

    def pictures(self, scenes: Sequence[int], lights: Sequence[int]) -> Float[Tensor, "n channels height width"]:
        """Scene number scenes[i] under light number lights[i]."""
        ...

    def materials(self, scenes: Sequence[int]) -> Int[Tensor, "n height width"]: ...


@dataclass(frozen=True)
class SceneFolders:
    """Published scenes: `root/NAME/dir_0_mip5.jpg` … `dir_24_mip5.jpg` and `materials_mip5.png`, read when they are asked for."""

    root: Path
    names: tuple[str, ...]
    level: int
    material_names: tuple[str, ...] = PUBLISHED_MATERIALS

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (3, *size_at(self.level))

    def pictures(self, scenes: Sequence[int], lights: Sequence[int]) -> Float[Tensor, "n channels height width"]:
        """Raises InvalidInput for a file that is no picture of the level's size."""
        rows = [self._picture(self.names[scene], light) for scene, light in zip(scenes, lights, strict=True)]
        pixels = np.stack(rows) if rows else np.empty((0, *size_at(self.level), 3), np.uint8)
        return torch.from_numpy(pixels).movedim(3, 1).float().div(255).contiguous()

    def materials(self, scenes: Sequence[int]) -> Int[Tensor, "n height width"]:
        """Raises DataNotFound for a scene without a material map, and InvalidInput for one that is not indexed as published."""
        rows = [self._materials(self.names[scene]) for scene in scenes]
        return torch.stack(rows) if rows else torch.empty(0, *size_at(self.level), dtype=torch.int64)

    def _picture(self, name: str, light: int) -> np.ndarray:
        path = self.root / name / f"dir_{light}_mip{self.level}.jpg"
        picture = _open(path, "RGB")
        if picture.size != size_at(self.level)[::-1]:
            raise InvalidInput(f"{path} has {picture.width}×{picture.height} pixels: expected {'×'.join(map(str, size_at(self.level)[::-1]))} at level {self.level}. Download it again.")
        return np.asarray(picture)

    def _materials(self, name: str) -> Int[Tensor, "height width"]:
        """The map of this level, or the finest one, whose nearest pixels are taken: published maps of some levels are a pixel smaller than their pictures."""
        from PIL import Image

        found = sorted((self.root / name).glob("materials_mip*.png"), key=lambda path: (not path.stem.endswith(f"mip{self.level}"), path.name))
        if not found:
            raise DataNotFound(f"{self.root / name} holds no material map: expected materials_mip{self.level}.png, or one of another level.")
        indices = _open(found[0], "P").resize(size_at(self.level)[::-1], Image.Resampling.NEAREST)
        numbers = np.asarray(indices)
        if numbers.max(initial=0) >= len(PALETTE):
            raise InvalidInput(f"{found[0]} has the index {numbers.max()}: expected 0 to {len(PALETTE) - 1}, the published materials.")
        return _classes()[torch.from_numpy(numbers.astype(np.int64))]


def size_at(level: int) -> tuple[int, int]:
    """Height and width of the pictures of a level: 125 × 187 at 5."""
    return FULL_SIZE[0] >> level, FULL_SIZE[1] >> level


def open_scenes(split: str, level: int, root: Path | None, limit: int | None = None) -> SceneFolders:
    """The scenes of a split at hand, by name: the published test scenes are those whose name begins with everett, the paper's 25 validation scenes
    with main_drylab (Perturbation sets, Appendix F). Raises DataNotFound, and InvalidInput with every scene that lacks a picture."""
    if level not in LEVELS:
        raise InvalidInput(f"level {level}: expected {LEVELS.start} to {LEVELS.stop - 1}; 5 stands for 125×187 pixels, and each less for twice the size")
    base = root or Path("data")
    folder = base / FOLDER if (base / FOLDER).is_dir() else base
    scenes = {path.name: _lights(path) for path in sorted(folder.iterdir()) if path.is_dir()} if folder.is_dir() else {}
    scenes = {name: lights for name, lights in scenes.items() if lights}
    if not scenes:
        raise DataNotFound(f"no multi-illumination scene was found in {folder}: expected folders such as everett_kitchen2 with dir_0_mip{level}.jpg to dir_24_mip{level}.jpg. Set EXPLORER_DATA to the folder that holds {FOLDER}/.")
    own = {name: lights for name, lights in scenes.items() if split_of(name) == split}
    at_level = [name for name, lights in own.items() if level in lights][:limit]
    if not at_level:
        there = ", ".join(f"{len(members)} of {each}" for each in ("train", "validation", "test") if (members := [name for name in scenes if split_of(name) == each]))
        levels = ", ".join(map(str, sorted({each for lights in scenes.values() for each in lights})))
        raise DataNotFound(f"{folder} holds no scene of the {split} split at level {level}. There are {there}; at level {levels}.")
    problems = [
        f"{name}: {len(missing)} of {LIGHTS} pictures of level {level} are missing, such as dir_{missing[0]}_mip{level}.jpg"
        for name in at_level
        if (missing := sorted(set(range(LIGHTS)) - own[name][level]))
    ]
    if problems:
        raise InvalidInput("\n".join([f"{folder} is not whole. Download these scenes again, or move them away:", *problems[:20], *([f"… and {len(problems) - 20} more"] if len(problems) > 20 else [])]))
    return SceneFolders(folder, tuple(at_level), level)


def split_of(name: str) -> str:
    return "test" if name.startswith("everett") else "validation" if name.startswith("main_drylab") else "train"


def _lights(folder: Path) -> dict[int, set[int]]:
    """Which lights there are of each level."""
    found: dict[int, set[int]] = {}
    for path in folder.glob("dir_*_mip*.jpg"):
        if (match := re.fullmatch(r"dir_(\d+)_mip(\d+)", path.stem)) and int(match[1]) < LIGHTS:
            found.setdefault(int(match[2]), set()).add(int(match[1]))
    return found


def _open(path: Path, mode: str):
    """A picture of that mode. Raises InvalidInput for anything else."""
    from PIL import Image

    try:
        picture = Image.open(path, formats=("JPEG", "PNG"))
        picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidInput(f"{path} cannot be read as a picture ({type(error).__name__}). Download it again.") from None
    if picture.mode != mode:
        raise InvalidInput(f"{path} is a picture of mode {picture.mode}: expected {mode}, {'a palette of materials' if mode == 'P' else 'eight bits of three colours'}.")
    return picture


def _classes() -> Int[Tensor, "palette"]:
    """The class of each index of a published map."""
    return torch.tensor([PUBLISHED_MATERIALS.index(OTHER if name in UNKNOWN else name) for name in PALETTE])
