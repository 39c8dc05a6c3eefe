"""Work that takes a while, in a panel: a button, its progress, and what it has yielded so far."""

from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

from explorer.errors import ExplorerError
from explorer.training.bars import duration

from .background import JOBS, Job, Work
from .components import plain


def work_in_background(key: Hashable, work: Work, draw: Callable[[Any], None], *, resumes: bool = False, noun: str = "pairs") -> None:
    """A button that starts the work, its progress with a way to cancel it, and what it has yielded so far. `resumes` says that
    work which was cancelled goes on where it was; `noun` is what is counted."""
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
            _progress(job, f"cancel-{hash(key)}", noun)
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


def _progress(job: Job, key: str, noun: str) -> None:
    share = job.done / job.total if job.total else 0.0
    left = job.seconds_left
    text = "Waiting for earlier work …" if job.state == "waiting" else f"{job.done} of {job.total} {noun}" if job.total else f"Measuring the first {noun} …"
    if job.cancelled:
        text += " · stopping after this step"
    elif left is not None:
        text += f" · about {duration(left)} left"
    bar, button = st.columns([5, 1], vertical_alignment="bottom")
    with bar:
        st.progress(min(share, 1.0), text=text)
    with button:
        st.button("Cancel", key=key, on_click=job.cancel, width="stretch", disabled=job.cancelled)
