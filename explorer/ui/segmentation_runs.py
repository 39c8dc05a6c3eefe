"""What runs that measure or certify segmenters have to show: Table 3's columns and Figure 17's curves of Perturbation sets."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.figures.attacks import Curve, accuracy_curves
from explorer.papers.learned_sets.segmentation_measured import CertifiedTable, RobustTable
from explorer.runs import Run

from .attack_runs import read_all, read_one
from .components import plain

Runs = Mapping[str, Run]
UNIT, WHAT = "ℓ2 in the latents of the set", "pixels that are named right, %"


def compare_robust(runs: Runs, key: str) -> None:
    tables = read_all(RobustTable, runs, "segmentation")
    if not tables:
        return
    _warn_of_sets(tables)
    curves = {label or table.checkpoint: Curve((0.0, *table.radii), (table.accuracy, *table.robust), (table.accuracy_error, *table.robust_errors)) for label, table in tables.items()}
    st.plotly_chart(accuracy_curves(curves, UNIT, "Pixels named right under adversarial light", WHAT), width="stretch", key=f"{key}-curves")
    st.dataframe(
        [{**({"run": label} if label else {}), **row} for label, table in tables.items() for row in _robust_rows(table)], hide_index=True, width="stretch", key=f"{key}-table",
        column_config={name: st.column_config.NumberColumn(format="percent") for name in ("right", "standard error", "mean IoU")},
    )  # fmt: skip
    st.caption("*Attack found*: another light may fool more, so the true share is at most this. At radius 0 pictures are as they were taken, under all lights. " + _pictures(tables))


def robust_rows(run: Run) -> list[dict[str, Any]]:
    table = read_one(RobustTable, run, "segmentation")
    return [] if table is None else [{"checkpoint": table.checkpoint, **row, "pictures": table.images} for row in _robust_rows(table)]


def compare_certified(runs: Runs, key: str) -> None:
    tables = read_all(CertifiedTable, runs, "certified_segmentation")
    if not tables:
        return
    _warn_of_sets(tables)
    curves = {}
    for label, table in tables.items():
        name = f"{label or table.checkpoint}, σ = {table.sigma:.3g}"
        curves |= {name: Curve(table.radii, table.certified, certified=True), f"{name} ": Curve((0.0, *table.attacked_radii), (table.accuracy, *table.empirical))}
    st.plotly_chart(accuracy_curves(curves, UNIT, "Certified pixels over the radius", WHAT), width="stretch", key=f"{key}-curves")
    st.dataframe(
        [
            {**({"run": label} if label else {}), "σ": f"{table.sigma:.4g}", "named right by most votes": table.accuracy, "certified at radius 0": table.certified[0], "abstained": table.abstained,
             "votes": table.settings["samples"], "confidence of each": table.settings["confidence"], "largest radius that can be certified": f"{table.radii[-1]:.4g}", "the set's radius": f"{table.epsilon:.4g}", "pictures": table.images}
            for label, table in tables.items()
        ],
        hide_index=True, width="stretch", key=f"{key}-table", column_config={name: st.column_config.NumberColumn(format="percent") for name in ("named right by most votes", "certified at radius 0", "abstained", "confidence of each")},
    )  # fmt: skip
    st.caption(
        "*Certified*, each pixel with the confidence of the table: the smoothed segmenter keeps its right name at any light within the radius. "
        f"*Attack found* marks: the same smoothed segmenter where PGD fools the one without noise. {_pictures(tables)}"
    )


def certified_rows(run: Run) -> list[dict[str, Any]]:
    table = read_one(CertifiedTable, run, "certified_segmentation")
    return [] if table is None else [
        {"checkpoint": table.checkpoint, "sigma": table.sigma, "radius": radius, "certified": share, "standard_error": error, "pictures": table.images}
        for radius, share, error in zip(table.radii, table.certified, table.certified_errors)
    ]  # fmt: skip


def _robust_rows(table: RobustTable) -> list[dict[str, Any]]:
    radii, shares, errors, ious = (0.0, *table.radii), (table.accuracy, *table.robust), (table.accuracy_error, *table.robust_errors), (table.iou, *table.robust_ious)
    return [{"radius": round(radius, 4), "right": share, "standard error": error, "mean IoU": iou} for radius, share, error, iou in zip(radii, shares, errors, ious)]


def _pictures(tables: Mapping[str, RobustTable | CertifiedTable]) -> str:
    return " ".join(f"{plain(label or table.checkpoint)}: {table.images:,} of {table.available:,} pictures, set {plain(table.learned_set)} with ε = {table.epsilon:.2f}." for label, table in tables.items())


def _warn_of_sets(tables: Mapping[str, RobustTable | CertifiedTable]) -> None:
    if len({table.learned_set_digest for table in tables.values()}) > 1:
        st.warning("These runs are of different learned sets: their radii cannot be compared.")
    if len({table.fingerprint for table in tables.values()}) > 1:
        st.warning("These runs are measured on different pictures: their shares cannot be compared.")
