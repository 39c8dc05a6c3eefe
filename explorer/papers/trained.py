"""Finding what another experiment has trained: in one's own runs, then among the shipped checkpoints."""

from dataclasses import dataclass
from pathlib import Path

import torch

from explorer.checkpoints import Checkpoint, load
from explorer.errors import CheckpointError, InvalidInput
from explorer.measuring import file_digest
from explorer.models import ConditionalVAE
from explorer.storage import runs_folder

from .results import SHIPPED


def trained_path(name: str) -> Path:
    """The checkpoint of an experiment, or the file itself where a path is given. Raises CheckpointError that says which command trains it."""
    path = Path(name).expanduser()
    if path.suffix == ".safetensors":
        if path.is_file():
            return path
        raise CheckpointError(f"{name} cannot be read: there is no such file.")
    for place in (runs_folder() / name / f"{name}.safetensors", *sorted(SHIPPED.glob(f"*/{name}.safetensors"))):
        if place.is_file():
            return place
    raise CheckpointError(f"no checkpoint of {name[:60]!r} is in {runs_folder()} nor among the shipped ones. Train it: python -m explorer.train {name[:60]}; or give a .safetensors file.")


@dataclass(frozen=True)
class TrainedSet:
    """A learned set that something else is trained on or measured in, and the digest of its file."""

    name: str
    checkpoint: Checkpoint
    digest: str

    @property
    def model(self) -> ConditionalVAE:
        return self.checkpoint.model

    @property
    def radius(self) -> float:
        return float(self.checkpoint.header.radius)

    def radii_of(self, percentiles: tuple[str, ...]) -> tuple[float, ...]:
        """That so many per cent of the encodings of its validation pairs have. Raises InvalidInput for a set without one of them."""
        found = self.checkpoint.header.percentile_radii
        if missing := [key for key in percentiles if key not in found]:
            raise InvalidInput(f"{self.name[:60]} does not say the radius of {', '.join(missing)} per cent of its encodings, only of {', '.join(found) or 'none'}.")
        return tuple(float(found[key]) for key in percentiles)

    def radius_for(self, given: float | None, percentile: int | None) -> float:
        """The radius given, else that of the percentile, else the set's own. Raises as `radii_of`."""
        if given is not None:
            return float(given)
        return self.radius if percentile is None else self.radii_of((str(percentile),))[0]


def open_trained_set(name: str, image_shape: tuple[int, int, int], device: str | torch.device) -> TrainedSet:
    """A learned set of such images, by its file or by the experiment that trains it. Raises CheckpointError, or InvalidInput for another kind and for
    a set of other images."""
    path = trained_path(name)
    checkpoint = load(path, device)
    if not isinstance(checkpoint.model, ConditionalVAE):
        raise InvalidInput(f"{path.name} holds a {checkpoint.header.kind!r}, expected a learned set, as digits-rts or scenes-lighting")
    if checkpoint.model.image_shape != tuple(image_shape):
        raise InvalidInput(f"{path.name} takes images of shape {checkpoint.model.image_shape}, these are of {tuple(image_shape)}. Choose one that was trained on them.")
    return TrainedSet(path.stem, checkpoint, file_digest(path))
