"""What runs on attacks off and on the manifold have to show: accuracies under them, and spectra."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.configuration import from_mapping
from explorer.evaluation.spectra import LARGE
from explorer.figures.spectra import accuracy_matrix, eigenvalue_lines, energy_lines, ratio_bars
from explorer.papers.manifold_directions.accuracy import HEADINGS
from explorer.papers.manifold_directions.measured import AccuracyTable, SpectraTable
from explorer.runs import Run

from .run_tables import read_table

Runs = Mapping[str, Run]
ALL = "the mean of all classes"


def draw_accuracies(run: Run, key: str) -> None:
    if table := _read(AccuracyTable, run, "accuracies"):
        show_matrix([table], key)


def compare_accuracies(runs: Runs, key: str) -> None:
    if tables := [table for run in runs.values() if (table := _read(AccuracyTable, run, "accuracies"))]:
        show_matrix(tables, key)


def accuracy_rows(run: Run) -> list[dict[str, Any]]:
    table = _read(AccuracyTable, run, "accuracies")
    return [] if table is None else matrix_rows([table])


def draw_spectra(run: Run, key: str) -> None:
    if table := _read(SpectraTable, run, "spectra"):
        show_spectra([table], usual_split([table]), ALL, key)


def compare_spectra(runs: Runs, key: str) -> None:
    if tables := [table for run in runs.values() if (table := _read(SpectraTable, run, "spectra"))]:
        alike = [table for table in tables if len(table.share) == len(tables[0].share)]
        show_spectra(alike, usual_split(alike), ALL, key)


def spectra_rows(run: Run) -> list[dict[str, Any]]:
    table = _read(SpectraTable, run, "spectra")
    return [] if table is None else eigenvalue_rows([table])


def show_matrix(tables: Sequence[AccuracyTable], key: str, title: str = "Accuracy under attack, %") -> tuple[str, str] | None:
    """Defences against attacks; the cell that was clicked, as a checkpoint's and an attack's name."""
    figure = accuracy_matrix([table.checkpoint for table in tables], list(HEADINGS), [list(table.accuracies) for table in tables], title)
    event = st.plotly_chart(figure, width="stretch", key=f"{key}-matrix", on_select="rerun", selection_mode="points")
    measured = [f"{'all' if table.images == table.available else 'the first'} {table.images:,} test images of {table.dataset}, ± {table.strength['radius']:.3g} in pixels, {table.strength['latent_radius']:g} in latents" for table in tables]
    said = measured[:1] if len(set(measured)) == 1 else [f"{table.checkpoint}: {each}" for table, each in zip(tables, measured)]
    st.caption(f"*Attack found*: robust accuracy is at most this. Clean and decoded are accuracies without an attack. Measured on {' · '.join(said)}.")
    points = event.selection.points if event else []
    return (str(points[0]["y"]), str(points[0]["x"])) if points and points[0].get("x") in HEADINGS else None


def show_spectra(tables: Sequence[SpectraTable], split: int, chosen: str, key: str, *, logarithmic: bool = True) -> None:
    """Eigenvalues, the attacks' energy with its band, and by how much the sums of large and small eigenvalues grow."""
    first = tables[0]
    split = min(max(split, 1), len(first.share) - 1)
    lines = {"clean": _of_class(first.clean, first.classes, chosen)}
    for table in tables:
        if table.decoded:
            lines[f"{table.checkpoint}: decoded, no attack"] = _of_class(table.decoded, table.classes, chosen)
        lines[label(table)] = _of_class(table.attacked, table.classes, chosen)
    name = f"class {chosen}" if chosen in first.classes else chosen
    st.plotly_chart(eigenvalue_lines(lines, split, f"Eigenvalues of the covariance, {name}", logarithmic=logarithmic), width="stretch", key=f"{key}-eigenvalues")
    left, right = st.columns(2)
    total = sum(sum(row) for row in first.clean)
    variance = [sum(column) / total for column in zip(*first.clean)]
    shares = {"variance": variance, **{label(table): table.share for table in tables}}
    bands = {label(table): (table.lower, table.upper) for table in tables}
    left.plotly_chart(energy_lines(shares, split, bands=bands), width="stretch", key=f"{key}-energy")
    right.plotly_chart(ratio_bars(first.classes, {label(table): table.ratios(split) for table in tables}, "Sums of eigenvalues, attacked over clean"), width="stretch", key=f"{key}-ratios")
    said = [f"{label(table)}: {100 * table.energy_beyond(split):.1f} % of its energy lies off the first {split} directions" for table in tables]
    few = f" A class has as few as {rank(first) + 1} images, so that only {rank(first)} of its eigenvalues are not 0; those of 0 are left out." if rank(first) < len(first.share) / 2 else ""
    st.caption(f"*Estimates* from {first.images:,} test images of {first.dataset}; all classes together for the energy, whose bands ({100 * first.confidence:.0f} %, bootstrap) show on hover. {' · '.join(said)}.{few}")


def usual_split(tables: Sequence[SpectraTable]) -> int:
    """The paper's 30 large eigenvalues, or a third of those that are not 0 where a class has few images."""
    return max(1, min(LARGE, rank(tables[0]) // 3))


def rank(table: SpectraTable) -> int:
    """How many eigenvalues of clean images are not 0, in the class with fewest."""
    return min(sum(value > 1e-9 * max(row) for value in row) for row in table.clean)


def label(table: SpectraTable) -> str:
    return f"{table.checkpoint} · {'PGD' if table.attack == 'pgd' else 'VAE'}"


def eigenvalue_rows(tables: Sequence[SpectraTable]) -> list[dict[str, Any]]:
    """A row for each class and principal direction."""
    return [
        {"checkpoint": table.checkpoint, "attack": table.attack, "class": name, "direction": place + 1, "clean": clean[place], "attacked": attacked[place]}
        for table in tables for name, clean, attacked in zip(table.classes, table.clean, table.attacked) for place in range(len(clean))
    ]  # fmt: skip


def matrix_rows(tables: Sequence[AccuracyTable]) -> list[dict[str, Any]]:
    return [
        {"checkpoint": table.checkpoint, "data set": table.dataset, "images": table.images, "attack": heading, "accuracy": value, "standard error": error}
        for table in tables for heading, value, error in zip(HEADINGS, table.accuracies, table.standard_errors) if value is not None
    ]  # fmt: skip


def _of_class(rows: Sequence[Sequence[float]], classes: Sequence[str], chosen: str) -> list[float]:
    """The eigenvalues of a class, or their means over all classes."""
    return list(rows[classes.index(chosen)]) if chosen in classes else [sum(column) / len(rows) for column in zip(*rows)]


def _read(kind: type, run: Run, name: str) -> Any:
    found = read_table(run, name)
    return None if found is None else from_mapping(kind, found, name)
