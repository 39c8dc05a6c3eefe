"""How well the pixels of pictures are named: the share that is right, and intersection over union."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.batches import Columns

SHARE, BOTH, EITHER = "right", "both", "either"


def pixel_columns(named: Int[Tensor, "n height width"], materials: Int[Tensor, "n height width"], classes: int) -> Columns:
    """For each picture the share of its pixels that are named right; and for each class how many pixels are named so and are so, and how many
    are one or the other. A name of −1 is no name: never right, and of no class."""
    right = (named == materials).flatten(1).double().mean(1)
    own, true = (torch.stack([(each == number).flatten(1).sum(1) for number in range(classes)], 1) for each in (named, materials))
    both = torch.stack([((named == number) & (materials == number)).flatten(1).sum(1) for number in range(classes)], 1)
    return {SHARE: right, BOTH: both, EITHER: own + true - both}


def mean_iou(columns: Columns) -> float:
    """The mean over the classes that occur of intersection over union, each over all pictures together."""
    return float(ious(columns).nanmean())


def ious(columns: Columns) -> Float[Tensor, "classes"]:
    """Of each class, over all pictures together; not a number for a class that neither occurs nor is named."""
    return columns[BOTH].sum(0).double() / columns[EITHER].sum(0).double()
