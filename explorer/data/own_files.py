"""A user's pictures in pairs: a folder with a folder for each scene, or a CSV, and all that is wrong with them."""

import csv
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from explorer.errors import ConfigurationError, DataNotFound

from .pictures import MAXIMUM_PIXELS, eight_bits

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
REFERENCES = ("reference", "clean", "original")  # a file of that name is its scene's reference, else the first in the order of names
COLUMNS = ("reference", "perturbed", "type")
TOLD = 12  # problems, of each table
LARGEST = 4 << 30  # bytes of all pictures in memory


@dataclass(frozen=True)
class OwnPair:
    """A perturbed picture, and of what type it is."""

    path: Path
    type: str


@dataclass(frozen=True)
class OwnScene:
    """A reference with what it looks like perturbed."""

    name: str
    reference: Path
    pairs: tuple[OwnPair, ...]


def own_scenes(place: Path) -> tuple[OwnScene, ...]:
    """The scenes of a folder or a CSV, in the order of their names. Nothing is read but names. Raises DataNotFound, or ConfigurationError
    with everything that is wrong."""
    if place.is_dir():
        found, problems = _of_folder(place)
    elif place.is_file() and place.suffix.lower() == ".csv":
        found, problems = _of_table(place)
    elif place.is_file():
        raise ConfigurationError([f"{place.name} is neither a folder nor a CSV. A zip is unpacked on the Train page; or unpack it, and name its folder."])
    else:
        raise DataNotFound(f"there is no folder or CSV {place}. Expected a folder with a folder of pictures for each scene, or a CSV with the columns {', '.join(COLUMNS)}.")
    if not found and not problems:
        problems = [f"{place} holds no scenes. Expected a folder for each, with a picture {REFERENCES[0]}.png and others named by what was done, as fog.png or fog-2.png."]
    if problems:
        raise ConfigurationError(_shortened(problems))
    return tuple(sorted(found, key=lambda scene: scene.name))


def _of_folder(place: Path) -> tuple[list[OwnScene], list[str]]:
    scenes, problems = [], []
    for folder in sorted(each for each in place.iterdir() if each.is_dir() and not each.name.startswith((".", "__"))):
        pictures = sorted(each for each in folder.iterdir() if each.suffix.lower() in PICTURES and not each.name.startswith("."))
        if len(pictures) < 2:
            problems.append(f"{folder.name}: {'one picture' if pictures else 'no pictures'}, expected a reference and at least one perturbed picture")
            continue
        named = [each for each in pictures if each.stem.lower() in REFERENCES]
        if len(named) > 1:
            problems.append(f"{folder.name}: {' and '.join(each.name for each in named)} are both named as the reference, expected one")
            continue
        reference = named[0] if named else pictures[0]
        scenes.append(OwnScene(folder.name, reference, tuple(OwnPair(each, type_of(each.stem)) for each in pictures if each != reference)))
    return scenes, problems


def type_of(stem: str) -> str:
    """`fog-2`, `fog_02` and `fog` are of the type fog."""
    return re.sub(r"[\s_-]*\d+$", "", stem) or "perturbed"


def _of_table(place: Path) -> tuple[list[OwnScene], list[str]]:
    scenes: dict[str, OwnScene] = {}
    problems: list[str] = []
    with open(place, newline="", encoding="utf-8-sig") as file:
        try:
            rows = csv.DictReader(file)
            if missing := [name for name in COLUMNS[:2] if name not in (rows.fieldnames or ())]:
                return [], [f"{place.name}: no column {' and no column '.join(missing)}. Expected {', '.join(COLUMNS)}; paths are those from the CSV's folder."]
            for number, row in enumerate(rows, 2):
                texts = {name: (row.get(name) or "").strip() for name in COLUMNS}
                if empty := [name for name in COLUMNS[:2] if not texts[name]]:
                    problems.append(f"{place.name}, line {number}: no {' and no '.join(empty)}")
                    continue
                reference, perturbed = (place.parent / texts[name] for name in COLUMNS[:2])
                if absent := [path.name for path in (reference, perturbed) if not path.is_file()]:
                    problems.append(f"{place.name}, line {number}: there is no file {' and no '.join(absent)}")
                    continue
                scene = scenes.setdefault(texts["reference"], OwnScene(texts["reference"], reference, ()))
                pair = OwnPair(perturbed, texts["type"] or type_of(perturbed.stem))
                scenes[texts["reference"]] = replace(scene, pairs=(*scene.pairs, pair))
        except (csv.Error, UnicodeDecodeError) as error:
            return [], [f"{place.name} cannot be read as a CSV in UTF-8: {error}"]
    return list(scenes.values()), problems


