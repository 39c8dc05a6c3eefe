"""The six metrics of a set, measured on demand."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import get_args

import streamlit as st

from explorer.evaluation.approximation import Distance
from explorer.measuring import file_digest
from explorer.papers.learned_sets.quality import QualitySettings, quality
from explorer.papers.learned_sets.report import DISTANCE_NAMES
from explorer.runs.kinds import specify
from explorer.types import Progress, Silent
from explorer.ui.learned_sets_link import Link
from explorer.ui.quality_table import show_quality_table
from explorer.ui.run_this import run_this

from .counts import choose_count
from .view import View, batch_of_a_run, work_in_background

WORK = Path(tempfile.gettempdir()) / f"explorer-quality-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
AT_ONCE = 100  # pairs that are measured in the page; more are a run
FIRST = 3  # pairs, so that a table is there within two seconds on one core


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
    settings = QualitySettings(distance, limit=min(link.count or len(view.learned.pairs), len(view.learned.pairs)), batch_size=batch)

    def work(progress: Progress):
        digest = file_digest(view.path)
        yield from quality(view.learned, digest, replace(settings, limit=min(FIRST, settings.limit), batch_size=FIRST), WORK, Silent())
        yield from quality(view.learned, digest, settings, WORK, progress)

    work_in_background(("quality", view.identity, settings), work, show_quality_table, resumes=True)
    return link
