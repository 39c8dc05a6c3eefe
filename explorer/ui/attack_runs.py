"""What runs that attack or certify classifiers have to show."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.configuration import from_mapping
from explorer.figures.attacks import Curve, accuracy_curves, cross_heatmap
from explorer.measuring import Measured, standard_error
from explorer.runs import Run
from explorer.studies.attack import AttackTable, CrossTable, CurveTable
from explorer.studies.certify import CertifyTable
from explorer.studies.threats import THREATS, parse_threat

from .components import plain, show_problems
from .run_tables import read_table

Runs = Mapping[str, Run]
FOUND = "*Attack found*: a stronger attack may fool more, so the true share of robust images is at most this. Images that are classified wrong are not attacked."


def compare_counts(runs: Runs, key: str) -> None:
    if tables := read_all(AttackTable, runs, "attack"):
        st.dataframe([_counted(table, label) for label, table in tables.items()], hide_index=True, width="stretch", key=f"{key}-counts")
        st.caption(FOUND)
        _warn(tables)


def count_rows(run: Run) -> list[dict[str, Any]]:
    table = read_one(AttackTable, run, "attack")
    return [] if table is None else [{"checkpoint": table.checkpoint, **{name: getattr(table, name) for name in ("images", "clean_correct", "attempted", "fooled", "survived")}}]


def compare_curves(runs: Runs, key: str) -> None:
    tables = read_all(CurveTable, runs, "curve")
    if not tables:
        return
    _warn_of_units(tables)
    st.plotly_chart(accuracy_curves({label or table.checkpoint: found_curve(table) for label, table in tables.items()}, _unit(tables), "Accuracy under attack over the radius"), width="stretch", key=f"{key}-curves")
    st.caption(f"{FOUND} At radius 0 nothing is attacked. Bars: standard errors. " + " ".join(f"{plain(label or table.checkpoint)}: {table.images:,} images, {table.searches:.1f} searches each." for label, table in tables.items()))
    _warn(tables)


def curve_rows(run: Run) -> list[dict[str, Any]]:
    table = read_one(CurveTable, run, "curve")
    return [] if table is None else [{"checkpoint": table.checkpoint, "radius": radius, "survived": survived, "images": table.images} for radius, survived in zip((0.0, *table.radii), (table.clean_correct, *table.survived))]


def found_curve(table: CurveTable) -> Curve:
    shares = [each / table.images for each in (table.clean_correct, *table.survived)]
    return Curve((0.0, *table.radii), shares, [standard_error(share, table.images) for share in shares])


def compare_cross(runs: Runs, key: str) -> None:
    for number, (label, table) in enumerate(read_all(CrossTable, runs, "cross").items()):
        st.plotly_chart(cross_heatmap(table.models, table.threats, table.robust, table.clean, label or "Attacked in each set"), width="stretch", key=f"{key}-cross-{number}")
        st.caption(f"{FOUND} {table.images:,} test images of each classifier's own data set.")
        _warn({label: table})


def cross_rows(run: Run) -> list[dict[str, Any]]:
    table = read_one(CrossTable, run, "cross")
    return [] if table is None else [{"model": model, "no attack": clean, **dict(zip(table.threats, row))} for model, clean, row in zip(table.models, table.clean, table.robust)]


def compare_certified(runs: Runs, key: str) -> None:
    if tables := read_all(CertifyTable, runs, "certified"):
        show_certified(tables, {}, key)


def show_certified(tables: Mapping[str, CertifyTable], found: Mapping[str, CurveTable], key: str) -> None:
    """Certified curves of every σ, beside what attacks found on the classifiers without noise."""
    _warn_of_units({**tables, **found})
    curves = {f"{f'{label}, ' if label else ''}σ = {sigma:g}": Curve(table.radii, shares, certified=True) for label, table in tables.items() for sigma, shares in zip(table.sigmas, table.accuracy)}
    curves |= {f"{f'{label}, ' if label else ''}without noise": found_curve(table) for label, table in found.items()}
    st.plotly_chart(accuracy_curves(curves, _unit({**tables, **found}), "Certified accuracy over the radius"), width="stretch", key=f"{key}-certified")
    st.dataframe(
        [
            {
                **({"model": label} if label else {}), "σ": f"{sigma:g}", "certified at radius 0": _percent(shares[0]), "abstained": _percent(table.abstained[number]), "another class": _percent(table.wrong[number]),
                "mean certified radius": f"{table.mean_radius[number]:.4g}", "without noise": _percent(table.clean), "votes": f"{table.settings['samples']:,}", "confidence of each": f"{100 * table.settings['confidence']:g} %", "images": table.images,
            }
            for label, table in tables.items() for number, (sigma, shares) in enumerate(zip(table.sigmas, table.accuracy))
        ],
        hide_index=True, width="stretch", key=f"{key}-certified-table",
    )  # fmt: skip
    st.caption(
        "*Certified*, each image with the confidence of the table: the smoothed classifier keeps the label anywhere within the radius (ℓ2 in the set's parameters)."
        + (" *Attack found* curves are of the classifier itself, without noise: another classifier, so neither bounds the other." if found else "")
    )
    _warn(tables)


def certified_rows(run: Run) -> list[dict[str, Any]]:
    table = read_one(CertifyTable, run, "certified")
    return [] if table is None else [
        {"checkpoint": table.checkpoint, "sigma": sigma, "radius": radius, "certified_accuracy": share, "images": table.images} for sigma, shares in zip(table.sigmas, table.accuracy) for radius, share in zip(table.radii, shares)
    ]  # fmt: skip


def read_one(kind: type, run: Run, name: str) -> Any:
    content = read_table(run, name)
    return from_mapping(kind, content, f"{name}.json") if content else None


def read_all(kind: type, runs: Runs, name: str) -> dict[str, Any]:
    return {label: table for label, run in runs.items() if (table := read_one(kind, run, name))}


def _counted(table: AttackTable, label: str) -> dict[str, Any]:
    robust = table.survived / table.images
    return {
        **({"model": label} if label else {}), "set": _title(table.settings["threat"]), "attack": table.settings["attack"], "images": table.images, "clean correct": table.clean_correct,
        "attempted": table.attempted, "fooled": table.fooled, "survived": table.survived, "clean accuracy": _percent(table.clean_correct / table.images),
        "robust accuracy ≤": f"{_percent(robust)} ± {100 * standard_error(robust, table.images):.2f}",
    }  # fmt: skip


def _title(text: str) -> str:
    """Also where the file that it names has gone."""
    try:
        return parse_threat(text).title
    except ValueError:
        return text[:80]


def _unit(tables: Mapping[str, Measured]) -> str:
    name = str(next(iter(tables.values())).settings["threat"]).split(":")[0]
    return THREATS[name].unit if name in THREATS else ""


def _warn_of_units(tables: Mapping[str, Measured]) -> None:
    if len({str(table.settings["threat"]).split(":")[0] for table in tables.values()}) > 1:
        st.warning("These runs are of different kinds of sets: their radii cannot be compared.")


def _warn(tables: Mapping[str, Measured]) -> None:
    show_problems([f"{label or table.checkpoint}: {each}" for label, table in tables.items() for each in table.warnings])


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
