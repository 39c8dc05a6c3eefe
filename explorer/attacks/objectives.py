"""What a search maximises or minimises: functions of the perturbed inputs, with one value per example."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from explorer.metrics import squared_error
from explorer.models import VAE
from explorer.models import elbo as sampled_elbo
from explorer.models.vae import SIGMA0

Objective = Callable[[Tensor], Tensor]


def cross_entropy(classifier: Callable[[Tensor], Tensor], labels: Int[Tensor, "batch *pixels"]) -> Objective:
    """The classifier's cross-entropy with the labels, in nats; where it labels pixels, their mean."""

    def objective(perturbed: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        return over_pixels(F.cross_entropy(classifier(perturbed), labels, reduction="none"))

    return objective


def over_pixels(loss: Float[Tensor, "batch *pixels"]) -> Float[Tensor, "batch"]:
    """Each example's loss: where it has one for each pixel, their mean."""
    return loss if loss.ndim == 1 else loss.flatten(1).mean(1)


def margin(classifier: Callable[[Tensor], Tensor], labels: Int[Tensor, "batch"], others: Int[Tensor, "batch"]) -> Objective:
    """f_label − f_other, one other class for each example: minimised over a set, it finds the point nearest to being that class."""

    def objective(perturbed: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        logits = classifier(perturbed)
        return (logits.gather(1, labels[:, None]) - logits.gather(1, others[:, None])).squeeze(1)

    return objective


def label_margin(logits: Float[Tensor, "batch classes"], labels: Int[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """The largest other logit − the label's: above 0 where the classifier sees another class."""
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.amax(1) - logits.gather(1, labels[:, None]).squeeze(1)


def squared_distance(target: Float[Tensor, "batch ..."]) -> Objective:
    """‖perturbed − target‖₂²: minimised over a set, it finds the member closest to the target."""

    def objective(perturbed: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch"]:
        return squared_error(perturbed, target)

    return objective


def elbo(model: VAE, noise: Float[Tensor, "batch latent"], sigma0: float = SIGMA0) -> Objective:
    """The VAE's ELBO with this noise, in nats: minimised it leads out of the distribution, maximised into it (proVAE, eqs. 5 and 6)."""

    def objective(perturbed: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch"]:
        return sampled_elbo(model, perturbed, noise, sigma0)

    return objective
