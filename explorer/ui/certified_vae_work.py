"""What the Certified VAE page computes after a release: the models at its radius, the attack, and the certificate on demand."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.bounds.elbo_certificate import ElboCertificate
from explorer.papers.certified_vae import Attacked, Exploration, Settings, attacked, certificate
from explorer.types import Inner, Progress

from . import cache
from .background import JOBS, Job, Jobs
from .certified_vae import Model, Subject, on_device
from .certified_vae_link import Link
from .components import plain
from .turns import TURNS, Aside

ATTACKS = Jobs(kept=64)  # beside JOBS: an attack of a second does not wait for a certificate of a minute
PATIENCE, LOOK = 0.5, 0.4  # seconds that a page waits for an attack before it is drawn without it, and between two looks at its progress
STOPPED, PROBLEMS = "certified_vae.stopped", "certified_vae.problems"


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
    attack: Job | None
    certificates: Sequence[ElboCertificate] | None
    revision: str

    @property
    def found(self) -> Sequence[Found] | None:
        return self.attack.result if self.attack is not None and self.attack.state == "finished" else None

    @property
    def identity(self) -> tuple:
        return tuple(each.identity for each in self.models), self.subject.key, self.settings


def view(link: Link, models: Sequence[Model], subject: Subject, radius: float, revision: str) -> View:
    """Everything at the committed radius; the attack is begun, and waited for if it is quick. Raises ExplorerError."""
    settings = link.settings(radius, subject.key)
    with TURNS.first():
        explored = [cache.explored_vae(each.opened, each.identity, on_device(each, subject.image), settings) for each in models]
    key = ("elbo attack", tuple(each.identity for each in models), subject.key, settings, link.steps, link.restarts, link.raised)
    job = _begin(key, link, models, subject, settings) if radius and link.steps else None
    certified = JOBS.find(certificate_key(link, models, subject, settings))
    return View(models, subject, radius, settings, explored, job, certified.result if certified and certified.state == "finished" else None, revision)


def _begin(key: tuple, link: Link, models: Sequence[Model], subject: Subject, settings: Settings) -> Job:
    """This session's one attack: an earlier one that still goes on is of no use any more."""
    state = st.session_state
    earlier = ATTACKS.find(state.get("certified_vae.attack"))
    if earlier is not None and state["certified_vae.attack"] != key:
        earlier.cancel()
    state["certified_vae.attack"] = key
    job = ATTACKS.find(key)
    if job is None or (job.state in ("cancelled", "failed") and state.get(STOPPED) != key):
        job = ATTACKS.start(key, lambda progress: _search(link, models, subject, settings, progress))
    until = time.monotonic() + PATIENCE
    while job.active and time.monotonic() < until:
        time.sleep(0.01)
    return job


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


def show_attack(shown: View) -> None:
    """How an attack ended that found nothing."""
    job = shown.attack
    if job is None or job.state not in ("cancelled", "failed"):
        return
    st.session_state[STOPPED] = st.session_state["certified_vae.attack"]  # it is not begun anew with every run of the page
    st.warning(plain(f"The attack has failed: {job.problem}" if job.state == "failed" else "The attack was cancelled.", 400))
    st.button("Attack again", key="attack-again", on_click=_again)


def await_attack(shown: View, place: Any, problems: list[str]) -> None:
    """At the end of the page, which is complete but for an attack that takes long: its progress in that place, then the page anew, with
    the same problems. A page that waits costs the attack little, one that is polled a multiple; whatever the visitor does ends the waiting."""
    job = shown.attack
    if job is None or not job.active:
        return
    with place.container():
        left, right = st.columns([5, 1], vertical_alignment="bottom")
        bar = left.empty()
        right.button("Cancel", key="attack-cancel", on_click=_stop, width="stretch")
    while job.active:
        share = job.done / job.total if job.total else 0.0
        bar.progress(share, text=f"Attacking: {job.done} of {job.total} searches" if job.total else "Attacking …")
        for _ in range(20):
            time.sleep(LOOK / 20)
            if not job.active:
                break
    st.session_state[PROBLEMS] = problems
    st.rerun()


def kept_problems() -> list[str]:
    """Those of the link, where the page is drawn anew only because an attack has ended."""
    return st.session_state.pop(PROBLEMS, [])


def _stop() -> None:
    key = st.session_state[STOPPED] = st.session_state["certified_vae.attack"]
    if job := ATTACKS.find(key):
        job.cancel()


def _again() -> None:
    st.session_state.pop(STOPPED, None)


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
