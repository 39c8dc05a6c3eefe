"""Attacks by name on a classifier's label, over any perturbation set, and the strongest point that each finds."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError, InvalidInput
from explorer.randomness import Streams
from explorer.registry import look_up
from explorer.sets import Perturbations
from explorer.sets.regions import as_column
from explorer.types import Inner, Progress, Silent

from .auto_pgd import auto_pgd, difference_of_logits_ratio
from .objectives import Objective, cross_entropy, label_margin, margin
from .projected_gradient import pgd
from .random_search import random_search
from .targeted import likely_classes, targeted_difference_of_logits_ratio

Method = Literal["pgd", "auto_pgd", "random_search", "worst_of_all"]
Goal = Literal["cross_entropy", "margin", "dlr", "targeted_margin", "targeted_dlr"]
Observe = Callable[[Tensor, Tensor], None]
LARGEST = {"steps": (1, 100_000), "restarts": (1, 10_000), "targets": (1, 10_000)}


@dataclass(frozen=True)
class Attack:
    """What is searched with, and how long. `step_size` is a share of the region's radius, and concerns PGD alone. A targeted goal takes one
    of the `targets` likeliest other classes for each restart, in turn. `parts` are the attacks that the worst of all is taken of."""

    title: str
    method: Method = "pgd"
    goal: Goal = "cross_entropy"
    steps: int = 40
    restarts: int = 1
    step_size: float = 0.1
    start: str = "uniform"
    targets: int = 9
    parts: tuple[str, ...] = ()

    def __post_init__(self):
        problems = out_of_range(self, **LARGEST)
        if not 0 < self.step_size <= 100:
            problems.append(f"step_size = {self.step_size}: expected a share of the radius above 0, at most 100")
        if problems:
            raise ConfigurationError(problems)

    @property
    def evaluations(self) -> int:
        """Of the classifier for one example, at least; a gradient counts as one. Those of a worst of all are its parts'."""
        return self.steps * self.restarts


@dataclass(frozen=True)
class Found:
    """The strongest point of each example that an attack came upon, the input it stands for, and its margin: the largest other logit minus
    the label's. Above 0 the example is fooled; otherwise a stronger point may exist."""

    delta: Float[Tensor, "batch ..."]
    perturbed: Float[Tensor, "batch ..."]
    margin: Float[Tensor, "batch"]

    @property
    def fooled(self) -> Bool[Tensor, "batch"]:
        return self.margin > 0


def changed_attack(attack: Attack, steps: int | None = None, restarts: int | None = None, step_size: float | None = None) -> Attack:
    """The attack with what is given. Raises ConfigurationError, also where a worst of all is given what its parts have."""
    given = {name: value for name, value in (("steps", steps), ("restarts", restarts), ("step_size", step_size)) if value is not None}
    if given and attack.parts:
        raise ConfigurationError([f"{', '.join(given)}: the worst of all takes each of its attacks as it is ({', '.join(attack.parts)})"])
    return replace(attack, **given)


def parts_of(attack: Attack) -> tuple[Attack, ...]:
    """The single attacks of a worst of all; otherwise the attack alone."""
    from . import ATTACKS

    return tuple(look_up(ATTACKS, name, "attack") for name in attack.parts) or (attack,)


def find_adversarial(
    perturbations: Perturbations,
    classifier: Callable[[Tensor], Tensor],
    labels: Int[Tensor, "batch"],
    attack: Attack,
    *,
    streams: Streams,
    first: bool = False,
    progress: Progress | None = None,
    observe: Observe | None = None,
) -> Found:
    """The point of each example's set with the largest margin among all that the attack evaluates, whatever it climbs on, δ = 0 included.

    With `first` an example keeps the first point that fools it, and the search ends once all are fooled: that changes no count, and what
    is kept does not depend on who else is in the batch. `observe` is shown every point with what is climbed on. Raises InvalidInput,
    or Cancelled where the progress asks for it."""
    hunt = Hunt(perturbations, classifier, labels, first, observe)
    parts = parts_of(attack)
    try:
        for done, part in enumerate(parts):
            inner = progress if len(parts) == 1 else _Share(progress or Silent(), done, len(parts))
            _run(part, perturbations, hunt, streams, inner)
    except _Enough:
        pass
    with torch.no_grad():
        return Found(hunt.delta, perturbations.perturb(hunt.delta), hunt.margin)


