"""What a classifier withstands in boxes of pixels, and what the budgets of the boxes follow: columns with a row for each example, for
learned budgets and uniform ones alike (Budgets, §4)."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from explorer.attacks import cross_entropy, pgd
from explorer.batches import Columns
from explorer.bounds import Interval, bounds, margin_rows, trace
from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.sets import Box, Clipped, PerturbationSet
from explorer.types import Inner, Progress, Silent

from .accuracy import STEP_SIZE, STEPS
from .certified_volume import ITERATIONS, largest_certified_radius, largest_certified_volume

METHODS = ("ibp", "crown-ibp")


def half_widths(boxes: PerturbationSet, x: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch c h w"]:
    """The budgets of a set of boxes at x, before the cut to [0, 1]. Raises InvalidInput for a set of another shape."""
    region = boxes.at(x).region
    region = region.region if isinstance(region, Clipped) else region
    if not isinstance(region, Box):
        raise InvalidInput(f"expected boxes of pixels, such as BudgetBox or LpBall with norm ∞, got a {type(region).__name__}")
    return region.half_widths


def verified(
    classifier: nn.Module, x: Float[Tensor, "batch c h w"], labels: Int[Tensor, "batch"], boxes: PerturbationSet, methods: tuple[str, ...] = METHODS
) -> dict[str, Bool[Tensor, "batch"]]:
    """By each method, whether every margin m(x, ε(x)) is certified above 0 in the box (Budgets, eq. 8)."""
    box = Interval.around(x, half_widths(boxes, x), 0.0, 1.0)
    with torch.no_grad():
        network = trace(classifier, x)
        rows = margin_rows(labels, network.nodes[network.output].shape[0])
        return {method: (bounds(network, box, method, rows, ends="lower").lower > 0).all(1) for method in methods}


def error_columns(
    classifier: nn.Module,
    x: Float[Tensor, "batch c h w"],
    labels: Int[Tensor, "batch"],
    boxes: PerturbationSet,
    streams: Streams,
    *,
    steps: int = STEPS,
    restarts: int = 1,
    methods: tuple[str, ...] = METHODS,
    progress: Progress | None = None,
) -> Columns:
    """Of each example, 1 or 0: `clean`, whether it is classified wrong; `attacked`, whether it or what PGD finds in its box is; and for
    each method whether it is not verified. So clean ≤ attacked ≤ the smallest of the verified errors. Raises Cancelled."""
    found = pgd(
        boxes.at(x), cross_entropy(classifier, labels), steps=steps, step_size=STEP_SIZE, restarts=restarts, streams=streams,
        progress=Inner(progress or Silent()),
    )  # fmt: skip
    with torch.no_grad():
        clean, attacked = (classifier(each).argmax(1) != labels for each in (x, found.perturbed))
    proved = verified(classifier, x, labels, boxes, methods)
    errors = {"clean": clean, "attacked": clean | attacked, **{method: ~proved[method] for method in methods}}
    return {name: each.double() for name, each in errors.items()}


def volume_columns(
    classifier: nn.Module,
    x: Float[Tensor, "batch c h w"],
    labels: Int[Tensor, "batch"],
    *,
    method: str = "ibp",
    warm_start: Float[Tensor, "batch c h w"] | None = None,
    iterations: int = ITERATIONS,
    enough: float = 1.0,
    progress: Progress | None = None,
) -> Columns:
    """By Liu et al. (2019): the log volume of the largest certified box found, log of the largest certified uniform radius, both −∞
    where there is none; whether the image itself is classified right; and the iterations. Raises Cancelled."""
    found = largest_certified_volume(classifier, x, labels, method=method, warm_start=warm_start, iterations=iterations, enough=enough, progress=progress)
    radius = largest_certified_radius(classifier, x, labels, method=method, progress=Inner(progress or Silent()))
    return {"log_volume": found.log_volume, "log_radius": radius.double().log(), "correct": found.correct.double(), "iterations": found.iterations.double()}


def agreement_columns(
    classifier: nn.Module, x: Float[Tensor, "batch c h w"], labels: Int[Tensor, "batch"], budgets: Float[Tensor, "batch c h w"], regions: Mapping[str, Bool[Tensor, "batch h w"]]
) -> Columns:
    """What the budgets follow: their mean in each named region of the image, NaN where an image has no pixel of it; and Spearman's rank
    correlation with the size of the margin's gradient (`gradient`) and with the image's brightness (`brightness`)."""
    means = {name: region_mean(budgets, mask) for name, mask in regions.items()}
    gradient = margin_gradient(classifier, x, labels).abs()
    return {**means, "gradient": rank_correlation(budgets, gradient), "brightness": rank_correlation(budgets, x)}


def region_mean(budgets: Float[Tensor, "batch c h w"], mask: Bool[Tensor, "batch h w"]) -> Float[Tensor, "batch"]:
    """The mean budget of the mask's pixels, over all channels; NaN where the mask is empty."""
    inside = mask.unsqueeze(1).expand_as(budgets)
    return (budgets.double() * inside).flatten(1).sum(1) / inside.flatten(1).sum(1)


def margin_gradient(classifier: nn.Module, x: Float[Tensor, "batch c h w"], labels: Int[Tensor, "batch"]) -> Float[Tensor, "batch c h w"]:
    """The gradient in the pixels of f_label − the largest other logit."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        logits = classifier(x)
        own = logits.gather(1, labels[:, None]).squeeze(1)
        others = logits.scatter(1, labels[:, None], -math.inf).amax(1)
        (gradient,) = torch.autograd.grad((own - others).sum(), x)
    return gradient


def rank_correlation(one: Float[Tensor, "batch ..."], other: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
    """Spearman's, for each example over its elements, ties at their mean rank; NaN where one side is constant."""
    a, b = (_ranks(each.detach().flatten(1)) for each in (one, other))
    a, b = (each - each.mean(1, keepdim=True) for each in (a, b))
    return (a * b).sum(1) / (a.square().sum(1) * b.square().sum(1)).sqrt()


def class_means(images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"], classes: int) -> Float[Tensor, "classes c h w"]:
    """The mean image of each class; NaN for one without examples."""
    return torch.stack([images[labels == label].mean(0) if (labels == label).any() else torch.full_like(images[0], math.nan) for label in range(classes)])


def _ranks(values: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    values = values.contiguous()
    ordered = values.sort(1).values
    return (torch.searchsorted(ordered, values) + torch.searchsorted(ordered, values, right=True) + 1).double() / 2
