"""What runs on VAEs have to show: Figure 3's curve, and Table 1's columns."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.configuration import from_mapping
from explorer.figures.certified_vae import Curve, elbo_curves
from explorer.papers.certified_vae.evaluation import HEADINGS, AttackTable, ElboTable
from explorer.runs import Run

from .run_tables import read_table

Runs = Mapping[str, Run]
BOX = {False: "the paper's box, which leaves [0, 1]", True: "the box cut to [0, 1]"}


def draw_attack(run: Run, key: str) -> None:
    if table := _attack(run):
        _curves({table.checkpoint: table}, key)


def compare_attacks(runs: Runs, key: str) -> None:
    """Several models, or settings, in one figure."""
    tables = {label: table for label, run in runs.items() if (table := _attack(run))}
    if len({(table.settings.get("clip"), table.settings.get("sigma0")) for table in tables.values()}) > 1:
        st.warning("These runs differ in their box or in σ0: their ELBOs cannot be compared.")
    if tables:
        _curves(tables, key)


def attack_rows(run: Run) -> list[dict[str, Any]]:
    table = _attack(run)
    return [] if table is None else [{"checkpoint": table.checkpoint, **row, "images": table.images} for row in _lines(table)]


def draw_bound(run: Run, key: str) -> None:
    if table := _bound(run):
        _columns({table.checkpoint: table}, key)


def compare_bounds(runs: Runs, key: str) -> None:
    if tables := {label: table for label, run in runs.items() if (table := _bound(run))}:
        _columns(tables, key)


def bound_rows(run: Run) -> list[dict[str, Any]]:
    table = _bound(run)
    return [] if table is None else [
        {"checkpoint": table.checkpoint, "radius": table.radius, "column": heading, "mean": mean, "standard_error": error}
        for heading, mean, error in zip(HEADINGS, table.means, table.standard_errors)
    ]  # fmt: skip


def _attack(run: Run) -> AttackTable | None:
    content = read_table(run, "attack")
    return from_mapping(AttackTable, content, "attack.json") if content else None


def _bound(run: Run) -> ElboTable | None:
    content = read_table(run, "elbo")
    return from_mapping(ElboTable, content, "elbo.json") if content else None


def _curves(tables: Mapping[str, AttackTable], key: str) -> None:
    curves = [Curve(label, table.radii, table.attacked, table.attacked_errors, table.bounds) for label, table in tables.items()]
    st.plotly_chart(elbo_curves(curves), width="stretch", key=f"{key}-curves")
    one = next(iter(tables.values()))
    counts = sorted({table.images for table in tables.values()})
    st.caption(
        f"Means over {' or '.join(f'{count:,}' for count in counts)} of {one.available:,} test images with their standard errors; {BOX[bool(one.settings.get('clip'))]}. Solid: *attack found* by PGD, "
        f"{one.settings.get('steps')} steps, an upper bound of the worst case. Dotted: *certified* for the same noise; where it falls out of the picture, the table has it."
    )
    st.dataframe(
        [{"model": label, "number": name, **{f"{radius:g}": _nats(value) for radius, value in zip(table.radii, values)}}
         for label, table in tables.items() for name, values in (("attack found", table.attacked), ("certified ≥", table.bounds))],
        hide_index=True, width="stretch", key=f"{key}-table",
    )  # fmt: skip


def _lines(table: AttackTable) -> list[dict[str, float]]:
    columns = {"radius": table.radii, "attack_found": table.attacked, "attack_error": table.attacked_errors, "certified": table.bounds, "certified_error": table.bound_errors}
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


def _columns(tables: Mapping[str, ElboTable], key: str) -> None:
    st.dataframe(
        [{"model": label, "radius": table.radius, **{heading: _with_error(*value) for heading, value in zip(HEADINGS, zip(table.means, table.standard_errors))}, "images": " + ".join(map(str, table.images))}
         for label, table in tables.items()],
        hide_index=True, width="stretch", key=f"{key}-columns",
    )  # fmt: skip
    st.caption("Nats, means ± standard errors over the images so far (train + test), one draw of the noise for each. *Bound*: certified for that noise over the paper's box; clipped: over the box cut to [0, 1].")


def _nats(value: float) -> str:
    return (f"{value:.2f}" if abs(value) < 1e5 else f"{value:.1e}").replace("-", "−")


def _with_error(mean: float | None, error: float | None) -> str:
    return "" if mean is None else f"{mean:.2f} ± {error:.2f}".replace("-", "−")
