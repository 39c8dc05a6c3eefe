"""What is minimised. Every loss is `loss(model, batch, state) -> per-example tensor`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.bounds import Interval, mixed_cross_entropy
from explorer.metrics import binary_cross_entropy, squared_error
from explorer.models import BudgetedClassifier, Gaussian, kl_divergence

Likelihood = Literal["bernoulli", "gaussian"]


def half_squared_error(mean: Float[Tensor, "batch c h w"], target: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch"]:
    """−log N(target; mean, I) up to a constant."""
    return squared_error(mean, target) / 2


RECONSTRUCTION = {"bernoulli": binary_cross_entropy, "gaussian": half_squared_error}


@dataclass(frozen=True)
class Rows:
    """Which rows of a batch a process has: from `first` to before `last` of the `whole`. `copies` processes have the same ones."""

    first: int
    last: int
    whole: int
    copies: int = 1

    def of(self, tensor: Tensor, dim: int = 0) -> Tensor:
        """Its rows of a tensor that has one for each example of the whole batch."""
        return tensor.narrow(dim, self.first, self.last - self.first)

    @property
    def weight(self) -> float:
        """Of the mean over these rows in the mean over the whole batch."""
        return (self.last - self.first) / (self.whole * self.copies) if self.whole else 0.0


@dataclass(frozen=True)
class State:
    """Where training stands: the fractional epoch, the schedules' values there, and the generator, which is the same in every process of a training.
    What is drawn for each example is drawn for the whole batch, so that all processes together see what one alone would: `draws`."""

    epoch: float
    values: Mapping[str, float]
    generator: torch.Generator
    rows: Rows | None = None  # none: there is one process, and it has all

    def draws(self, own: int, draw: Callable[[int], Tensor], dim: int = 0) -> Tensor:
        """`draw(count)` gives something for each of `count` examples; returned is what this process's `own` ones get."""
        return draw(own) if self.rows is None else self.rows.of(draw(self.rows.whole), dim)

    def numbers(self, own: int) -> range:
        """The numbers of this process's `own` examples in the whole batch."""
        return range(own) if self.rows is None else range(self.rows.first, self.rows.last)


Loss = Callable[[nn.Module, tuple[Tensor, ...], State], Tensor]


def cvae_loss(likelihood: Likelihood) -> Loss:
    """−E_q[log p(perturbed | z, clean)] + β·KL(q || p), one sample of z, in nats up to a constant (Perturbation sets, eq. 6).

    `bernoulli` is the binary cross-entropy, which Table 4 reports; `gaussian` is ½‖perturbed − g‖², the likelihood N(g, I) of
    eq. 5, summed over the pixels. (The published code leaves out the ½: likelihood N(g, ½I).)
    """
    reconstruction = RECONSTRUCTION[likelihood]

    def loss(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
        clean, perturbed = batch
        noise = state.draws(len(clean), lambda count: torch.randn(count, model.latent_dim, generator=state.generator)).to(clean)
        decoded, posterior, prior = model(clean, perturbed, noise)
        return reconstruction(decoded, perturbed) + state.values["beta"] * kl_divergence(posterior, prior)

    return loss


def class_cvae_loss(likelihood: Likelihood) -> Loss:
    """−E_q[log p(x | z, y)] + β·KL(q(z | x, y) || N(0, I)), one sample of z, in nats up to a constant (Sohn et al., 2015, with a prior that
    does not depend on y: Manifold directions, §3)."""
    reconstruction = RECONSTRUCTION[likelihood]

    def loss(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
        images, labels = batch
        noise = state.draws(len(images), lambda count: torch.randn(count, model.latent_dim, generator=state.generator)).to(images)
        decoded, posterior = model(images, labels, noise)
        return reconstruction(decoded, images) + state.values["beta"] * kl_divergence(posterior, standard_normal(posterior))

    return loss


def standard_normal(like: Gaussian) -> Gaussian:
    """N(0, I) of the same shape."""
    return Gaussian(torch.zeros_like(like.mean), torch.zeros_like(like.log_var))


def half_widths(model: nn.Module, images: Float[Tensor, "batch c h w"], volume: float) -> Float[Tensor, "batch c h w"] | float:
    """How much each pixel may change at that volume: by the model's budgets where it has some, else all pixels alike."""
    return model.budgets(images, volume) if isinstance(model, BudgetedClassifier) else volume


def certified_cross_entropy(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
    """κ·(clean cross-entropy) + (1 − κ)·(bound of the worst one over x ± ε(x), cut to [0, 1]), in nats. The bound is β·(fused CROWN-IBP)
    + (1 − β)·IBP (Zhang et al., 2020, §3.3; Budgets, eq. 9); its gradient reaches the classifier, and a generator of budgets through ε.
    κ, β and ε's volume, counted before the cut, are the state's clean_share, crown_share and volume."""
    images, labels = batch
    volume, clean = state.values["volume"], state.values["clean_share"]
    classifier = model.classifier if isinstance(model, BudgetedClassifier) else model
    if not volume or clean == 1:
        return F.cross_entropy(classifier(images), labels, reduction="none")
    box = Interval.around(images, half_widths(model, images, volume), 0.0, 1.0)
    worst = mixed_cross_entropy(classifier, box, labels, state.values["crown_share"])
    return worst if not clean else clean * F.cross_entropy(classifier(images), labels, reduction="none") + (1 - clean) * worst
