"""Attacks towards one class after the other (Croce & Hein, 2020, §4.3; Gowal et al., 2019)."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.errors import InvalidInput

FEWEST = 4  # classes that the targeted ratio compares


def likely_classes(logits: Float[Tensor, "batch classes"], labels: Int[Tensor, "batch"]) -> Int[Tensor, "batch others"]:
    """All classes but the label, the likeliest first."""
    return logits.scatter(1, labels[:, None], -torch.inf).argsort(dim=1, descending=True, stable=True)[:, :-1]


def targeted_difference_of_logits_ratio(
    classifier: Callable[[Tensor], Tensor], labels: Int[Tensor, "batch"], targets: Int[Tensor, "batch"]
) -> Callable[[Tensor], Tensor]:
    """−(z_y − z_t)/(z_π1 − (z_π3 + z_π4)/2), which neither a shift nor a scale of the logits changes (Croce & Hein, 2020, eq. 7). Above 0
    where the target wins against the label. Needs four classes."""

    def objective(perturbed: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        logits = classifier(perturbed)
        if logits.shape[1] < FEWEST:
            raise InvalidInput(f"the targeted difference of logits ratio needs at least {FEWEST} classes, got {logits.shape[1]}. Use the margin or the cross-entropy.")
        ordered = logits.topk(FEWEST, 1).values
        own, other = (logits.gather(1, each[:, None]).squeeze(1) for each in (labels, targets))
        return -(own - other) / (ordered[:, 0] - (ordered[:, 2] + ordered[:, 3]) / 2 + 1e-12)

    return objective
