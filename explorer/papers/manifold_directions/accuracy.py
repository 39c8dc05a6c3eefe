"""How often a classifier is right on clean images, under attacks in pixels, and under the attack on the data's manifold (Manifold
directions, §3 and Appendix B)."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.attacks import cross_entropy, pgd
from explorer.batches import Columns
from explorer.checkpoints import describe
from explorer.data import PAIRS, ImageDataset
from explorer.models import ClassConditionalVAE
from explorer.papers.trained import trained_path
from explorer.randomness import Streams
from explorer.sets import LpBall, ManifoldLatent, PerturbationSet
from explorer.types import Inner, Progress, Silent

from .config import ClassifierConfig
from .defences import pixel_step
from .opening import open_vae

HEADINGS = ("clean", "FGSM", "PGD", "VAE", "ℓ1", "decoded")


@dataclass(frozen=True)
class Strength:
    """Radii of the attacks in pixels and in latents, and the steps of PGD in pixels."""

    radius: float
    radius_l1: float
    latent_radius: float
    steps: int


PAPER_STRENGTH = {  # Appendix B, "in the attack part"; the ℓ1 radius is not given: Tramèr & Boneh (2019)
    "mnist": Strength(0.2, 10.0, 1.0, 40),
    "cifar10": Strength(4 / 255, 2000 / 255, 0.1, 10),
}
DIGITS_STRENGTH = Strength(0.08, 4.0, 1.0, 40)  # ours: four fifths of the radius of the training, as on MNIST


def strength_for(dataset: str) -> Strength:
    """The paper's for its data sets, a smaller one for the embedded digits; for others that of MNIST, or of CIFAR-10 where the name has it."""
    return DIGITS_STRENGTH if "digits" in dataset else PAPER_STRENGTH["cifar10" if "cifar10" in dataset else "mnist"]


@dataclass(frozen=True, eq=False)
class AttackInSet:
    """A set and how it is searched."""

    perturbation_set: PerturbationSet
    options: dict

    def perturbed(self, model: nn.Module, x: Tensor, labels: Tensor, streams: Streams, progress: Progress | None = None) -> Float[Tensor, "batch c h w"]:
        """Where the search finds the largest cross-entropy."""
        return pgd(self.perturbation_set.at(x, labels), cross_entropy(model, labels), streams=streams, progress=progress, **self.options).perturbed


def attacks(strength: Strength, vae: ClassConditionalVAE | None, restarts: int = 1) -> dict[str, AttackInSet]:
    """FGSM, PGD and PGD in the ℓ1 ball; with a VAE its sign step around the encoded image, and `decoded`: encoding and decoding alone."""
    sign, share = {"steps": 1, "step_size": 1.0, "start": "zero"}, 2.5 / strength.steps
    box = LpBall(math.inf, strength.radius)
    found = {
        "FGSM": AttackInSet(box, sign),
        "PGD": AttackInSet(box, {"steps": strength.steps, "restarts": restarts, **pixel_step(math.inf, strength.radius, share)}),
        "ℓ1": AttackInSet(LpBall(1, strength.radius_l1), {"steps": strength.steps, "restarts": restarts, **pixel_step(1, strength.radius_l1, share)}),
    }
    if vae is not None:
        found |= {"VAE": AttackInSet(ManifoldLatent(vae, strength.latent_radius), sign), "decoded": AttackInSet(ManifoldLatent(vae, 0.0), {"steps": 0, "step_size": 1.0, "start": "zero"})}
    return found


def accuracy_columns(
    model: nn.Module, x: Float[Tensor, "batch c h w"], labels: Int[Tensor, "batch"], chosen: dict[str, AttackInSet], streams: Streams, progress: Progress | None = None
) -> Columns:
    """For each attack 1 where the classifier is right at the point that it found, else 0; and the same of the clean images."""
    with torch.no_grad():
        columns = {"clean": _right(model, x, labels)}
        for name, attack in chosen.items():
            columns[name] = _right(model, attack.perturbed(model, x, labels, streams, progress), labels)
    return columns


def header_metrics(model: nn.Module, test: ImageDataset, config: ClassifierConfig, device: torch.device, progress: Progress) -> dict[str, float]:
    """Accuracies on the test split for a checkpoint's header: under the attacks of one step at the paper's strength, on the manifold where the
    training had a VAE, and in a learned set's frame on real perturbations (PGD is `evaluate`'s)."""
    if config.learned_set:
        return learned_set_metrics(model, test, config, device, progress)
    vae = open_vae(config.vae, device).model if config.vae and "manifold" in config.sources else None
    chosen = {name: attack for name, attack in attacks(strength_for(config.dataset), vae).items() if attack.options["steps"] <= 1}
    return {name.lower(): value for name, value in _means(model, test, chosen, device, progress).items()}


def learned_set_metrics(model: nn.Module, test: ImageDataset, config: ClassifierConfig, device: torch.device, progress: Progress) -> dict[str, float]:
    """On clean images, and on one real perturbation of each (Perturbation sets, §5.1)."""
    pairs = PAIRS[describe(trained_path(config.learned_set)).dataset["pairs"]]()
    draws = Streams(0, range(len(test)), purpose="pairs").uniform((pairs.draws(tuple(pairs.unframed(test.images).shape[1:])),))
    real = ImageDataset(pairs.perturb(pairs.unframed(test.images), draws), test.labels, test.class_names)
    return {**_means(model, test, {}, device, progress), "perturbed": _means(model, real, {}, device, Silent())["clean"]}


def _means(model: nn.Module, test: ImageDataset, chosen: dict[str, AttackInSet], device: torch.device, progress: Progress, batch_size: int = 250) -> dict[str, float]:
    totals: dict[str, float] = {}
    for start in range(0, len(test), batch_size):
        x, labels = test.images[start : start + batch_size].to(device), test.labels[start : start + batch_size].to(device)
        columns = accuracy_columns(model, x, labels, chosen, Streams(0, range(start, start + len(x))), Inner(progress))
        totals = {name: totals.get(name, 0.0) + float(column.sum()) for name, column in columns.items()}
    return {name: total / len(test) for name, total in totals.items()}


def _right(model: nn.Module, x: Tensor, labels: Tensor) -> Float[Tensor, "batch"]:
    with torch.no_grad():
        return (model(x).argmax(1) == labels).double()
