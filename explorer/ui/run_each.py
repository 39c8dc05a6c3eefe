"""The same run for each of the models that a page shows, and the ones that there are in one figure."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from explorer.runs import Run, Store
from explorer.runs.kinds import specify

from .components import plain
from .model_choice import Model
from .run_this import run_this

COUNTS = (25, 100, 500, 2000, 0)  # test images of a run; 0 stands for all


def run_each(kind: str, models: Sequence[Model], parameters: dict[str, Any], seed: int, compare: Callable[[dict[str, Run], str], None]) -> None:
    """Those that there are in one figure, and each on its own, to launch or to follow."""
    specifications = {each.label: specify(kind, {"checkpoint": str(each.path)}, parameters, seed=seed) for each in models}
    runs = {label: run for label, made in specifications.items() if (run := Store().same(made))}
    if len(runs) > 1:
        compare(runs, f"{kind}-together")
    for tab, (label, made) in zip(st.tabs([plain(label) for label in specifications]), specifications.items()):
        with tab:
            run_this(made, f"{kind}-{made.fingerprint}", "Measure")


def choose_count(count: int, available: int, key: str) -> int:
    """How many of the test images a run is over; 0 for all."""
    counts = [each for each in COUNTS if each < available]
    names = {each: f"the first {each:,}" if each else f"all {available:,}" for each in counts}
    return st.selectbox("Test images", counts, counts.index(count) if count in counts else len(counts) - 1, format_func=names.get, key=key)
