"""Opening a classifier's checkpoint, with or without a generator of budgets, together with the images that it is measured on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from explorer.checkpoints import Checkpoint, load
from explorer.data import ImageDataset, left_counts, watermark_masks
from explorer.data.at_hand import Source, images_at_hand
from explorer.data.composites import BORDER, CORE, DOUBLED, INK, WATERMARKED
from explorer.errors import InvalidInput
from explorer.models import BudgetedClassifier, Classifier
from explorer.sets import BudgetBox, PerturbationSet

from .config import KIND
from .training import trained_boxes

BRIGHT = ("mnist", "digits", "fashion_mnist")  # images of bright strokes on black


@dataclass(frozen=True)
class OpenedBudgets:
    """A checkpoint with the test images of its data set. `note` says where they are not the ones it was trained for."""

    name: str
    checkpoint: Checkpoint
    images: ImageDataset
    data: Source
    note: str | None = None

    @property
    def model(self) -> nn.Module:
        return self.checkpoint.model

    @property
    def volume(self) -> float:
        """ε0 of its training, in units of pixel intensity; with uniform budgets the radius."""
        return float(self.checkpoint.header.radius)

    @property
    def learned(self) -> bool:
        """Whether it has budgets of its own."""
        return isinstance(self.model, BudgetedClassifier)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def boxes(self, volume: float | None = None) -> PerturbationSet:
        """What it was trained to withstand, at its own volume or at another: its own budgets, or all x ± volume."""
        return trained_boxes(self.model, self.volume if volume is None else volume)

    def learned_boxes(self, volume: float | None = None, alpha: float | None = None, alpha_bar: float | None = None) -> BudgetBox:
        """The boxes of its generator. Raises InvalidInput where it has none, or for a volume that α and ᾱ do not allow."""
        if not self.learned:
            raise InvalidInput(f"{self.name} has no generator of budgets: it was trained with uniform ones. Choose one of the experiments named budgets-….")
        return BudgetBox(self.model, self.volume if volume is None else volume, alpha, alpha_bar)


def open_budgets(path: str | Path, device: str | torch.device = "cpu", root: str | Path | None = None) -> OpenedBudgets:
    """Load a checkpoint and its test images. Raises CheckpointError, or InvalidInput for another kind, another image size or other classes."""
    checkpoint, file = load(path, device), Path(path).name
    if checkpoint.header.kind != KIND or not isinstance(checkpoint.model, Classifier | BudgetedClassifier):
        raise InvalidInput(f"{file} holds a {checkpoint.header.kind!r} with the model {checkpoint.header.model!r}, expected a {KIND!r} that python -m explorer.train budgets-… or uniform-… has trained")
    images, data, note = images_at_hand(str(checkpoint.header.dataset.get("name")), root)
    own, found = (*checkpoint.model.image_shape, checkpoint.model.classes), (*images.images.shape[1:], len(images.class_names))
    if own != found:
        raise InvalidInput(f"{file} takes images of {own[:3]} in {own[3]} classes, those of {data.name!r} are of {found[:3]} in {found[3]}.")
    return OpenedBudgets(file, checkpoint, images, data, note)


def regions(data: Source, images: Float[Tensor, "n c h w"]) -> Mapping[str, Bool[Tensor, "n h w"]]:
    """The parts of the first test images whose budgets are compared: the cores of watermark and digit, their faint edges, and empty pixels;
    the half that counts, the other and the border; or the cores of the strokes, their edges and the rest. None for photographs."""
    if data.name in WATERMARKED:
        (mark, digit), (any_mark, any_digit) = (_watermarks(data, len(images), images.device, brightness) for brightness in (CORE, INK))
        some = any_mark | any_digit
        return {"watermark": mark, "digit": digit & ~mark, "faint edges": some & ~(mark | digit), "empty": ~some}
    if data.name in DOUBLED:
        columns = torch.arange(images.shape[3], device=images.device) < images.shape[3] // 2
        left, below = left_counts(images)[:, None, None], (torch.arange(images.shape[2], device=images.device) >= BORDER)[:, None]
        own = torch.where(left, columns, ~columns) & below
        return {"half that counts": own, "other half": ~own & below, "border": ~below.expand_as(own)}
    if data.name in BRIGHT:
        digit, some = (images[:, 0] >= brightness for brightness in (CORE, INK))
        return {"digit": digit, "faint edges": some & ~digit, "empty": ~some}
    return {}


def _watermarks(data: Source, count: int, device: torch.device, brightness: float) -> tuple[Bool[Tensor, "n h w"], ...]:
    return tuple(mask.to(device) for mask in watermark_masks(data.name, "test", data.root, count, brightness=brightness, download=False))
