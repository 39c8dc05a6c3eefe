"""Opening an image-to-image network whose weights are to be changed, trained here or imported."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.checkpoints import Checkpoint, load
from explorer.errors import InvalidInput
from explorer.measuring import file_digest
from explorer.papers.trained import trained_path
from explorer.sets import WeightBall

from .backbone_config import KIND

PAPERS_RADIUS = 0.015  # of EDSR and of the compressive autoencoder; §3


@dataclass(frozen=True, eq=False)
class Backbone:
    """An image-to-image network, its file's digest, and where it was read."""

    name: str
    checkpoint: Checkpoint
    digest: str
    path: Path

    @property
    def model(self) -> nn.Module:
        return self.checkpoint.model

    @property
    def channels(self) -> int:
        """Of the images that it takes."""
        return int(self.checkpoint.header.model_config.get("channels", 3))

    @property
    def dataset(self) -> str:
        return str(self.checkpoint.header.dataset.get("name"))[:40]

    def ball(self, radius: float, chunk: int | None = None) -> WeightBall:
        """Its weights within ν of each layer's norm; `chunk` images are searched together."""
        return WeightBall(self.model, radius, chunk)


def open_backbone(name: str | Path, device: str | torch.device = "cpu") -> Backbone:
    """By its file or by the experiment that trains it. Raises CheckpointError that names the command, or InvalidInput for another kind."""
    path = trained_path(str(name))
    checkpoint = load(path, device)
    if checkpoint.header.kind != KIND:
        raise InvalidInput(f"{path.name} holds a {checkpoint.header.kind!r}, expected a {KIND!r}: one that python -m explorer.train backbone-unet-scenes has trained")
    return Backbone(checkpoint.header.name, checkpoint, file_digest(path), path)


def check_fit(backbone: Backbone, image: Tensor) -> None:
    """Raises InvalidInput for a network that does not take such images."""
    if backbone.channels != image.shape[1]:
        raise InvalidInput(f"{backbone.name} cannot corrupt these images: it takes {backbone.channels} channels, they have {image.shape[1]}.")
    try:
        backbone.ball(1.0).at(image)
    except InvalidInput as error:
        raise InvalidInput(f"{backbone.name} cannot corrupt these images: {error}") from None
