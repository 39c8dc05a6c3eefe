"""What every measurement over a data set's test images shares: where it was made, which images, and the folder of its finished batches."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError
from explorer.hardware import describe_device
from explorer.provenance import code_revision, library_versions
from explorer.randomness import LARGEST_KEY

from .classifiers import OpenedClassifier

PROBED = 64  # images that warnings are drawn from


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a measurement is of, and where it was made; `images` of the `available` test images so far, `warnings` what makes it mislead."""

    checkpoint: str
    images: int
    available: int
    settings: dict
    dataset: str
    digest: str
    fingerprint: str = ""
    device: str = ""
    versions: dict = field(default_factory=dict)
    revision: str = ""
    warnings: tuple[str, ...] = ()


def origin(opened: OpenedClassifier, digest: str, settings: Any, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """The fields of `Measured` but for the images so far."""
    return {
        "checkpoint": opened.checkpoint.header.name, "available": len(opened.images), "settings": json.loads(json.dumps(asdict(settings))), "dataset": opened.data.name, "digest": digest,
        "fingerprint": opened.images.fingerprint(), "device": describe_device(opened.device), "versions": library_versions(), "revision": code_revision(), "warnings": tuple(warnings),
    }  # fmt: skip


def batch(opened: OpenedClassifier, first: int, last: int) -> tuple[Tensor, Tensor]:
    """Images and labels on the model's device."""
    return opened.images.images[first:last].to(opened.device), opened.images.labels[first:last].to(opened.device)


def count(opened: OpenedClassifier, settings: Any) -> int:
    return min(settings.limit or len(opened.images), len(opened.images))


def own_folder(folder: Path, what: str, common: dict[str, Any], *further: str) -> Path:
    """Of a measurement's finished batches: another file, image or setting has another one; the number of images and what a file is called
    do not."""
    settings = {name: value for name, value in common["settings"].items() if name != "limit"}
    identity = json.dumps([common["digest"], common["fingerprint"], settings, *further], sort_keys=True)
    return folder / f"{common['checkpoint'][:80]}-{what}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def file_digest(path: str | Path | None) -> str:
    """Of a file's content; of none the empty text."""
    return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()[:16] if path else ""


def common_problems(settings: Any) -> list[str]:
    """Of the fields that all settings have."""
    found = out_of_range(settings, batch_size=(1, 100_000), seed=(0, LARGEST_KEY))
    if settings.limit is not None and settings.limit < 1:
        found.append(f"limit = {settings.limit}: expected a number of images, at least 1, or none")
    return found


def refuse(problems: list[str]) -> None:
    if problems:
        raise ConfigurationError(problems)


def standard_error(share: float, images: int) -> float:
    return float(torch.tensor(share * (1 - share) / max(images, 1)).sqrt())
