"""What a classifier is attacked or certified in, as a text: `linf:0.1`, `l2:1.5`, `budgets:0.2`, `latent:5:digits-linf.safetensors`,
`manifold:1:class-cvae-digits.safetensors`."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from explorer.checkpoints import Checkpoint, load
from explorer.errors import ConfigurationError, InvalidInput, UnknownName
from explorer.models import BudgetedClassifier, ClassConditionalVAE, ConditionalVAE
from explorer.registry import look_up
from explorer.sets import BudgetBox, LatentBall, LpBall, ManifoldLatent, PerturbationSet


@dataclass(frozen=True)
class ThreatKind:
    """A family of sets: its title, what its radius counts, the kind of model that it needs beside the classifier, and the radius that is
    shown first. `build(model, radius)` makes a set."""

    title: str
    unit: str
    build: Callable[[nn.Module | None, float], PerturbationSet]
    needs: type | None = None
    usual: float = 0.1
    largest: float = 1.0


THREATS = {
    "linf": ThreatKind("ℓ∞ ball", "pixel intensity", lambda _, radius: LpBall(math.inf, radius)),
    "l2": ThreatKind("ℓ2 ball", "pixel intensity, Euclidean", lambda _, radius: LpBall(2, radius), usual=1.5, largest=10.0),
    "l1": ThreatKind("ℓ1 ball", "pixel intensity, summed", lambda _, radius: LpBall(1, radius), usual=10.0, largest=100.0),
    "budgets": ThreatKind("budgets of a generator", "volume: geometric mean of the budgets", BudgetBox, BudgetedClassifier),
    "latent": ThreatKind("learned set", "standard deviations of the prior, Euclidean", LatentBall, ConditionalVAE, 5.0, 40.0),
    "manifold": ThreatKind("manifold of the class, ℓ∞", "units of the latents", ManifoldLatent, ClassConditionalVAE, 1.0, 10.0),
    "manifold-l2": ThreatKind("manifold of the class, ℓ2", "units of the latents, Euclidean", lambda model, radius: ManifoldLatent(model, radius, 2), ClassConditionalVAE, 2.0, 20.0),
}
TRAINED = {BudgetedClassifier: "budgets-digits", ConditionalVAE: "digits-linf", ClassConditionalVAE: "class-cvae-digits"}


@dataclass(frozen=True)
class Threat:
    """A set by name and radius; `checkpoint` is the file of the model that it needs, where it needs one. Budgets without a file are those of
    the classifier itself."""

    name: str
    radius: float
    checkpoint: str | None = None

    @property
    def kind(self) -> ThreatKind:
        return look_up(THREATS, self.name, "set")

    @property
    def text(self) -> str:
        return ":".join([self.name, f"{self.radius:.9g}", *([self.checkpoint] if self.checkpoint else [])])

    @property
    def title(self) -> str:
        of = f" of {Path(self.checkpoint).stem}" if self.checkpoint else ""
        return f"{self.kind.title}{of}, radius {self.radius:.4g}"

    def at(self, radius: float) -> "Threat":
        return replace(self, radius=radius)


def parse_threat(text: str) -> Threat:
    """Raises ConfigurationError with what is wrong: an unknown set, no number, a radius of 0 or infinity, a file that is not there."""
    name, _, rest = text.partition(":")
    number, _, checkpoint = rest.partition(":")
    problems = []
    try:
        kind = look_up(THREATS, name, "set")
    except UnknownName as error:
        raise ConfigurationError([f"{text[:80]!r}: {error}"]) from None
    try:
        radius = float(number) if number else kind.usual
    except ValueError:
        raise ConfigurationError([f"{text[:80]!r}: expected a number for the radius, as {name}:{kind.usual:g}"]) from None
    if not 0 < radius < math.inf:
        problems.append(f"{text[:80]!r}: radius {radius:g}: expected a finite number above 0" + (" (the image alone cannot be attacked)" if radius == 0 else ""))
    if kind.needs and not checkpoint and kind.needs is not BudgetedClassifier:
        problems.append(f"{text[:80]!r}: expected the file of a trained model, as {name}:{kind.usual:g}:{TRAINED[kind.needs]}.safetensors")
    if checkpoint and not kind.needs:
        problems.append(f"{text[:80]!r}: {name} needs no file")
    if checkpoint and kind.needs and not Path(checkpoint).expanduser().is_file():
        problems.append(f"{text[:80]!r}: there is no file {checkpoint}")
    if problems:
        raise ConfigurationError(problems)
    return Threat(name, radius, checkpoint or None)


def threat_problems(text: str) -> list[str]:
    """What is wrong with a text, as a list."""
    try:
        parse_threat(text)
    except ConfigurationError as error:
        return list(error.problems)
    return []


def build_set(threat: Threat, classifier: nn.Module, device: torch.device | str = "cpu", opened: Checkpoint | None = None) -> PerturbationSet:
    """The set for a classifier. `opened` is its checkpoint where that is open already. Raises InvalidInput where the model is of another kind or
    takes other images than the classifier, and CheckpointError."""
    kind = threat.kind
    if kind.needs is None:
        return kind.build(None, threat.radius)
    if threat.checkpoint is None and opened is None:
        model, name = classifier, "the classifier"
    else:
        opened = opened or load(Path(threat.checkpoint).expanduser(), device)
        model, name = opened.model, opened.header.name
    if not isinstance(model, kind.needs):
        raise InvalidInput(f"{name} is no model for {kind.title}: it is a {type(model).__name__}, expected a {kind.needs.__name__}, as python -m explorer.train {TRAINED[kind.needs]} makes one.")
    taken, given = tuple(model.image_shape), tuple(getattr(classifier, "image_shape", model.image_shape))
    if taken != given:
        raise InvalidInput(f"{name} takes images of shape {taken}, the classifier of {given}. Choose a model of the same data set.")
    return kind.build(model, threat.radius)


def radius_problems(radii: tuple[float, ...]) -> list[str]:
    """What is wrong with the radii of a curve."""
    if not radii or not all(0 < radius < math.inf for radius in radii):
        return [f"radii = {', '.join(f'{each:g}' for each in radii) or 'none'}: expected finite numbers above 0"]
    if list(radii) != sorted(set(radii)):
        return [f"radii = {', '.join(f'{each:g}' for each in radii)}: expected rising numbers"]
    return []