@dataclass(frozen=True, eq=False)
class Pictures:
    """All pictures of some files, of one size, with what was done to read them."""

    pixels: UInt8[Tensor, "n c h w"]
    notes: tuple[str, ...]


def read_pictures(paths: list[Path], progress: Callable[[int], None] = lambda done: None) -> Pictures:
    """Colour where any of them is, else grey; 16 bits and CMYK become 8 bits and RGB, which a note says. Raises ConfigurationError with every
    picture that cannot be read or is of another size than most."""
    from PIL import Image, ImageOps

    arrays, changed, problems = [], {}, []
    for number, path in enumerate(paths):
        progress(number)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(path) as picture:
                    if picture.width * picture.height > MAXIMUM_PIXELS:
                        raise Image.DecompressionBombError
                    if picture.mode == "CMYK" or picture.mode.startswith(("I", "F")):
                        kind = "CMYK, taken as RGB" if picture.mode == "CMYK" else "16 bits or more, scaled to 8"
                        changed.setdefault(kind, []).append(path.name)
                    upright = ImageOps.exif_transpose(eight_bits(picture))
                    if upright.has_transparency_data:
                        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "black"), upright.convert("RGBA"))
                    arrays.append(np.array(upright.convert("L" if upright.mode in ("L", "1") else "RGB")))
        except Image.DecompressionBombError:
            problems.append(f"{_named(path)}: more than {MAXIMUM_PIXELS // 10**6} megapixels")
        except (OSError, ValueError, SyntaxError):
            problems.append(f"{_named(path)}: not a picture that can be read")
    problems += _sizes(paths, arrays) if not problems else []
    if problems:
        raise ConfigurationError(_shortened(problems))
    colour = any(array.ndim == 3 for array in arrays)
    alike = [array if array.ndim == 3 else np.repeat(array[:, :, None], 3 if colour else 1, 2) for array in arrays]
    notes = tuple(f"{len(names)} picture{'s are' if len(names) > 1 else ' is'} of {kind}: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}" for kind, names in changed.items())
    if colour and any(array.ndim == 2 for array in arrays):
        notes += (f"{sum(array.ndim == 2 for array in arrays)} pictures are grey among colour ones, taken as colour",)
    return Pictures(torch.from_numpy(np.stack(alike)).permute(0, 3, 1, 2).contiguous(), notes)


def _sizes(paths: list[Path], arrays: list[np.ndarray]) -> list[str]:
    """A sentence for each picture of another size than most, and for too many pixels in all."""
    sizes = [array.shape[:2] for array in arrays]
    usual = max(sorted(set(sizes)), key=sizes.count)
    problems = [f"{_named(path)}: {w}×{h} pixels, most others {usual[1]}×{usual[0]}. Bring all to one size first." for path, (h, w) in zip(paths, sizes) if (h, w) != usual]
    if (total := sum(array.size for array in arrays)) > LARGEST:
        problems.append(f"all pictures take {total / 1e9:.1f} GB in memory, at most {LARGEST >> 30} GB. Make them smaller, or take fewer.")
    return problems


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _shortened(problems: list[str]) -> list[str]:
    return problems if len(problems) <= TOLD else [*problems[:TOLD], f"and {len(problems) - TOLD} more"]
