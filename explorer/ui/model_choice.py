"""Several checkpoints of a kind beside each other, all for images of the same size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from explorer.errors import ExplorerError

from .library import Found

Link = TypeVar("Link")  # with the field model


@dataclass(frozen=True, eq=False)
class Model:
    """A chosen checkpoint, opened, with a label. `identity` says which version of which file this is, and on which device."""

    label: str
    opened: Any
    path: Path
    identity: tuple


def choose_models(
    link: Link, known: dict[str, Found], most: int, revision: int, *, what: str, label: str, help: str, usual: Sequence[str] = (), keeps: Callable[[list[str], list[str]], bool] | None = None, changed: dict[str, Any]
) -> tuple[Link, list[str]]:
    """The link with up to so many models, and `changed` where its images now mean something else: unless the first one is kept, or what
    `keeps` says of the models before and now. Also what was wrong in it."""
    before = list(link.model)
    wanted = [key for key in before if key in known]
    problems = [f"The link's checkpoint {key[:60]!r} is not a {what} that is here." for key in before if key not in known]
    if len(wanted) > most:
        problems.append(f"The link names {len(wanted)} models. The first {most} are shown.")
    chosen = st.multiselect(label, list(known), wanted[:most] or list(usual or known)[: most if usual else 1], max_selections=most, key=f"model-{revision}", help=help)
    if before and not (keeps(before, chosen) if keeps else chosen[:1] == before[:1]):
        link = replace(link, **changed)
    return replace(link, model=tuple(chosen)), problems


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


def of_same_classes(models: Sequence[Model], names: Callable[[Model], Any]) -> tuple[list[Model], list[str]]:
    """Those that know what the first one knows; a sentence for each of the others."""
    fitting = [each for each in models if names(each) == names(models[0])]
    return fitting, [f"{each.label} knows other classes than {models[0].label}: it cannot be shown beside it, and is left out." for each in models if each not in fitting]


def is_half(found: Found) -> bool:
    """Whether it is one that a training leaves on its way."""
    return found.path.stem in ("best", "last")


def _label(key: str, keys: Sequence[str]) -> str:
    """Without its folders, where no other model has the same name."""
    name = key.rsplit("/", 1)[-1]
    return name if sum(other.rsplit("/", 1)[-1] == name for other in keys) == 1 else key


def _size(shape: tuple[int, int, int]) -> str:
    return " × ".join(map(str, shape))
