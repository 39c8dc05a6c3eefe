"""The search that follows each release by itself, one for a page of a session: waited for if it is quick; otherwise the page is complete
without it, shows how far it is, and is drawn anew at its end."""

import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from .background import Job, Jobs, Work
from .components import plain

SEARCHES = Jobs(kept=64)  # beside JOBS: a search of a second does not wait for a measurement of a minute
PATIENCE, LOOK = 0.5, 0.4  # seconds that a page waits for a search before it is drawn without it, and between two looks at its progress


@dataclass(frozen=True, eq=False)
class Search:
    """A page's search, and what it had found when the page began to be drawn: None where it still went on, or has failed."""

    job: Job
    result: Any
    under_way: bool


def follow(page: str, key: Hashable, work: Work) -> Search:
    """The page's search of that key; an earlier one that still goes on is of no use any more, and is cancelled."""
    current, stopped = _names(page)[:2]
    state = st.session_state
    earlier = SEARCHES.find(state.get(current))
    if earlier is not None and state[current] != key:
        earlier.cancel()
    state[current] = key
    job = SEARCHES.find(key)
    if job is None or (job.state in ("cancelled", "failed") and state.get(stopped) != key):
        job = SEARCHES.start(key, work)
    until = time.monotonic() + PATIENCE
    while job.active and time.monotonic() < until:
        time.sleep(0.01)
    under_way = job.active
    return Search(job, job.result if not under_way and job.state == "finished" else None, under_way)


def show_ended(page: str, search: Search | None) -> None:
    """How a search ended that found nothing."""
    if search is None or search.under_way or search.job.state not in ("cancelled", "failed"):
        return
    job = search.job
    current, stopped, _ = _names(page)
    st.session_state[stopped] = st.session_state[current]  # it is not begun anew with every run of the page
    st.warning(plain(f"The search has failed: {job.problem}" if job.state == "failed" else "The search was cancelled.", 400))
    st.button("Search again", key=f"{page}.again", on_click=_again, args=(page,))


def await_end(page: str, search: Search | None, place: Any, problems: list[str]) -> None:
    """At the end of the page, which is complete but for a search that takes long: its progress in that place, then the page anew, with
    the same problems, also where it has ended since the page began to be drawn. A page that waits costs the search little, one that is
    polled a multiple; whatever the visitor does ends the waiting."""
    if search is None or not search.under_way:
        return
    job = search.job
    with place.container():
        left, right = st.columns([5, 1], vertical_alignment="bottom")
        bar = left.empty()
        right.button("Cancel", key=f"{page}.cancel", on_click=_stop, args=(page,), width="stretch")
    while job.active:
        share = job.done / job.total if job.total else 0.0
        bar.progress(share, text=f"Searching: {job.done} of {job.total}" if job.total else "Searching …")
        for _ in range(20):
            time.sleep(LOOK / 20)
            if not job.active:
                break
    st.session_state[_names(page)[2]] = problems
    st.rerun()


def kept_problems(page: str) -> list[str]:
    """Those of the link, where the page is drawn anew only because a search has ended."""
    return st.session_state.pop(_names(page)[2], [])


def _names(page: str) -> tuple[str, str, str]:
    return f"{page}.search", f"{page}.stopped", f"{page}.problems"


def _stop(page: str) -> None:
    current, stopped, _ = _names(page)
    key = st.session_state[stopped] = st.session_state[current]
    if job := SEARCHES.find(key):
        job.cancel()


def _again(page: str) -> None:
    st.session_state.pop(_names(page)[1], None)
