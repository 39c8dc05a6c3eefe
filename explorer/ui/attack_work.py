"""What the Attack page computes after a release: the path of the attack on each classifier."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from explorer.attacks import Attack
from explorer.studies.attack import AttackPath, attack_path
from explorer.types import Inner, Progress

from .attack_link import PAGE, Link
from .bounds import Subject
from .following import Search, follow
from .model_choice import Model
from .threat_choice import Chosen
from .turns import TURNS, Aside


@dataclass(frozen=True, eq=False)
class View:
    """What the page shows: classifiers, image, set, committed radius, the attack, and its paths by classifier, None before they are found."""

    models: Sequence[Model]
    subject: Subject
    threat: Chosen
    radius: float
    attack: Attack
    search: Search | None
    identity: tuple
    revision: str

    @property
    def paths(self) -> list[AttackPath] | None:
        return self.search.result if self.search else None

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.models[0].opened.class_names


def view(link: Link, models: Sequence[Model], subject: Subject, threat: Chosen, radius: float, attack: Attack, revision: str) -> View:
    """The attack is begun, and waited for if it is quick; at radius 0 there is nothing to attack. Raises ExplorerError."""
    threat.build(radius, models[0].opened)
    identity = (tuple(each.identity for each in models), subject.identity[2:], threat.name, threat.identity, radius, attack, link.seed)
    search = follow(PAGE, ("attack path", identity), lambda progress: _search(models, subject, threat, radius, attack, link.seed, progress)) if radius > 0 else None
    return View(models, subject, threat, radius, attack, search, identity, revision)


def _search(models: Sequence[Model], subject: Subject, threat: Chosen, radius: float, attack: Attack, seed: int, progress: Progress) -> Iterator[list[AttackPath]]:
    found = []
    for each in models:
        progress.advance(len(found), len(models))
        with TURNS.search():
            sets = threat.build(radius, each.opened)
            found.append(attack_path(each.opened.model, sets, subject.image.to(each.opened.device), subject.label, attack, seed, Inner(Aside(progress))))
    yield found
