"""Data sets whose images stand in the middle of a larger frame, in which they can be rotated, scaled and moved (Perturbation sets,
Appendix D.1): the clean images of RTS pairs."""

from collections.abc import Callable
from pathlib import Path

import torch.nn.functional as F

from explorer.errors import DataNotFound

from .base import ImageDataset
from .digits import load_digits
from .idx import load_mnist

PADDING = 7  # pixels on each side, of RTS pairs

Load = Callable[[str, Path | None, bool], ImageDataset]
FRAMED: dict[str, Load] = {"framed_mnist": load_mnist, "framed_digits": load_digits}


def load_framed(name: str) -> Load:
    """How `load_dataset` reads that framed data set."""

    def load(split: str, root: Path | None, download: bool) -> ImageDataset:
        try:
            base = FRAMED[name](split, root, download)
        except DataNotFound as error:
            raise DataNotFound(f"{name!r} is made of another data set, which is missing. {error}") from error
        return ImageDataset(F.pad(base.images, [PADDING] * 4), base.labels, base.class_names)

    return load
