"""Losses that also ask for the same answer at other versions of an image, and what makes these versions ready.

A prepared batch is (images, labels, versions …); without versions each of these losses is the cross-entropy."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.attacks import pgd
from explorer.sets import PerturbationSet

from .augmix import AugMix
from .defences import Inputs, evaluating, own_streams
from .loop import Prepare
from .losses import Loss, State

SMALLEST_MIXTURE = 1e-7  # of a probability, as published
NOISE = 0.001  # of TRADES' start, as published


def jensen_shannon(weight: float) -> Loss:
    """Cross-entropy at the images, and `weight` times the Jensen-Shannon divergence, in nats, between the answers at them and at their
    versions (Hendrycks et al., 2020b, eq. 3 and 4). All go through the network together, so that batch norm sees one batch."""

    def loss(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
        images, labels, *versions = batch
        logits = torch.stack(model(torch.cat([images, *versions])).split(len(images)))
        plain = F.cross_entropy(logits[0], labels, reduction="none")
        return plain + weight * divergence(logits) if versions and weight else plain

    return loss


def divergence(logits: Float[Tensor, "versions batch classes"]) -> Float[Tensor, "batch"]:
    """The Jensen-Shannon divergence of several answers: their mean KL(p || mixture), at most log of their number, in nats."""
    log_p = logits.log_softmax(2)
    mixture = log_p.exp().mean(0).clamp(SMALLEST_MIXTURE, 1).log()
    return (log_p.exp() * (log_p - mixture)).sum(2).mean(0)


def trades(beta: float) -> Loss:
    """Cross-entropy at the images, and `beta` times KL(p(image) || p(version)), in nats (Zhang et al., 2019, eq. 5 and its published code;
    beta is 1/λ there)."""

    def loss(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
        images, labels, *versions = batch
        logits = model(images)
        plain = F.cross_entropy(logits, labels, reduction="none")
        return plain + beta * sum(relative_entropy(logits, model(version)) for version in versions) / max(len(versions), 1)

    return loss


def relative_entropy(logits: Float[Tensor, "batch classes"], others: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch"]:
    """KL(p || q) of two answers, in nats."""
    return F.kl_div(others.log_softmax(1), logits.log_softmax(1), reduction="none", log_target=True).sum(1)


def changed(inputs: Inputs) -> Prepare:
    """The images give way to others of the same labels."""
    return lambda model, batch, state: (inputs(model, batch, state), *batch[1:])


def augmixed(augmix: AugMix, versions: int = 0) -> Prepare:
    """The images give way to mixtures of them; or stay and are joined by so many of these."""

    def prepare(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> tuple[Tensor, ...]:
        images, labels = batch
        if not versions:
            return augmix(images, state.generator, state.rows), labels
        return images, labels, *(augmix(images, state.generator, state.rows) for _ in range(versions))

    return prepare


def joined_by_attack(perturbation_set: PerturbationSet, *, steps: int, step_size: float) -> Prepare:
    """With each image comes the member of its set where projected gradient ascent makes the answer most unlike that at the image: TRADES'
    inner search (Zhang et al., 2019, Algorithm 1), from the image with a little noise, the model in evaluation mode."""

    def prepare(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> tuple[Tensor, ...]:
        images, labels = batch
        with evaluating(model):
            at = perturbation_set.at(images, labels)
            with torch.no_grad():
                answer = model(images)
            noise = state.draws(len(images), lambda count: torch.randn(count, *images.shape[1:], generator=state.generator))
            start = NOISE * noise.to(images)
            found = pgd(at, lambda x: relative_entropy(answer, model(x)), steps=steps, step_size=step_size, start=start, streams=own_streams(images, state))
        return images, labels, found.perturbed

    return prepare


def in_turn(*stages: Prepare) -> Prepare:
    """A data pipeline: each stage takes what the one before it has made (AdA, Appendix E.5)."""

    def prepare(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> tuple[Tensor, ...]:
        for stage in stages:
            batch = stage(model, batch, state)
        return batch

    return prepare


def from_epoch(epoch: float, stage: Prepare) -> Prepare:
    """The stage begins its work after so many epochs."""
    return lambda model, batch, state: stage(model, batch, state) if state.epoch >= epoch else batch
