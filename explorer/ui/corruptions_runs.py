"""What runs that measure classifiers under corruptions have to show."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.data.corruptions import STANDARD
from explorer.figures.corruptions import error_heatmap, spoken
from explorer.measuring import standard_error
from explorer.runs import Run
from explorer.studies.corruptions import ErrorTable

from .attack_runs import read_all, read_one
from .components import show_problems

Runs = Mapping[str, Run]
NAME = "corruption_errors"


def compare_errors(runs: Runs, key: str) -> None:
    """The table of means, which a click on a heading sorts, and a heatmap for each classifier."""
    tables = read_all(ErrorTable, runs, NAME)
    if not tables:
        return
    first = next(iter(tables.values()))
    together = {label: table for label, table in tables.items() if (table.names, table.severities) == (first.names, first.severities)}
    if len(together) < len(tables):
        st.warning("These runs measure different corruptions or severities: only those like the first are compared.")
    st.dataframe([_row(label or table.checkpoint, table) for label, table in together.items()], hide_index=True, width="stretch", key=f"{key}-errors")
    figure = error_heatmap([label for label in together], first.names, first.severities, [table.errors for table in together.values()], [table.clean for table in together.values()])
    st.plotly_chart(figure, width="stretch", key=f"{key}-heatmap")
    source = "published files" if first.settings["source"] == "files" else "corruptions made here"
    st.caption(
        f"Shares of {first.images:,} test images that are classified wrongly, with {source}; means over severities {', '.join(map(str, first.severities))}. "
        "mCE is the mean over the 15 standard corruptions, as published for CIFAR-10-C (absolute). Click a heading to sort."
    )
    show_problems(list(dict.fromkeys(f"{label or table.checkpoint}: {each}" for label, table in together.items() for each in table.warnings)))


def error_rows(run: Run) -> list[dict[str, Any]]:
    table = read_one(ErrorTable, run, NAME)
    if table is None:
        return []
    clean = {"checkpoint": table.checkpoint, "corruption": "none", "severity": 0, "error": table.clean, "images": table.images}
    return [clean] + [
        {"checkpoint": table.checkpoint, "corruption": name, "severity": severity, "error": error, "images": table.images}
        for name, row in zip(table.names, table.errors, strict=True) for severity, error in zip(table.severities, row, strict=True)
    ]  # fmt: skip


def _row(label: str, table: ErrorTable) -> dict[str, Any]:
    new = {} if table.new_images is None else {"CIFAR-10.1, %": _percent(table.new_images)}
    missing = [name for name in STANDARD if name not in table.names]
    mean = sum(table.mean(name) for name in table.names) / len(table.names)
    return {
        "classifier": label, "images": table.images, "clean, %": _percent(table.clean), "±": _percent(standard_error(table.clean, table.images)), **new,
        "mCE, %": None if table.absolute is None else _percent(table.absolute), **({f"mean of {len(table.names)}, %": _percent(mean)} if missing or table.absolute is None else {}),
        **{spoken(name): _percent(table.mean(name)) for name in table.names},
    }  # fmt: skip


def _percent(share: float) -> float:
    return round(100 * share, 2)
