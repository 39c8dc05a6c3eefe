"""What runs on worst weights and on imitated corruptions have to show."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.figures.adversarial_augmentation import accuracies_over_radius, imitation_bars, noise_lines, similarity_histograms
from explorer.papers.adversarial_augmentation.parameter_noise import NoiseTable
from explorer.papers.adversarial_augmentation.reconstruction import ReconstructionTable
from explorer.papers.adversarial_augmentation.similarity import SimilarityTable
from explorer.runs import Run

from .attack_runs import read_all, read_one
from .components import plain, show_problems

Runs = Mapping[str, Run]
COLUMNS = {
    "means": "SSIM", "deviations": "± deviation", "guarded_means": "SSIM after the guard", "guarded_shares": "guarded", "random_means": "SSIM, random", "adversarial": "right, adversarial", "guarded": "right, guarded",
    "random": "right, random",
}  # fmt: skip


def compare_similarity(runs: Runs, key: str) -> None:
    tables = read_all(SimilarityTable, runs, "similarity")
    if not tables:
        return
    labelled = {f"{f'{label}: ' if label else ''}{network}, ν = {radius:g}": row for label, table in tables.items() for network, radius, row in zip(table.networks, table.radii, table.counts)}
    st.plotly_chart(similarity_histograms(labelled), width="stretch", key=f"{key}-histograms")
    for number, (label, table) in enumerate(tables.items()):
        if label:
            st.markdown(f"**{plain(label)}**")
        lines = {"adversarial": table.adversarial, "adversarial, guarded": table.guarded, "random, same radius": table.random}
        st.plotly_chart(accuracies_over_radius(table.networks, table.radii, table.clean, lines), width="stretch", key=f"{key}-accuracies-{number}")
        st.dataframe([_shown(row) for row in _rows(table)], hide_index=True, width="stretch", key=f"{key}-table-{number}")
        st.caption(f"{table.images:,} of {table.available:,} test images of {plain(table.dataset)}, {100 * table.clean:.1f} % right without a corruption. *Attack found*: worse weights may be there, so the true share is at most this. SSIM and random weights are *estimates* over these images.")
    show_problems([each for table in tables.values() for each in table.warnings])


def similarity_rows(run: Run) -> list[dict[str, Any]]:
    table = read_one(SimilarityTable, run, "similarity")
    return [] if table is None else _rows(table)


def compare_reconstruction(runs: Runs, key: str) -> None:
    tables = read_all(ReconstructionTable, runs, "reconstruction")
    if not tables:
        return
    st.plotly_chart(imitation_bars({label or table.checkpoint: (table.corruptions, table.means, table.standard_errors, table.clean_means) for label, table in tables.items()}), width="stretch", key=f"{key}-imitated")
    for label, table in tables.items():
        st.caption(f"{plain(label or table.checkpoint)}: {table.images:,} images, severities {', '.join(map(str, table.settings['severities']))}, {table.settings['steps']} steps. SSIM over all {table.overall:.3f}, deviation {table.overall_deviation:.3f}. *Found* by gradient ascent: better imitations may be there. Bars: 95 % of the mean.")


def reconstruction_rows(run: Run) -> list[dict[str, Any]]:
    table = read_one(ReconstructionTable, run, "reconstruction")
    return [] if table is None else [
        {"corruption": name, "ssim": mean, "standard_error": error, "clean_ssim": clean} for name, mean, error, clean in zip(table.corruptions, table.means, table.standard_errors, table.clean_means)
    ]  # fmt: skip


def compare_noise(runs: Runs, key: str) -> None:
    for number, (label, table) in enumerate(read_all(NoiseTable, runs, "noise").items()):
        if label:
            st.markdown(f"**{plain(label)}**")
        st.plotly_chart(noise_lines(table.levels, table.clean, table.corruptions, table.errors), width="stretch", key=f"{key}-noise-{number}")
        st.caption(f"{table.images:,} test images, {table.settings['draws']} draws of the noise, the same for all images; their probabilities are averaged. *Estimates*. Thin lines: each corruption.")


def noise_rows(run: Run) -> list[dict[str, Any]]:
    table = read_one(NoiseTable, run, "noise")
    return [] if table is None else [{"noise": level, "clean_error": clean, **dict(zip(table.corruptions, row))} for level, clean, row in zip(table.levels, table.clean, table.errors)]


def _rows(table: SimilarityTable) -> list[dict[str, Any]]:
    return [{"network": network, "nu": radius, **{name: getattr(table, name)[number] for name in COLUMNS}} for number, (network, radius) in enumerate(zip(table.networks, table.radii))]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    percent = {"guarded_shares", "adversarial", "guarded", "random"}
    return {"network": row["network"], "ν": f"{row['nu']:g}", **{title: f"{100 * row[name]:.1f} %" if name in percent else f"{row[name]:.3f}" for name, title in COLUMNS.items()}}
