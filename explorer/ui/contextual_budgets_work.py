"""What the Contextual budgets page computes after a release: budgets, margins and verdicts at the committed settings, and the attack."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from explorer.evaluation.found_margins import FoundMargins
from explorer.papers.contextual_budgets.exploration import SOURCES, Drawing, Explored, Settings, Surroundings, attacked, explore
from explorer.types import Inner, Progress

from . import cache
from .bounds import Subject
from .contextual_budgets import sources_of
from .contextual_budgets_link import PAGE, Link
from .following import Search, follow
from .live_budgets import BudgetState, octaves
from .model_choice import Model
from .turns import TURNS, Aside

CLASS_IMAGES = 100  # test images that a class mean is over, at most


@dataclass(frozen=True, eq=False)
class Lane:
    """One kind of budgets of one model, with what is known of its box. `found` is the attack's, None before it has ended."""

    model: Model
    source: str
    around: Surroundings
    explored: Explored
    found: FoundMargins | None = None

    @property
    def known(self) -> Explored:
        """With the smallest margins that were found by any means."""
        return self.explored if self.found is None else Explored(self.explored.budgets, self.explored.certified, torch.minimum(self.explored.found, self.found.margins.to(self.explored.found)))

    def title(self, class_name: str) -> str:
        return f"Mean of class {class_name}" if self.source == "mean" else f"{SOURCES[self.source].capitalize()} budgets"


@dataclass(frozen=True, eq=False)
class View:
    """What the page shows: models, image, committed settings, and the lanes in their order. `identity` says of which versions of which
    checkpoints, of which image and of which drawing."""

    models: Sequence[Model]
    subject: Subject
    state: BudgetState
    settings: Settings
    lanes: Sequence[Lane]
    attack: Search | None
    identity: tuple
    revision: str

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.models[0].opened.class_names

    @property
    def others(self) -> list[str]:
        return [name for index, name in enumerate(self.class_names) if index != self.subject.label]


def surroundings_of(model: Model, subject: Subject) -> Surroundings:
    """Of one model around the image, once."""
    images = model.opened.images
    numbers = (images.labels == subject.label).nonzero().flatten()[:CLASS_IMAGES].tolist()
    return cache.surroundings(model.opened.model, (model.identity, subject.identity[2:]), subject.image.to(model.opened.device), subject.label, images.images[numbers])


def view(link: Link, models: Sequence[Model], subject: Subject, state: BudgetState, revision: str) -> View:
    """Everything at the committed settings; the attack is begun, and waited for if it is quick. Raises ExplorerError."""
    settings = Settings(state.volume, state.alpha, state.alpha_bar, link.method)
    lanes = []
    for model in models:
        around = surroundings_of(model, subject)
        with TURNS.first():
            found = explore(around, sources_of(link, model, models), settings, drawing_of(state, around))
        lanes += [Lane(model, source, around, explored) for source, explored in found.items()]
    drawing = (state.steps, state.base, state.keep) if any(each.source == "drawn" for each in lanes) else ()
    identity = (tuple(each.identity for each in models), subject.identity[2:], settings, drawing, tuple(each.source for each in lanes))
    key = ("budgets attack", identity, link.steps, link.seed)
    attack = follow(PAGE, key, lambda progress: _search(lanes, link, progress)) if link.steps else None
    if attack is not None and attack.result is not None:
        lanes = [Lane(each.model, each.source, each.around, each.explored, found) for each, found in zip(lanes, attack.result)]
    return View(models, subject, state, settings, lanes, attack, identity, revision)


def drawing_of(state: BudgetState, around: Surroundings) -> Drawing:
    height, width = around.image.shape[2:]
    return Drawing(torch.from_numpy(octaves(state.steps, height, width)), state.base, state.keep)


def attack_note(link: Link, shown: View) -> str:
    """What the control says of the attack's number at the committed settings."""
    if shown.attack is None:
        return "attack: one step"
    if shown.attack.under_way:
        return f"attack: one step; PGD of {link.steps} steps is under way"
    return "" if shown.attack.result is not None else f"attack: one step; PGD {'has failed' if shown.attack.job.state == 'failed' else 'was cancelled'}"


def _search(lanes: Sequence[Lane], link: Link, progress: Progress) -> Iterator[list[FoundMargins]]:
    found = []
    for lane in lanes:
        progress.advance(len(found), len(lanes))
        with TURNS.search():
            found.append(attacked(lane.around, lane.explored, steps=link.steps, seed=link.seed, progress=Inner(Aside(progress))))
    yield found
