"""What runs on classifiers and their budgets have to show: errors, largest certified volumes, and what the budgets follow."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.configuration import from_mapping
from explorer.figures.budgets import region_bars, volume_bars
from explorer.papers.contextual_budgets.measured import HEADINGS, SHARES, ErrorTable, FollowedTable, Table, VolumeTable
from explorer.runs import Run

from .components import show_png
from .run_tables import read_table

Runs = Mapping[str, Run]
CORRELATIONS = ("gradient", "brightness", "digit's mask")  # among what budgets follow; the others are mean budgets of regions
PICTURES = {"budgets": "test images above their budgets", "class_means": "mean images above the mean budgets of their class"}


def draw_errors(run: Run, key: str) -> None:
    if table := _read(ErrorTable, run, "errors"):
        _errors({table.checkpoint: table}, key)


def compare_errors(runs: Runs, key: str) -> None:
    if tables := _all(ErrorTable, runs, "errors"):
        _errors(tables, key)


def error_rows(run: Run) -> list[dict[str, Any]]:
    table = _read(ErrorTable, run, "errors")
    return [] if table is None else [
        {"checkpoint": table.checkpoint, "volume": table.volume, "error": heading, "mean": mean, "standard_error": error, "images": table.images}
        for heading, mean, error in zip(HEADINGS, table.errors, table.standard_errors)
    ]  # fmt: skip


def draw_volumes(run: Run, key: str) -> None:
    if table := _read(VolumeTable, run, "volumes"):
        _volumes({table.checkpoint: table}, key)


def compare_volumes(runs: Runs, key: str) -> None:
    if tables := _all(VolumeTable, runs, "volumes"):
        _volumes(tables, key)


def volume_rows(run: Run) -> list[dict[str, Any]]:
    table = _read(VolumeTable, run, "volumes")
    if table is None:
        return []
    lines = [{"checkpoint": table.checkpoint, "number": f"error at {target:g}", "value": error, "standard_error": spread, "images": table.images} for target, error, spread in zip(table.targets, table.errors, table.standard_errors)]
    for name, values in (("largest certified volume", table.volumes), ("largest certified uniform radius", table.radii)):
        lines += [{"checkpoint": table.checkpoint, "number": f"{name}, quantile {share:g}", "value": value, "standard_error": None, "images": table.images} for share, value in zip(SHARES, values)]
    return lines


def draw_followed(run: Run, key: str) -> None:
    table = _read(FollowedTable, run, "followed")
    if table is None:
        return
    _followed({table.checkpoint: table}, key)
    for name, text in PICTURES.items():
        if (path := run.results / f"{name}.png").exists():
            show_png(path.read_bytes(), text)
            st.caption(f"{text.capitalize()}, in the paper's grey: lighter is larger.")


def compare_followed(runs: Runs, key: str) -> None:
    if tables := _all(FollowedTable, runs, "followed"):
        _followed(tables, key)


def followed_rows(run: Run) -> list[dict[str, Any]]:
    table = _read(FollowedTable, run, "followed")
    return [] if table is None else [
        {"checkpoint": table.checkpoint, "volume": table.volume, "of": name, "what": "correlation" if name in CORRELATIONS else "mean budget", "mean": mean, "standard_error": error}
        for name, mean, error in zip(table.names, table.means, table.standard_errors)
    ]  # fmt: skip


def _errors(tables: Mapping[str, ErrorTable], key: str) -> None:
    st.dataframe(
        [{"model": label, "ε0": f"{table.volume:.4g}", **{heading: _percent(*value) for heading, value in zip(HEADINGS, zip(table.errors, table.standard_errors))}, "images": table.images} for label, table in tables.items()],
        hide_index=True, width="stretch", key=f"{key}-table",
    )  # fmt: skip
    st.caption("Errors in % with standard errors, over the images so far. *Attacked*: found by PGD, so the true error in the boxes is at least this. *Verified*: not certified by CROWN-IBP and IBP together, so it is at most this.")


def _volumes(tables: Mapping[str, VolumeTable], key: str) -> None:
    table = next(iter(tables.values()))
    names = [f"{100 * share:g} % of the images" for share in SHARES]
    bars = {f"{label}: {what}": values for label, each in tables.items() for what, values in (("any budgets", each.volumes), ("uniform", each.radii))}
    st.plotly_chart(volume_bars(names, bars, table.targets[-1], "Largest certified boxes: quantiles over the images"), width="stretch", key=f"{key}-bars")
    st.dataframe(
        [{"model": label, **{f"error at ε0 = {target:.4g}": _percent(*value) for target, *value in zip(each.targets, each.errors, each.standard_errors)}, "iterations": f"{each.mean_iterations:.1f}", "images": each.images} for label, each in tables.items()],
        hide_index=True, width="stretch", key=f"{key}-table",
    )  # fmt: skip
    whole = "" if table.settings.get("whole") else " An image ends at the largest target, so larger volumes are cut there."
    st.caption(f"*Certified* by Liu et al. (2019): error is the share of images whose largest certified volume found, a geometric mean of ε, is below ε0.{whole}")


def _followed(tables: Mapping[str, FollowedTable], key: str) -> None:
    regions = {label: {name: (mean, error) for name, mean, error in zip(each.names, each.means, each.standard_errors) if name not in CORRELATIONS} for label, each in tables.items()}
    if any(regions.values()):
        st.plotly_chart(region_bars(regions, next(iter(tables.values())).volume), width="stretch", key=f"{key}-bars")
    st.dataframe(
        [{"model": label, "ε0": f"{each.volume:.4g}", **{name: f"{mean:.3f} ± {error:.3f}" for name, mean, error in zip(each.names, each.means, each.standard_errors)}, "images": each.images} for label, each in tables.items()],
        hide_index=True, width="stretch", key=f"{key}-table",
    )  # fmt: skip
    st.caption("Means over the images so far with standard errors. Regions: mean budget in units of pixel intensity. Gradient, brightness and the digit's mask: Spearman's correlation of the budgets with them.")


def _percent(mean: float | None, error: float | None) -> str:
    return "" if mean is None else f"{100 * mean:.2f} ± {100 * (error or 0):.2f}"


def _read(kind: type, run: Run, name: str) -> Table | None:
    content = read_table(run, name)
    return from_mapping(kind, content, f"{name}.json") if content else None


def _all(kind: type, runs: Runs, name: str) -> dict[str, Any]:
    return {label: table for label, run in runs.items() if (table := _read(kind, run, name))}
