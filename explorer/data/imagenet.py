"""ImageNet and its variants -C, -R and -v2 in their published folders, read when they are asked for.

Class k is the k-th of the 1,000 folder names (WordNet ids) in sorted order, which is what classifiers of ImageNet answer with. It is read from
`imagenet_class_index.json` in the root, else from the names of ImageNet's own training or validation folders."""

import json
import os
from pathlib import Path

import torch
from jaxtyping import Bool
from torch import Tensor

from explorer.errors import DataNotFound, InvalidInput
from explorer.registry import look_up

from .base import data_folder
from .corruptions import CORRUPTIONS, SEVERITIES
from .folders import KEPT, FolderImages

IMAGENET = "imagenet"
CLASSES, RENDITIONS = 1000, 200
CLASS_INDEX = "imagenet_class_index.json"
ENDINGS = (".jpeg", ".jpg", ".png", ".webp")
SHOWN = 224  # pixels of a side that classifiers are measured at (AdA, Appendix E.1)
PLACES = {
    "imagenet": {"train": ("imagenet/train", "ImageNet/train", "train"), "test": ("imagenet/val", "ImageNet/val", "val")},
    "imagenet-c": ("ImageNet-C", "imagenet-c"),
    "imagenet-r": ("imagenet-r", "ImageNet-R"),
    "imagenet-v2": ("imagenetv2-matched-frequency-format-val", "imagenetv2-matched-frequency", "ImageNet-v2"),
}


def open_imagenet(split: str = "test", root: str | Path | None = None, size: int = 128) -> FolderImages:
    """ImageNet's training or validation images (split 'train' or 'test'), one folder a class. Raises DataNotFound, or InvalidInput for another layout."""
    if split not in PLACES["imagenet"]:
        raise InvalidInput(f"ImageNet has the splits 'train' and 'test' (its published validation images), got {split!r}.")
    folder = _find(PLACES["imagenet"][split], root)
    return _by_name(folder, class_index(root), size, KEPT, every_class=True)


def open_imagenet_c(name: str, severity: int, root: str | Path | None = None, size: int = 128) -> FolderImages:
    """ImageNet-C's images of a corruption at a severity: `ImageNet-C/<corruption>/<severity>/<class>/`. They are published cut to 224 pixels, so all of each is kept."""
    look_up(CORRUPTIONS, name, "corruption")
    if severity not in SEVERITIES:
        raise InvalidInput(f"severity must be 1, 2, 3, 4 or 5, got {severity!r}.")
    folder = _find(tuple(f"{place}/{name}/{severity}" for place in PLACES["imagenet-c"]), root)
    return _by_name(folder, class_index(root), size, 1.0, every_class=True)


def open_imagenet_r(root: str | Path | None = None, size: int = 128) -> FolderImages:
    """ImageNet-R's renditions of 200 of the 1,000 classes; their labels are those of all 1,000. Judge a classifier among `rendition_mask` only."""
    images = _by_name(_find(PLACES["imagenet-r"], root), class_index(root), size, KEPT, every_class=False)
    if (found := len(set(images.labels.tolist()))) != RENDITIONS:
        raise InvalidInput(f"{images.paths[0].parent.parent} holds {found} classes, ImageNet-R has {RENDITIONS}. Extract it again.")
    return images


def open_imagenet_v2(root: str | Path | None = None, size: int = 128) -> FolderImages:
    """ImageNet-v2's images. Its folders are named 0 to 999 and mean class numbers, not places in the order of their names ("10" sorts before "2")."""
    folder = _find(PLACES["imagenet-v2"], root)
    names = _folders(folder)
    if {*names} != {str(number) for number in range(CLASSES)}:
        odd = sorted(set(names) - {str(number) for number in range(CLASSES)})
        raise InvalidInput(f"{folder} holds {len(names)} folders{f', among them {odd[0]!r}' if odd else ''}; ImageNet-v2 has 1,000, named 0 to 999. Extract it again.")
    try:
        titles = class_titles(root)
    except DataNotFound:
        titles = tuple(str(number) for number in range(CLASSES))  # the numbers need no index
    return _gather(folder, {str(number): number for number in range(CLASSES)}, titles, size, KEPT)


