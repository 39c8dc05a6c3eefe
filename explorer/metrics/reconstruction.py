"""How well one image explains another, one value per example."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def binary_cross_entropy(
    mean: Float[Tensor, "batch channels height width"], target: Float[Tensor, "batch channels height width"]
) -> Float[Tensor, "batch"]:
    """−Σ t·log m + (1 − t)·log(1 − m) over the pixels, in nats; m and t in [0, 1]. NaN where m has NaN."""
    unknown = mean.isnan()
    values = F.binary_cross_entropy(mean.masked_fill(unknown, 0.5), target, reduction="none")
    return values.masked_fill(unknown, torch.nan).flatten(1).sum(1)


def squared_error(mean: Float[Tensor, "batch ..."], target: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
    """‖mean − target‖₂² over all that belongs to an example."""
    return (mean - target).square().flatten(1).sum(1)
