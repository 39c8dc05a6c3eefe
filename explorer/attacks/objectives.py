"""What a search maximises or minimises: functions of the perturbed inputs, with one value per example."""

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from explorer.metrics import squared_error

Objective = Callable[[Tensor], Tensor]


def cross_entropy(classifier: Callable[[Tensor], Tensor], labels: Int[Tensor, "batch"]) -> Objective:
    """The classifier's cross-entropy with the labels, in nats."""

    def objective(perturbed: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        return F.cross_entropy(classifier(perturbed), labels, reduction="none")

    return objective


def squared_distance(target: Float[Tensor, "batch ..."]) -> Objective:
    """‖perturbed − target‖₂²: minimised over a set, it finds the member closest to the target."""

    def objective(perturbed: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        return squared_error(perturbed, target)

    return objective