class Hunt:
    """A classifier that remembers, for each example, the strongest point that it was shown."""

    def __init__(self, perturbations: Perturbations, classifier: Callable[[Tensor], Tensor], labels: Tensor, first: bool = False, observe: Observe | None = None):
        self.classifier, self.labels, self.first, self._observe = classifier, labels, first, observe
        self.delta = torch.zeros(len(labels), *perturbations.region.shape, device=labels.device)
        with torch.no_grad():
            self.logits = classifier(perturbations.perturb(self.delta))
        if self.logits.isnan().any():
            raise InvalidInput("the classifier answers with NaN: no attack can tell what it says. Check its weights and its normalisation.")
        self.margin = self._shown = label_margin(self.logits, labels)

    def __call__(self, perturbed: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch classes"]:
        logits = self.classifier(perturbed)
        self._shown = label_margin(logits.detach(), self.labels)
        return logits

    def observe(self, delta: Float[Tensor, "batch ..."], loss: Float[Tensor, "batch"]) -> None:
        """Called by a search after each evaluation, with its point."""
        won = self._shown > self.margin  # false for NaN
        if self.first:
            won &= self.margin <= 0
        if won.any():
            self.delta = torch.where(as_column(won, delta), delta, self.delta)
            self.margin = torch.where(won, self._shown, self.margin)
        if self._observe:
            self._observe(delta, loss)
        if self.first and (self.margin > 0).all():
            raise _Enough


class _Enough(Exception):
    """All are fooled."""


class _Share(Inner):
    """One of several parts of a search."""

    def __init__(self, outer: Progress, number: int, parts: int):
        super().__init__(outer)
        self._number, self._parts = number, parts

    def advance(self, done: int, total: int, note: str = "") -> None:
        self._outer.advance(self._number * total + done, self._parts * total, note)


def _run(attack: Attack, perturbations: Perturbations, hunt: Hunt, streams: Streams, progress: Progress | None) -> None:
    if hunt.first and (hunt.margin > 0).all():
        raise _Enough
    if not attack.goal.startswith("targeted"):
        _climb(attack, _goal(attack, hunt), perturbations, hunt, streams, attack.restarts, progress)
        return
    order = likely_classes(hunt.logits, hunt.labels)
    targets = min(attack.targets, order.shape[1])
    total = max(attack.restarts, 1) * (targets if attack.method == "auto_pgd" else 1)
    for restart in range(total):
        goal = _goal(attack, hunt, order[:, restart % targets])
        _climb(attack, goal, perturbations, hunt, streams.restarted(streams.restart + restart), 1, _Share(progress or Silent(), restart, total))


def _goal(attack: Attack, hunt: Hunt, targets: Tensor | None = None) -> Objective:
    labels = hunt.labels
    if attack.goal == "cross_entropy":
        return cross_entropy(hunt, labels)
    if attack.goal == "dlr":
        return difference_of_logits_ratio(hunt, labels)
    if attack.goal == "margin":
        return lambda perturbed: label_margin(hunt(perturbed), labels)
    if attack.goal == "targeted_dlr":
        return targeted_difference_of_logits_ratio(hunt, labels, targets)
    return margin(hunt, targets, labels)


def _climb(attack: Attack, goal: Objective, perturbations: Perturbations, hunt: Hunt, streams: Streams, restarts: int, progress: Progress | None) -> None:
    common = {"start": attack.start, "progress": progress, "observe": hunt.observe}
    if attack.method == "random_search":
        for restart in range(restarts):
            random_search(perturbations, goal, steps=attack.steps, streams=streams.restarted(streams.restart + restart), **common)
    elif attack.method == "auto_pgd":
        auto_pgd(perturbations, goal, steps=attack.steps, restarts=restarts, streams=streams, **common)
    else:
        pgd(perturbations, goal, steps=attack.steps, step_size=attack.step_size, restarts=restarts, streams=streams, **common)
