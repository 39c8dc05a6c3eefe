"""What the Certified VAE page computes after a release: the models at its radius, the attack, and the certificate on demand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from explorer.bounds.elbo_certificate import ElboCertificate
from explorer.papers.certified_vae import Attacked, Exploration, Settings, attacked, certificate
from explorer.types import Inner, Progress

from . import cache
from .background import JOBS
from .certified_vae import Subject, on_device
from .certified_vae_link import PAGE, Link
from .following import Search, follow
from .model_choice import Model
from .turns import TURNS, Aside


@dataclass(frozen=True, eq=False)
class Found:
    """What PGD found for one model: the image of the lowest ELBO, and that of the highest, where it was asked for."""

    lowest: Attacked
    highest: Attacked | None


@dataclass(frozen=True, eq=False)
class View:
    """What the page shows: the models, the image, the committed radius, and what is known there. `found` and `certificates` are None until
    they are computed, and for a radius of 0, where there is nothing to search."""

    models: Sequence[Model]
    subject: Subject
    radius: float
    settings: Settings
    explored: Sequence[Exploration]
    attack: Search | None
    certificates: Sequence[ElboCertificate] | None
    revision: str

    @property
    def found(self) -> Sequence[Found] | None:
        return None if self.attack is None else self.attack.result

    @property
    def identity(self) -> tuple:
        return tuple(each.identity for each in self.models), self.subject.key, self.settings


def view(link: Link, models: Sequence[Model], subject: Subject, radius: float, revision: str) -> View:
    """Everything at the committed radius; the attack is begun, and waited for if it is quick. Raises ExplorerError."""
    settings = link.settings(radius, subject.key)
    with TURNS.first():
        explored = [cache.explored_vae(each.opened, each.identity, on_device(each, subject.image), settings) for each in models]
    key = ("elbo attack", tuple(each.identity for each in models), subject.key, settings, link.steps, link.restarts, link.raised)
    attack = follow(PAGE, key, lambda progress: _search(link, models, subject, settings, progress)) if radius and link.steps else None
    certified = JOBS.find(certificate_key(link, models, subject, settings))
    return View(models, subject, radius, settings, explored, attack, certified.result if certified and certified.state == "finished" else None, revision)


def _search(link: Link, models: Sequence[Model], subject: Subject, settings: Settings, progress: Progress) -> Iterator[tuple[Found, ...]]:
    senses, found = (False, True) if link.raised else (False,), []
    for model in models:
        results = []
        for maximise in senses:
            progress.advance(len(found) * len(senses) + len(results), len(models) * len(senses))
            image = on_device(model, subject.image)
            with TURNS.search():
                results.append(attacked(model.opened, image, settings, maximise=maximise, steps=link.steps, restarts=link.restarts, progress=Aside(progress)))
        found.append(Found(results[0], results[1] if link.raised else None))
    yield tuple(found)


def certificate_key(link: Link, models: Sequence[Model], subject: Subject, settings: Settings) -> tuple:
    return "elbo certificate", tuple(each.identity for each in models), subject.key, settings, link.confidence, link.draws


def certify(link: Link, models: Sequence[Model], subject: Subject, settings: Settings, progress: Progress) -> Iterator[tuple[ElboCertificate, ...]]:
    """All models' certificates, which hold together with the confidence."""
    found = []
    for number, model in enumerate(models):
        found.append(certificate(
            model.opened, on_device(model, subject.image), settings, confidence=link.confidence, draws=link.draws, statements=len(models),
            progress=_Part(progress, number, len(models)),
        ))  # fmt: skip
    yield tuple(found)


class _Part(Inner):
    """The progress of one of several equal parts."""

    def __init__(self, outer: Progress, number: int, count: int):
        super().__init__(outer)
        self._number, self._count = number, count

    def advance(self, done: int, total: int, note: str = "") -> None:
        self._outer.advance(self._number * total + done, self._count * total, note)
