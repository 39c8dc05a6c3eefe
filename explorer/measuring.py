"""What every measurement over a split shares: what it is of and where it was made, the folder of its finished batches, means and errors."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from .configuration import limit_problems, out_of_range
from .errors import ConfigurationError
from .hardware import describe_device
from .provenance import code_revision, library_versions
from .randomness import LARGEST_KEY


@runtime_checkable
class Opened(Protocol):
    """A checkpoint with the images that it is measured on."""

    checkpoint: Any
    images: Any
    data: Any
    device: torch.device


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a measurement is of, and where it was made."""

    checkpoint: str
    settings: dict
    dataset: str
    digest: str
    training: dict
    fingerprint: str = ""
    device: str = ""
    versions: dict = field(default_factory=dict)
    revision: str = ""


@dataclass(frozen=True, kw_only=True)
class Measured(Origin):
    """`images` of the `available` test images so far, and what makes it mislead. Raises ConfigurationError for more than there are."""

    images: int
    available: int
    warnings: tuple[str, ...] = ()

    def __post_init__(self):
        if not 0 <= self.images <= self.available:
            raise ConfigurationError([f"{self.images} of {self.available} images"])


def origin(opened: Opened, digest: str, settings: Any, fingerprint: str | None = None) -> dict[str, Any]:
    """The fields of `Origin`, with the settings as they come back from a file."""
    header = opened.checkpoint.header
    return {
        "checkpoint": header.name, "settings": plain(settings), "dataset": opened.data.name, "digest": digest, "training": header.training,
        "fingerprint": opened.images.fingerprint() if fingerprint is None else fingerprint, "device": describe_device(opened.device),
        "versions": library_versions(), "revision": code_revision(),
    }  # fmt: skip


def of_images(opened: Opened, digest: str, settings: Any, **further: Any) -> dict[str, Any]:
    """The fields of `Measured` but for the images so far."""
    return {**origin(opened, digest, settings), "available": len(opened.images), **further}


def own_folder(folder: Path, what: str, common: dict[str, Any], *further: str | dict) -> Path:
    """Of a measurement's finished batches: another file, image or setting has another one; the number of images and what a file is called
    do not."""
    settings = {name: value for name, value in common["settings"].items() if name != "limit"}
    identity = json.dumps([common["digest"], common["fingerprint"], settings, *further], sort_keys=True)
    return folder / f"{common['checkpoint'][:80]}-{what}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def file_digest(path: str | Path | None) -> str:
    """Sixteen hexadecimal digits of a file's content; of none the empty text."""
    if not path:
        return ""
    with open(Path(path).expanduser(), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def batch(opened: Opened, first: int, last: int) -> tuple[Tensor, Tensor]:
    """Images and labels on the model's device."""
    return opened.images.images[first:last].to(opened.device), opened.images.labels[first:last].to(opened.device)


def count(opened: Opened, settings: Any) -> int:
    """How many images are measured: all, or the settings' `limit`."""
    return min(settings.limit or len(opened.images), len(opened.images))


def plain(settings: Any) -> dict:
    """As they come back from a file."""
    return json.loads(json.dumps(asdict(settings) if is_dataclass(settings) else settings))


def common_problems(settings: Any) -> list[str]:
    """Of the fields that all settings have."""
    found = out_of_range(settings, batch_size=(1, 100_000), seed=(0, LARGEST_KEY))
    found += limit_problems(settings)
    return found


def refuse(problems: list[str]) -> None:
    """Raises ConfigurationError where there are some."""
    if problems:
        raise ConfigurationError(problems)


def mean_and_error(values: Tensor) -> tuple[float | None, float | None]:
    """The mean and its standard error; None of no values, an error of 0 of one."""
    if not len(values):
        return None, None
    values = values.double()
    return float(values.mean()), float(values.std() / math.sqrt(len(values))) if len(values) > 1 else 0.0


def share_and_error(true: Tensor) -> tuple[float, float]:
    """The share of ones, and its standard error."""
    share = float(true.double().mean())
    return share, standard_error(share, len(true))


def standard_error(share: float, images: int) -> float:
    return math.sqrt(share * (1 - share) / max(images, 1))
