"""What a panel is given, and how it shows work that takes a while."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st
import torch

from explorer.errors import ExplorerError
from explorer.figures import Provenance
from explorer.papers.learned_sets import Exploration, LearnedSet
from explorer.training.bars import duration
from explorer.ui.background import JOBS, Job, Work
from explorer.ui.components import plain
from explorer.ui.learned_sets import Subject
from explorer.ui.learned_sets_link import Link


@dataclass(frozen=True)
class View:
    """What the page shows above its panels: the set, the framed clean image, and the point that was committed.

    `identity` says which version of which checkpoint this is; `others` are the keys of the other checkpoints at hand."""

    path: Path
    learned: LearnedSet
    identity: str
    subject: Subject
    clean: torch.Tensor
    result: Exploration
    radius: float
    provenance: Provenance
    revision: int
    others: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


    @property
    def over_test_pairs(self) -> Provenance:
        """Of a measurement that neither the image nor the point has a part in."""
        return replace(self.provenance, radius=self.learned.radius, settings={"checkpoint_revision": self.learned.checkpoint.header.revision})


def batch_of_a_run(view: View) -> int:
    """How many pairs between two signs of progress: a few seconds' worth."""
    return 10 if view.learned.device.type == "cpu" else 250


Show = Callable[[Link, View], Link]


def work_in_background(key: Hashable, work: Work, draw: Callable[[Any], None], *, resumes: bool = False) -> None:
    """A button that starts the work, its progress with a way to cancel it, and what it has yielded so far. `resumes` says that
    work which was cancelled goes on where it was."""
    job = JOBS.find(key)
    if job is None or job.state in ("cancelled", "failed"):
        again = {"cancelled": "Go on" if resumes else "Measure again", "failed": "Try again"}
        st.button(again[job.state] if job else "Measure", type="primary", key=f"start-{hash(key)}", on_click=JOBS.start, args=(key, work))
    if job is None:
        return
    polled = job.active

    @st.fragment(run_every=0.5 if polled else None)
    def show() -> None:
        if job.active:
            _progress(job, f"cancel-{hash(key)}")
        elif job.state == "cancelled":
            st.caption("Cancelled." + (" What was measured until then is shown." if job.result is not None else ""))
        elif job.state == "failed":
            st.error(plain(job.problem, 500))
        if job.result is not None:
            try:
                draw(job.result)
            except ExplorerError as error:
                st.error(plain(error, 400))
        if polled and not job.active:
            st.rerun()  # the page without the polling

    show()


def _progress(job: Job, key: str) -> None:
    share = job.done / job.total if job.total else 0.0
    left = job.seconds_left
    text = "Waiting for earlier work …" if job.state == "waiting" else f"{job.done} of {job.total} pairs" if job.total else "Measuring the first pairs …"
    if job.cancelled:
        text += " · stopping after this step"
    elif left is not None:
        text += f" · about {duration(left)} left"
    bar, button = st.columns([5, 1], vertical_alignment="bottom")
    with bar:
        st.progress(min(share, 1.0), text=text)
    with button:
        st.button("Cancel", key=key, on_click=job.cancel, width="stretch", disabled=job.cancelled)