def rendition_mask(images: FolderImages) -> Bool[Tensor, "classes"]:
    """The classes that occur: logits of all others are left out when ImageNet-R is judged (`logits[:, mask]`, or minus infinity)."""
    mask = torch.zeros(len(images.class_names), dtype=torch.bool)
    mask[images.labels] = True
    return mask


def class_index(root: str | Path | None = None) -> dict[str, int]:
    """Each WordNet id's class number. Raises DataNotFound where neither the index nor ImageNet's folders are there, InvalidInput for a damaged one."""
    return {wnid: number for number, (wnid, _) in enumerate(_index(root))}


def class_titles(root: str | Path | None = None) -> tuple[str, ...]:
    """The classes' names, or their ids where only folders are at hand."""
    return tuple(title for _, title in _index(root))


def _index(root: str | Path | None) -> list[tuple[str, str]]:
    base = data_folder(root) or Path("data")
    for path in (base / CLASS_INDEX, base / "imagenet" / CLASS_INDEX):
        if path.is_file():
            return _read_index(path)
    for place in (*PLACES["imagenet"]["train"], *PLACES["imagenet"]["test"]):
        if (base / place).is_dir() and len(names := _folders(base / place)) == CLASSES:
            return [(name, name) for name in sorted(names)]
    raise DataNotFound(f"ImageNet's class order was found neither in {base / CLASS_INDEX} nor as 1,000 folders in {base / PLACES['imagenet']['test'][0]}. Put {CLASS_INDEX} there, or set EXPLORER_DATA.")


def _read_index(path: Path) -> list[tuple[str, str]]:
    try:
        entries = {int(number): (str(wnid), str(title)) for number, (wnid, title) in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidInput(f'{path} is not a class index ({type(error).__name__}). Expected {{"0": ["n01440764", "tench"], …}}.') from None
    wnids = [entries[number][0] for number in sorted(entries)]
    if sorted(entries) != list(range(CLASSES)) or wnids != sorted(set(wnids)):
        raise InvalidInput(f"{path} does not number {CLASSES:,} different classes in the sorted order of their WordNet ids. Copy it again.")
    return [entries[number] for number in range(CLASSES)]


def _find(places: tuple[str, ...], root: str | Path | None) -> Path:
    base = data_folder(root) or Path("data")
    for place in places:
        if (base / place).is_dir():
            return base / place
    raise DataNotFound(f"no such images here: looked for {', '.join(str(base / place) for place in places)}. Extract the published archive there, or set EXPLORER_DATA.")


def _folders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]


def _by_name(folder: Path, index: dict[str, int], size: int, kept: float, every_class: bool) -> FolderImages:
    names = sorted(_folders(folder))
    unknown, missing = [name for name in names if name not in index], [name for name in index if name not in set(names)]
    if unknown or not names or (every_class and missing):
        problem = f"the folder {unknown[0]!r} is no class" if unknown else f"{len(missing)} classes have no folder, the first {missing[0]!r}"
        raise InvalidInput(f"{folder} is not in the published layout: {problem}. Expected one folder a class, named by its WordNet id.")
    return _gather(folder, {name: index[name] for name in names}, tuple(index), size, kept)


def _gather(folder: Path, numbers: dict[str, int], titles: tuple[str, ...], size: int, kept: float) -> FolderImages:
    """All pictures, class by class and in each by name. Raises InvalidInput for a class without any, or for a file that is not one."""
    paths: list[Path] = []
    labels: list[int] = []
    for name, number in sorted(numbers.items(), key=lambda pair: pair[1]):
        with os.scandir(folder / name) as entries:
            files = sorted(entry.name for entry in entries if not entry.name.startswith("."))
        odd = [each for each in files if not each.lower().endswith(ENDINGS)]
        if odd or not files:
            raise InvalidInput(f"{folder / name} holds {f'{odd[0]!r}, which is no picture' if odd else 'no picture'}. Expected files ending in {', '.join(ENDINGS)}.")
        paths += [folder / name / each for each in files]
        labels += [number] * len(files)
    return FolderImages(tuple(paths), torch.tensor(labels), titles, size, kept)
