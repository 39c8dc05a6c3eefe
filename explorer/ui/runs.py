"""The Runs page: all runs in a table that follows them, some of them in detail or side by side."""

import io
import json
import zipfile
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

import streamlit as st

from explorer.errors import ExplorerError
from explorer.figures import Provenance, to_csv
from explorer.runs import Run, Snapshot, Store, events
from explorer.runs.kinds import KINDS, subject, title
from explorer.runs.task import BATCHES
from explorer.training.bars import duration

from . import links
from .components import download, plain
from .run_this import MARKS, UNUSABLE, act, run_log, show_run
from .run_views import VIEWS, download_rows

PAGE, ALL = "runs", "all"
Shown = Literal["all", "active", "finished", "stopped"]
STATES: dict[str, tuple[str, ...]] = {
    "all": tuple(MARKS), "active": ("queued", "running", "cancelling"), "finished": ("finished",),
    "stopped": ("failed", "cancelled", "interrupted", "unreadable"),
}  # fmt: skip
LARGEST_DOWNLOAD_MB, TABLE_SECONDS = 200, 0.8


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL: the runs in detail by their names, and the table's filters."""

    run: tuple[str, ...] = ()
    kind: str = ALL
    state: Shown = "all"


def choose_filters(link: Link, revision: int) -> tuple[str, Shown]:
    left, right = st.columns(2)
    with left:
        kinds = [ALL, *KINDS]
        kind = st.selectbox("Kind", kinds, kinds.index(link.kind) if link.kind in kinds else 0, format_func=lambda each: ALL if each == ALL else title(each), key=f"kind-{revision}")
    with right:
        states = get_args(Shown)
        state = st.selectbox("State", states, states.index(link.state), key=f"state-{revision}")
    return kind, state


