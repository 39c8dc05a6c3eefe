"""The pictures of the paper: images above their budgets (Figures 2 to 6), and the mean budgets of each class."""

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.evaluation.budgets import class_means, half_widths
from explorer.figures import pixels, tile, to_png, upscale
from explorer.types import Progress, Silent, stop_if_cancelled

from .opening import OpenedBudgets

SHOWN, SCALE, BATCH = 10, 2, 250  # images of a figure, picture's pixels for each of the images', images at once


def images_above_budgets(opened: OpenedBudgets, volume: float | None = None, count: int = SHOWN) -> bytes:
    """A PNG: the first test images, below each its budgets, black at 0 and white at the largest that its range allows, as Figure 3 says;
    where that is 1, as in Figure 2, grey is the budget itself. Raises InvalidInput for a model without a generator."""
    x = opened.images.images[:count].to(opened.device)
    budgets = half_widths(opened.learned_boxes(volume), x)
    return to_png(upscale(tile(pixels(torch.cat([x, budgets / largest_allowed(opened, volume)])), len(x)), SCALE))


def mean_budgets(opened: OpenedBudgets, volume: float | None = None, limit: int | None = None, progress: Progress | None = None) -> Float[Tensor, "classes c h w"]:
    """The mean budgets of the test images of each class; NaN for one without images. Raises InvalidInput, or Cancelled."""
    boxes, progress = opened.learned_boxes(volume), progress or Silent()
    images, labels = opened.images.images[:limit], opened.images.labels[:limit]
    parts = []
    for first in range(0, len(images), BATCH):
        stop_if_cancelled(progress)
        parts.append(half_widths(boxes, images[first : first + BATCH].to(opened.device)).cpu())
        progress.advance(min(first + BATCH, len(images)), len(images))
    return class_means(torch.cat(parts), labels, len(opened.images.class_names))


def class_means_above_budgets(opened: OpenedBudgets, volume: float | None = None, limit: int | None = None, progress: Progress | None = None) -> bytes:
    """A PNG: the mean image of each class, below it the mean budgets of that class, in the same grey; a class without images is left out."""
    budgets = mean_budgets(opened, volume, limit, progress)
    images = class_means(opened.images.images[:limit], opened.images.labels[:limit], len(budgets))
    kept = budgets.flatten(1).isfinite().all(1)
    return to_png(upscale(tile(pixels(torch.cat([images[kept], budgets[kept] / largest_allowed(opened, volume)])), int(kept.sum())), SCALE))


def largest_allowed(opened: OpenedBudgets, volume: float | None = None) -> float:
    """min(ᾱ·ε0, 1), which budgets are drawn relative to."""
    return min(opened.model.alpha_bar * (opened.volume if volume is None else volume), 1.0)
