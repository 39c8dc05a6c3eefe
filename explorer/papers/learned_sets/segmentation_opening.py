"""A segmenter opened with the scenes that it is measured on, and the learned set that its lights come from."""

from dataclasses import dataclass
from pathlib import Path

import torch

from explorer.checkpoints import Checkpoint, load
from explorer.data import ImageDataset, Source, pair_kind
from explorer.data.illumination_pairs import LightPairs
from explorer.errors import InvalidInput
from explorer.papers.trained import TrainedSet, open_trained_set

from .segmentation_config import LIGHT_PAIRS, SEGMENTER


@dataclass(frozen=True)
class OpenedSegmenter:
    """A checkpoint and its test scenes."""

    name: str
    checkpoint: Checkpoint
    pairs: LightPairs
    data: Source

    @property
    def images(self) -> ImageDataset:
        """The test scenes under the neutral light."""
        return self.pairs.images

    @property
    def device(self) -> torch.device:
        return next(self.checkpoint.model.parameters()).device


def open_segmenter(path: str | Path, device: str | torch.device = "cpu", root: str | Path | None = None) -> OpenedSegmenter:
    """Raises CheckpointError, DataNotFound, or InvalidInput for another kind, and for scenes of another size."""
    checkpoint = load(path, device)
    if checkpoint.header.kind != SEGMENTER:
        raise InvalidInput(f"{Path(path).name} holds a {checkpoint.header.kind!r}, expected a {SEGMENTER!r}: a U-Net that python -m explorer.train segmentation-scenes-pairs makes")
    pairs, data, _ = pair_kind(LIGHT_PAIRS).at_hand(str(checkpoint.header.dataset.get("name")), root)
    if pairs.scenes.image_shape != checkpoint.model.image_shape or len(pairs.scenes.material_names) != checkpoint.model.classes:
        raise InvalidInput(
            f"{Path(path).name} names {checkpoint.model.classes} materials of pictures of {checkpoint.model.image_shape}, "
            f"{data.name!r} has {len(pairs.scenes.material_names)} of {pairs.scenes.image_shape}."
        )
    return OpenedSegmenter(Path(path).name, checkpoint, pairs, data)


def lighting_of(opened: OpenedSegmenter, name: str | None) -> TrainedSet:
    """The learned set of that name, or where it is none that of the training. Raises CheckpointError, or InvalidInput where there is none."""
    asked = name or opened.checkpoint.header.training.get("learned_set")
    if not asked:
        raise InvalidInput(f"{opened.name} was trained without a learned set: give one, as scenes-lighting.")
    return open_trained_set(str(asked), opened.checkpoint.model.image_shape, opened.device)
