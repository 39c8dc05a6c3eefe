"""A run in place: what it would take, a button, its progress, its results. Every page that has long work shows it with this."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.runs import Run, Snapshot, Specification, Store, cancel, events
from explorer.runs.estimate import Estimate, by_trying, from_earlier_runs
from explorer.runs.placement import Placement
from explorer.runs.slurm import log_tail as slurm_log
from explorer.runs.team import TRAINING
from explorer.training.bars import duration

from .background import JOBS, Job
from .components import plain, show_problems
from .links import link_to
from .run_views import VIEWS
from .run_where import choose_placement, placed, where

POLL_SECONDS = 0.3
PROBLEM = "run_this.problem"
UNUSABLE = (ExplorerError, OSError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError)  # what damaged results may raise
MARKS = {
    "queued": "◌ queued", "running": "● running", "cancelling": "◍ cancelling", "finished": "✓ finished", "failed": "✗ failed",
    "cancelled": "– cancelled", "interrupted": "! interrupted", "unreadable": "? unreadable",
}  # fmt: skip


def run_this(specification: Specification, key: str, label: str = "Run") -> None:
    """Launch this specification, or show the run of it that there is. It goes on when the page is closed."""
    store = Store()
    if problem := st.session_state.pop(PROBLEM, None):
        show_problems([problem])
    try:
        run = store.same(specification) or store.same(replace(specification, device="cuda"))  # the same, with a cluster's GPUs
    except ExplorerError as error:
        show_problems([str(error)])
        return
    if run is None:
        _show_launch(specification, store, key, label)
    else:
        show_run(run, key)
        link_to("runs", f"Run {run.number} among all runs →", run=run.name)


def show_run(run: Run, key: str) -> None:
    """How a run stands, what can be done with it, and its results, which follow it while it lives."""
    polled = run.snapshot().active

    @st.fragment(run_every=POLL_SECONDS if polled else None)
    def show() -> None:
        if PROBLEM in st.session_state:
            st.rerun()  # a button of this part has failed: the page says so
        if not run.folder.exists():
            st.info(f"{run.name} was deleted.")
            if polled:
                st.rerun()
            return
        seen = run.snapshot()
        _show_state(run, seen, key)
        if seen.specification and seen.specification.kind in VIEWS:
            try:
                VIEWS[seen.specification.kind].draw(run, key)
            except UNUSABLE as error:
                st.error(f"The results of {run.name} cannot be shown ({type(error).__name__}: {plain(error, 300)}).")
        if seen.active != polled:
            st.rerun()  # with the polling that it now needs

    show()


def progress_text(seen: Snapshot) -> str:
    """How far, how fast, how long still."""
    if seen.state == "queued":
        return f"{seen.waiting} …" if seen.waiting else f"Waiting for its turn on {seen.specification.device} …"
    parts = [f"{seen.done:,} of {seen.total:,}" if seen.total else "Loading …"]
    if seen.rate:
        parts.append(f"{seen.rate:.3g}/s")
    if seen.state == "cancelling":
        parts.append("stopping")
    elif seen.left is not None:
        parts.append(f"about {duration(seen.left)} left")
    return " · ".join([*parts, *([seen.note] if seen.note else [])])


def act(action: Callable[..., object], *arguments: object) -> None:
    """For a button: what goes wrong becomes a message of the next run."""
    try:
        action(*arguments)
    except ExplorerError as error:
        st.session_state[PROBLEM] = str(error)


def _show_state(run: Run, seen: Snapshot, key: str) -> None:
    if seen.active:
        bar, button = st.columns([5, 1], vertical_alignment="bottom")
        with bar:
            st.progress(seen.share, text=plain(progress_text(seen), 300))
        with button:
            now = seen.state == "cancelling"
            st.button("Stop now" if now else "Cancel", key=f"{key}-cancel", on_click=act, args=(cancel, run.folder, *([0.0, 1.0] if now else [])), width="stretch")
        if seen.placement.in_slurm or seen.placement.processes > 1:
            st.caption(_sentence(plain(where(seen.placement, seen.specification.device if seen.specification else "cpu"), 200)) + ".")
        if seen.silent:
            st.warning(f"The worker has shown no sign of life for {duration(seen.silent)}. It may be stopped, or the disk may be full.")
        return
    took = f" in {duration(seen.seconds)}" if seen.seconds else ""
    st.markdown(f"**{MARKS[seen.state]}**{took} · run {run.number}" + (f" · {seen.done:,} of {seen.total:,}" if seen.total and seen.state != "finished" else ""))
    if seen.problem:
        (st.error if seen.state in ("failed", "unreadable") else st.warning)(plain(_sentence(seen.problem), 600))
    if seen.state == "failed" and (log := run_log(run)):
        with st.expander("The end of its log", expanded=True):
            st.code(log, language=None)
    if seen.state in ("failed", "cancelled", "interrupted"):
        with st.container(horizontal=True, vertical_alignment="center"):
            placement = _choose_where(f"{key}-again", seen.placement, seen.specification)
            st.button("Go on", key=f"{key}-retry", on_click=act, args=(Store().retry, run, None, placement), help="From what it has done so far.")


def run_log(run: Run, lines: int = 30) -> str:
    """The end of what its worker has printed, and of what a cluster has to say of its jobs."""
    return "\n".join(filter(None, [events.log_tail(run.folder, lines), slurm_log(run.folder, lines)]))


def _elsewhere(placement: Placement) -> tuple:
    """What a store is told besides the specification."""
    return () if placement == Placement() else (None, placement)


def _choose_where(key: str, default: Placement, specification: Specification | None) -> Placement:
    with st.popover("Where"):
        return choose_placement(key, default, specification is not None and specification.kind == TRAINING)


def _show_launch(specification: Specification, store: Store, key: str, label: str) -> None:
    estimate = from_earlier_runs(specification, store)
    trial = JOBS.find(("estimate", specification.fingerprint))
    with st.container(horizontal=True, vertical_alignment="center"):
        placement = _choose_where(f"{key}-where", Placement(), specification)
        st.button(label, type="primary", key=f"{key}-launch", on_click=act, args=(store.submit, placed(specification, placement), *_elsewhere(placement)))
        if estimate is None and (trial is None or trial.state in ("failed", "cancelled")):
            start = lambda: JOBS.start(("estimate", specification.fingerprint), lambda progress: by_trying(specification, progress))  # noqa: E731
            st.button("Estimate its time", key=f"{key}-estimate", on_click=start, help="Tries the first steps, for a few seconds.")
        alone = "" if placement.in_slurm or placement.processes > 1 else ", in a process of its own"
        place = f"{_sentence(where(placement, placed(specification, placement).device))}{alone}: it goes on when this page is closed."
        st.caption(f"{_told(estimate)} {place}" if estimate else place)
    if estimate is None and trial is not None:
        _show_trial(trial)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _show_trial(trial: Job) -> None:
    polled = trial.active

    @st.fragment(run_every=POLL_SECONDS if polled else None)
    def show() -> None:
        if trial.active:
            st.caption("Trying its first steps …")
        elif trial.result is not None:
            st.caption(_told(trial.result))
        else:
            show_problems([trial.problem or "The trial was cancelled."])
        if trial.active != polled:
            st.rerun()

    show()


def _told(estimate: Estimate) -> str:
    return f"About {duration(estimate.seconds)}, from {estimate.basis}."
