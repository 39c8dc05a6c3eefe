"""Where a classifier's training inputs come from: clean images, real perturbations, members of a perturbation set, or attacks in one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.attacks import cross_entropy, pgd
from explorer.attacks.objectives import over_pixels
from explorer.data import Pairs
from explorer.randomness import LARGEST_KEY, Streams
from explorer.sets import PerturbationSet

from .losses import Loss, State

Inputs = Callable[[nn.Module, tuple[Tensor, ...], State], Tensor]
Mixing = Literal["mean", "max"]


def clean(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch c h w"]:
    """The images themselves."""
    return batch[0]


def paired(pairs: Pairs) -> Inputs:
    """A fresh real perturbation of each image, which stands in the frame of its pair (Perturbation sets, §5.1: data augmentation)."""

    def inputs(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch c h w"]:
        images = pairs.unframed(batch[0])
        numbers = pairs.draws(tuple(images.shape[1:]))
        return pairs.perturb(images, state.draws(len(images), lambda count: torch.rand(count, numbers, generator=state.generator)).to(images))

    return inputs


def sampled(perturbation_set: PerturbationSet) -> Inputs:
    """A random member of the set, a normal law of its parameters truncated to the region (Perturbation sets, §5.1: CVAE data augmentation)."""

    def inputs(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch c h w"]:
        at = perturbation_set.at(*batch)
        delta = at.region.sample(own_streams(batch[0], state), "normal")
        with torch.no_grad():
            return at.perturb(delta)

    return inputs


def noisy(perturbation_set: PerturbationSet, sigma: float) -> Inputs:
    """A member with parameters from N(0, σ²I), not projected: what a smoothed classifier is made of (Cohen et al., 2019; Perturbation sets, Appendix E.6)."""

    def inputs(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch c h w"]:
        at = perturbation_set.at(*batch)
        with torch.no_grad():
            noise = state.draws(len(batch[0]), lambda count: torch.randn(count, *at.region.shape, generator=state.generator))
            return at.perturb(sigma * noise.to(batch[0]))

    return inputs


def attacked(perturbation_set: PerturbationSet, *, steps: int, step_size: float, step: str = "region", start: str = "uniform") -> Inputs:
    """The member of the set where projected gradient ascent finds the largest cross-entropy; the model is in evaluation mode meanwhile,
    so that batch norm learns from what is trained on alone (Madry et al., 2018; Perturbation sets, Algorithm 1)."""

    def inputs(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch c h w"]:
        images, labels = batch
        with evaluating(model):
            at = perturbation_set.at(images, labels)
            return pgd(at, cross_entropy(model, labels), steps=steps, step_size=step_size, step=step, start=start, streams=own_streams(images, state)).perturbed

    return inputs


def cross_entropy_of(sources: Sequence[Inputs], mixing: Mixing = "mean") -> Loss:
    """The cross-entropy of the images' labels at the inputs of each source, in nats, where pixels are labelled their mean; of several sources
    each image's mean, or its largest one."""

    def loss(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
        losses = torch.stack([over_pixels(F.cross_entropy(model(source(model, batch, state)), batch[1], reduction="none")) for source in sources])
        return losses.amax(0) if mixing == "max" else losses.mean(0)

    return loss


def beginning_with(first: Loss, epochs: float, then: Loss) -> Loss:
    """One loss for so many epochs, another after them."""

    def loss(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
        return (first if state.epoch < epochs else then)(model, batch, state)

    return loss


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, and back."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def own_streams(images: Tensor, state: State) -> Streams:
    """For one batch, from the process's generator."""
    return Streams(int(torch.randint(LARGEST_KEY, (), generator=state.generator)), state.numbers(len(images)), purpose="training")