def show_table(link: Link, revision: int) -> None:
    """Every run that the filters let through, newest first; follows them while one lives. Rows that are selected are the link's runs."""
    polled = any(run.snapshot().active for run in Store().runs())

    @st.fragment(run_every=TABLE_SECONDS if polled else None)
    def show() -> None:
        seen = [run.snapshot() for run in Store().runs()]
        active = any(each.active for each in seen)
        shown = [each for each in seen if each.state in STATES[link.state] and link.kind in (ALL, each.specification.kind if each.specification else ALL)]
        if not shown:
            st.info("No run yet. Launch one on the page Train, or from a panel of the page Learned sets." if not seen else "No run passes these filters.")
        else:
            names = [each.name for each in shown]
            selected = [names.index(name) for name in link.run if name in names]
            answer = st.dataframe(
                [_line(each) for each in shown], hide_index=True, width="stretch", height=min(38 + 35 * len(shown), 400),
                on_select="rerun", selection_mode="multi-row", selection_default={"selection": {"rows": selected}},
                column_config={"progress": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%d %%")},
                key=f"runs-table-{hash(tuple(names))}-{revision}",
            )  # fmt: skip
            rows = answer["selection"]["rows"]
            chosen = tuple(names[row] for row in rows if row < len(names))
            if set(chosen) != {name for name in link.run if name in names}:
                links.keep(replace(link, run=chosen), PAGE)
                st.rerun()
            counts = {state: sum(each.state == state for each in seen) for state in MARKS}
            st.caption(" · ".join(f"{count} {state}" for state, count in counts.items() if count) + ". Select rows to see them in detail or side by side.")
        if active != polled:
            st.rerun()

    show()


def show_details(run: Run, link: Link) -> None:
    """One run: how it stands, its results, label, specification, log, and files."""
    seen = run.snapshot()
    about = f"{title(seen.specification.kind)} of {subject(seen.specification)}" if seen.specification else "a damaged run"
    st.subheader(plain(f"Run {run.number}: {about}"))
    show_run(run, f"details-{run.name}")
    left, right = st.columns(2)
    with left, st.form(f"notes-{run.name}", border=False):
        label = st.text_input("Label", seen.label, max_chars=200)
        remark = st.text_area("Remark", seen.remark, max_chars=10_000, height=68)
        if st.form_submit_button("Keep"):
            act(Store().annotate, run, label, remark)
            st.rerun()
    with right:
        if seen.specification:
            st.caption("The same again, from the command line:")
            st.code(seen.specification.command + seen.placement.words, language="bash", wrap_lines=True)
    with st.container(horizontal=True):
        if seen.specification:
            download_rows(run, seen.specification, f"rows-{run.name}")
            download("Specification (JSON)", lambda: seen.specification.text().encode(), f"{run.name}.json", "application/json")
        download("Everything (ZIP)", lambda: _zipped(run), f"{run.name}.zip", "application/zip")
        with st.popover("Delete", disabled=seen.active, help="Cancel it first." if seen.active else None):
            st.markdown(f"Run {run.number} with all its results is gone then.")
            st.button("Delete for good", key=f"delete-{run.name}", on_click=act, args=(_delete, run, link))
    with st.expander("Specification and log"):
        st.json(json.loads(seen.specification.text()) if seen.specification else {}, expanded=False)
        st.code(run_log(run, 100) or "Nothing was printed.", language=None)


def show_comparison(runs: list[Run]) -> None:
    """Runs of one kind in one figure."""
    seen = [run.snapshot() for run in runs]
    kinds = {each.specification.kind for each in seen if each.specification}
    if len(kinds) != 1 or not kinds <= VIEWS.keys() or not all(each.specification for each in seen):
        st.info("Select runs of one kind to see them in one figure.")
        return
    (kind,) = kinds
    st.subheader(f"{title(kind)}: {len(runs)} runs")
    labels = {f"{run.number} {each.label or subject(each.specification)}": run for run, each in zip(runs, seen)}
    try:
        VIEWS[kind].compare(labels, f"compare-{hash(tuple(labels))}")
    except UNUSABLE as error:
        st.error(f"These runs cannot be compared ({type(error).__name__}: {plain(error, 300)}).")
    different = _differences(seen)
    if different:
        st.caption("What they differ in:")
        st.dataframe(different, hide_index=True, width="stretch")


def download_table() -> None:
    rows = [{**_line(run.snapshot()), "folder": run.name} for run in Store().runs()]
    if rows:
        download("All runs (CSV)", lambda: to_csv(rows, Provenance("", 0, None, {"store": str(Store().folder)})), "runs.csv", "text/csv")


def known_runs(link: Link) -> tuple[list[Run], list[str]]:
    """The link's runs, by name or number, and a sentence for each that is not here."""
    found, problems = [], []
    for name in link.run:
        try:
            found.append(Store().find(name))
        except ExplorerError as error:
            problems.append(f"The link's run cannot be shown: {str(error)[:300]}")
    return found, problems


def _delete(run: Run, link: Link) -> None:
    Store().delete(run)
    links.keep(replace(link, run=tuple(name for name in link.run if name != run.name)), PAGE)


def _line(seen: Snapshot) -> dict:
    return {
        "run": int(seen.name.split("-")[0]),
        "state": MARKS[seen.state],
        "kind": title(seen.specification.kind) if seen.specification else "?",
        "of": subject(seen.specification) if seen.specification else "?",
        "device": ("Slurm: " if seen.placement.in_slurm else "") + (seen.device or (seen.specification.device if seen.specification else "")),
        "progress": 100 if seen.state == "finished" else int(100 * seen.share),
        "started": datetime.fromtimestamp(seen.started).strftime("%Y-%m-%d %H:%M") if seen.started and 0 <= seen.started < 4e10 else "",
        "took": duration(seen.seconds) if seen.seconds else "",
        "left": duration(seen.left) if seen.left is not None and seen.active else "",
        "label": seen.label,
    }


def _differences(seen: list[Snapshot]) -> list[dict]:
    """The fields that are not the same in all specifications, a line for each run."""
    flat = [{**each.specification.inputs, **each.specification.parameters, "device": each.specification.device, "seed": each.specification.seed} for each in seen]
    names = [name for name in dict.fromkeys(name for values in flat for name in values) if len({json.dumps(values.get(name)) for values in flat}) > 1]
    if "checkpoint" in names and "digest" in names:
        names.remove("digest")
    return [{"run": int(each.name.split("-")[0]), **{name: json.dumps(values.get(name)) for name in names}} for each, values in zip(seen, flat)] if names else []


def _zipped(run: Run) -> bytes:
    """The run's folder without what only a worker needs; a file in it names what was too large to be sent."""
    paths = [path for path in sorted(run.folder.rglob("*")) if path.is_file() and not path.is_symlink() and _of_interest(path.relative_to(run.folder))]
    room, left_out = LARGEST_DOWNLOAD_MB << 20, []
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path in sorted(paths, key=lambda path: path.stat().st_size):
            name = path.relative_to(run.folder.parent)
            if path.stat().st_size <= room:
                archive.write(path, name)
                room -= path.stat().st_size
            else:
                left_out.append(str(name))
        if left_out:
            archive.writestr(f"{run.name}/LEFT_OUT.txt", f"More than {LARGEST_DOWNLOAD_MB} MB; on the machine's disk only:\n" + "\n".join(left_out))
    return buffer.getvalue()


def _of_interest(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.parts[0] not in (BATCHES, events.LOCK, events.GUARD) and path.name != "state.safetensors"
