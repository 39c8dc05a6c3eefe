"""The six metrics of a set, measured on demand."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import get_args

import streamlit as st

from explorer.evaluation.approximation import Distance
from explorer.papers.learned_sets.quality import HEADINGS, QualitySettings, QualityTable, file_digest, quality
from explorer.papers.learned_sets.report import DISTANCE_NAMES, FORMATS, caveat, paper_row
from explorer.runs.kinds import specify
from explorer.types import Progress, Silent
from explorer.ui.components import download
from explorer.ui.learned_sets_link import Link
from explorer.ui.run_this import run_this

from .counts import choose_count
from .view import View, batch_of_a_run, work_in_background

WORK = Path(tempfile.gettempdir()) / f"explorer-quality-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
MEANINGS = {
    "encoder AE": "the pair's own encoding, projected onto the ball",
    "PGD AE": "the closest member that 50 steps of PGD find: an upper bound of the approximation error",
    "expected AE": "mean of 5 members drawn from the truncated normal",
    "over AE": "the farthest member that 50 steps of PGD find: a lower bound",
    "reconstruction": "one draw from the posterior",
    "KL (nats)": "of the posterior from the prior",
}
AT_ONCE = 100  # pairs that are measured in the page; more are a run
FIRST = 3  # pairs, so that a table is there within two seconds on one core
FILES = {"csv": ("CSV", "text/csv"), "json": ("JSON", "application/json"), "latex": ("LaTeX", "text/plain")}


def show_quality(link: Link, view: View) -> Link:
    """Appendix B's metrics over test pairs, with their standard errors, beside the paper's row where it has one."""
    left, right = st.columns(2)
    with left:
        link = choose_count(link, view)
    with right:
        distances = get_args(Distance)
        distance = st.selectbox("Distance", distances, distances.index(link.distance), format_func=DISTANCE_NAMES.get, key=f"quality-distance-{view.revision}")
    link = replace(link, distance=distance)
    if not 0 < link.count <= AT_ONCE:
        made = specify("quality", {"checkpoint": str(view.path)}, {"distance": distance, "limit": link.count or None, "batch_size": batch_of_a_run(view)}, seed=link.seed)
        run_this(made, f"quality-{made.fingerprint}", "Measure")
        return link
    batch = 10 if view.learned.device.type == "cpu" else 100  # small, as a cancelled measurement ends with its batch
    settings = QualitySettings(distance, limit=min(link.count or len(view.learned.images), len(view.learned.images)), batch_size=batch)

    def work(progress: Progress):
        digest = file_digest(view.path)
        yield from quality(view.learned, digest, replace(settings, limit=min(FIRST, settings.limit), batch_size=FIRST), WORK, Silent())
        yield from quality(view.learned, digest, settings, WORK, progress)

    work_in_background(("quality", view.identity, settings), work, _draw, resumes=True)
    return link


def _draw(table: QualityTable) -> None:
    name, paper = paper_row(table)
    rows = []
    for index, (heading, mean, error) in enumerate(zip(HEADINGS, table.means, table.standard_errors)):
        row = {"metric": heading, "measured": f"{mean:.4f}" if heading != HEADINGS[-1] else f"{mean:.2f}", "± s. e.": f"{error:.4f}"}
        if paper:
            row["paper"] = f"{paper[1 + index]:g}"
        rows.append(row | {"of what": MEANINGS[heading]})
    st.dataframe(rows, hide_index=True, width="stretch")
    beside = f" The paper's row is {name} (Table 4) at radius {paper[0]:g}.{caveat(table)}" if paper else ""
    st.caption(
        f"Estimates over {table.pairs} pairs of the test split at radius {table.radius:.3f}; errors are the {DISTANCE_NAMES[table.settings['distance']]}."
        + beside
    )
    with st.container(horizontal=True):
        for form, (label, mime) in FILES.items():
            download(label, lambda form=form: FORMATS[form](table).encode(), f"quality.{'tex' if form == 'latex' else form}", mime)
