"""Several checkpoints of a kind beside each other, all for images of the same size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError

from .library import Found


@dataclass(frozen=True, eq=False)
class Model:
    """A chosen checkpoint, opened, with a label. `identity` says which version of which file this is, and on which device."""

    label: str
    opened: Any
    path: Path
    identity: tuple


def open_models(keys: Sequence[str], known: dict[str, Found], open_: Callable[[Path], Any]) -> tuple[list[Model], list[str]]:
    """What can be opened of them and takes images of the first one's size; a sentence for each of the others, and for images that stand
    in for a data set that is not here."""
    models, problems = [], []
    for key in keys:
        path = known[key].path
        try:
            opened = open_(path)
            identity = (str(path), path.stat().st_mtime_ns, str(opened.device))
        except (ExplorerError, OSError) as error:
            problems.append(f"{key}: {error}")
            continue
        if models and opened.model.image_shape != (shape := models[0].opened.model.image_shape):
            problems.append(f"{key} takes images of {_size(opened.model.image_shape)}, {models[0].label} of {_size(shape)}: they cannot be shown the same one, so {key} is left out.")
            continue
        if opened.note and opened.note not in problems:
            problems.append(opened.note)
        models.append(Model(_label(key, keys), opened, path, identity))
    return models, problems


def is_half(found: Found) -> bool:
    """Whether it is one that a training leaves on its way."""
    return found.path.stem in ("best", "last")


def _label(key: str, keys: Sequence[str]) -> str:
    """Without its folders, where no other model has the same name."""
    name = key.rsplit("/", 1)[-1]
    return name if sum(other.rsplit("/", 1)[-1] == name for other in keys) == 1 else key


def _size(shape: tuple[int, int, int]) -> str:
    return " × ".join(map(str, shape))
