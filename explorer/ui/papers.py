"""The papers' tables and figures: an overview, and one of them in detail."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st

from explorer.errors import ExplorerError
from explorer.papers import PAPERS, RESULTS, Filled, Item, Paper, Results, read_results, status
from explorer.papers.base import missing_rows
from explorer.papers.learned_sets.tables import SAMPLED, sampled_checkpoint
from explorer.papers.report import item_report, table_rows

from .cache import sample_strip
from .components import download, plain, show_picture
from .links import link_to

ALL = "all"
MARKS = {"done": "● done", "short run": "◐ short run", "not run": "○ not run"}
FILES = {"csv": ("CSV", "text/csv"), "json": ("JSON", "application/json"), "latex": ("LaTeX", "text/plain")}


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL."""

    paper: str = ALL
    state: Literal["all", "done", "short run", "not run"] = "all"
    item: str = ""
    height: float = 3.0


def known_results() -> Results:
    """Read anew each time: an evaluation may have ended since."""
    return read_results(RESULTS)


def overview(link: Link, results: Results) -> list[tuple[str, Item, str, str]]:
    """(paper, item, status, how) of everything that the filters let through."""
    stems = PAPERS if link.paper == ALL else [link.paper]
    rows = [(stem, item, *status(item, results)) for stem in stems for item in PAPERS[stem].items]
    return [row for row in rows if link.state in ("all", row[2])]


def show_overview(rows: list[tuple[str, Item, str, str]]) -> None:
    several = len({stem for stem, *_ in rows}) > 1
    st.dataframe(
        [
            {
                **({"paper": PAPERS[stem].short_name} if several else {}),
                "item": f"{item.kind} {item.number}", "status": MARKS[state], "what it shows": item.caption, "how": how,
            }
            for stem, item, state, how in rows
        ],  # fmt: skip
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * len(rows), 470),
    )


def show_item(stem: str, item: Item, results: Results, height: float, revision: int) -> float:
    """One table or figure: numbers beside the paper's, what differs, how to run the rest, and files. Returns the slider's a."""
    paper, (state, how) = PAPERS[stem], status(item, results)
    st.subheader(f"{paper.short_name}, {item.kind} {item.number}")
    st.markdown(f"{MARKS[state]} · {plain(item.caption, 200)}" + ("" if item.fill else f": {plain(how, 400)}"))
    st.caption(paper.citation)
    if item.fill is None:
        return height
    filled = item.fill(results)
    if (stem, item.key) in DRAWN:
        height = DRAWN[stem, item.key](results, height, revision)
    if filled.columns:
        lines = _formatted(filled)
        st.dataframe(lines, hide_index=True, width="stretch", height=38 + 35 * len(lines))
    if filled.note:
        st.caption(filled.note)
    _show_making(filled)
    with st.container(horizontal=True):
        for form, (label, mime) in FILES.items():
            name = f"{stem}-{item.key}.{'tex' if form == 'latex' else form}"
            download(label, lambda form=form: item_report(stem, paper, item, results, form).encode(), name, mime)
    return height


def _formatted(filled: Filled) -> list[dict[str, str]]:
    return [
        {name: value if isinstance(value, str) else "" if value is None else f"{value:.4g}" for name, value in line.items()}
        for line in table_rows(filled)
        if line["of"] != "not run"
    ]


def _show_making(filled: Filled) -> None:
    """How each row was measured, or would be."""
    for row in filled.rows:
        if row.measured is not None and row.source:
            made = f"not a reproduction: {', '.join(row.differences)}" if row.differences else "at the paper's settings"
            variant = f" ({plain(row.variant)})" if row.variant else ""
            st.markdown(f"- **{plain(row.label)}**{variant}: {plain(made, 600)}. Read from {plain(row.source, 400)}.")
    for reason, labels in missing_rows(filled.rows).items():
        st.markdown(f"- **{plain(', '.join(labels), 300)}**: {plain(reason, 300)}.")
    commands = [row.command for row in filled.rows if row.measured is None and row.command]
    if commands:
        st.markdown("To measure the rest:")
        st.code("\n".join(commands), language="bash")
        for name in dict.fromkeys(re.findall(r"explorer\.train (\S+)", "\n".join(commands))):
            link_to("train", f"Train {name} →", experiment=name)


def _draw_counterexample(results: Results, height: float, revision: int) -> float:
    from explorer.figures.theory import counterexample

    height = st.slider("a", 0.5, 10.0, height, 0.1, key=f"papers-height-{revision}")
    st.plotly_chart(counterexample(height), width="stretch")
    return height


def _draw_samples(results: Results, height: float, revision: int) -> float:
    """A clean image and members of each set, drawn now."""
    for name in SAMPLED:
        if path := sampled_checkpoint(name, results):
            try:
                show_picture(sample_strip(str(path), path.stat().st_mtime_ns, 0, 11, 0), f"a clean image, then random members of {name}")
                st.caption(plain(name))
            except (ExplorerError, OSError) as error:
                st.error(f"{plain(path)} cannot be shown: {plain(error, 400)}")
    return height


DRAWN: dict[tuple[str, str], Callable[[Results, float, int], float]] = {
    ("learned_sets", "figure-4"): _draw_counterexample,
    ("learned_sets", "figure-5"): _draw_samples,
}


def checked(link: Link) -> tuple[Link, list[str]]:
    """The link with what does not exist replaced, and a sentence for each."""
    problems, default = [], Link()
    if link.paper != ALL and link.paper not in PAPERS:
        problems.append(f"The link's paper {link.paper[:40]!r} is not known. Known: {', '.join(PAPERS)}.")
        link = replace(link, paper=ALL)
    if link.paper != ALL and link.item in {item.key for item in PAPERS[link.paper].items}:
        link = replace(link, item=f"{link.paper}.{link.item}")
    known = {key_of(stem, item) for stem, paper in PAPERS.items() for item in paper.items}
    if link.item and link.item not in known:
        problems.append(f"The link's item {link.item[:40]!r} is not known; one is named like table-4 with a paper, or learned_sets.table-4.")
        link = replace(link, item="")
    if not 0.5 <= link.height <= 10:
        problems.append(f"The link's height = {link.height:g} cannot be shown (expected 0.5 to 10). The default is shown instead.")
        link = replace(link, height=default.height)
    return link, problems


def key_of(stem: str, item: Item) -> str:
    return f"{stem}.{item.key}"


def title_of(stem: str, item: Item, papers: dict[str, Paper] = PAPERS) -> str:
    return f"{papers[stem].short_name}, {item.kind} {item.number}: {item.caption}"
