"""What each kind of run has to show, while it goes on and after; and several runs of a kind side by side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from explorer.checkpoints import describe
from explorer.configuration import from_mapping
from explorer.errors import CheckpointError
from explorer.figures import Provenance, to_csv
from explorer.figures.runs import distance_distributions, metric_bars, training_curves
from explorer.papers import EXPERIMENTS
from explorer.papers.learned_sets.extremes import COLUMNS
from explorer.papers.learned_sets.quality import HEADINGS, QualityTable
from explorer.papers.learned_sets.report import DISTANCE_NAMES
from explorer.papers.learned_sets.segmentation_config import SegmenterConfig
from explorer.runs import Run, Specification
from explorer.runs.kinds import subject

from . import adversarial_augmentation_runs, attack_runs, budget_runs, corruptions_runs, elbo_runs, manifold_directions_runs, segmentation_runs
from .checkpoint_kinds import kind_of
from .components import download, show_png
from .library import find_checkpoints
from .links import link_to
from .quality_table import show_quality_table
from .run_tables import read_history, read_table

Runs = Mapping[str, Run]
SAMPLES = {  # what a training of such a configuration, or else of each paper's experiments, draws after an epoch
    SegmenterConfig: "validation scenes, each under another light",
    "learned_sets": "a clean image, then nine members of its set, always at the same random u",
    "contextual_budgets": "a clean image, then the budgets of validation images, lighter for larger ones; with uniform budgets the worst images that PGD found",
    "certified_vae": "a clean image, its reconstruction, then samples of the prior, always at the same random z",
}


@dataclass(frozen=True)
class RunView:
    """`compare` shows the results so far of several runs by their labels, `rows` is the table behind them, `alone` shows one run where it is more
    than a comparison of one. Each is given runs that may have nothing yet."""

    compare: Callable[[Runs, str], None]
    rows: Callable[[Run], list[dict[str, Any]]]
    alone: Callable[[Run, str], None] | None = None

    def draw(self, run: Run, key: str) -> None:
        if self.alone is None:
            self.compare({"": run}, key)
        else:
            self.alone(run, key)


def _draw_quality(run: Run, key: str) -> None:
    table = read_table(run, "quality")
    if not table:
        return
    show_quality_table(from_mapping(QualityTable, table, "quality.json"))
    _bars({"": table}, key)


def _compare_quality(runs: Runs, key: str) -> None:
    tables = {label: table for label, run in runs.items() if (table := read_table(run, "quality"))}
    if len({table["settings"]["distance"] for table in tables.values()}) > 1:
        st.warning("These runs measure different distances: their errors cannot be compared.")
    if tables:
        _bars(tables, key)
        st.dataframe(
            [{"run": label, **{heading: f"{mean:.4g}" for heading, mean in zip(HEADINGS, table["means"])}, "pairs": table["pairs"]} for label, table in tables.items()],
            hide_index=True, width="stretch", key=f"{key}-table",
        )  # fmt: skip


def _bars(tables: Mapping[str, Any], key: str) -> None:
    values = {label: (table["means"][:-1], table["standard_errors"][:-1]) for label, table in tables.items()}
    unit = DISTANCE_NAMES[next(iter(tables.values()))["settings"]["distance"]]
    st.plotly_chart(metric_bars(HEADINGS[:-1], values, unit), width="stretch", key=f"{key}-bars")


def _quality_rows(run: Run) -> list[dict[str, Any]]:
    table = read_table(run, "quality")
    return [] if not table else [
        {"metric": heading, "mean": mean, "standard_error": error} for heading, mean, error in zip(HEADINGS, table["means"], table["standard_errors"])
    ]  # fmt: skip


def _draw_extremes(run: Run, key: str) -> None:
    columns = read_table(run, "pairs")
    if not columns:
        return
    specification = run.snapshot().specification
    st.plotly_chart(distance_distributions({"": columns}, DISTANCE_NAMES[specification.parameters["distance"]]), width="stretch", key=f"{key}-distances")
    count = len(columns["closest_error"])
    norms = [np.array(columns[name], dtype=float) for name in ("closest_norm", "farthest_norm")]
    st.caption(
        f"{count:,} pairs. Attack found: the closest member's distance is an upper bound, the farthest one's a lower bound. "
        f"Median ‖u‖: {np.nanmedian(norms[0]):.2f} of the closest, {np.nanmedian(norms[1]):.2f} of the farthest members."
    )
    for name, text in (("closest_error", "Worst approximated"), ("farthest_error", "Farthest strayed")):
        chosen = read_table(run, f"largest_{name}")
        path = run.results / f"largest_{name}.png"
        if chosen and path.exists():
            st.markdown(f"**{text}**: pairs {', '.join(str(int(pair)) for pair in chosen['pairs'])}. Rows: clean, real pair, closest member, farthest member.")
            show_png(path.read_bytes(), f"{text}: clean, real, closest and farthest")
            _link_to_pair(specification, int(chosen["pairs"][0]), name.removesuffix("_error"))


def _link_to_pair(specification: Specification, pair: int, sense: str) -> None:
    """To its search, step by step, where the checkpoint is still at hand."""
    path, folders = Path(specification.inputs["checkpoint"]), tuple(st.session_state.get("gallery.folders", ()))
    key = next((each.key for each in find_checkpoints(folders) if each.header and each.path.absolute() == path), None)
    if key:
        radius = specification.parameters["radius"]
        settings = {"sense": sense, "start": "encoding" if sense == "closest" else "random", "distance": specification.parameters["distance"]}
        link_to("learned_sets", f"Pair {pair}, step by step →", model=key, image=str(pair), panel="Search", **settings, **({"radius": f"{radius:.9g}"} if radius else {}))


def _compare_extremes(runs: Runs, key: str) -> None:
    found = {label: columns for label, run in runs.items() if (columns := read_table(run, "pairs"))}
    units = {run.snapshot().specification.parameters["distance"] for run in runs.values()}
    if len(units) > 1:
        st.warning("These runs measure different distances: their lines cannot be compared.")
    if found:
        st.plotly_chart(distance_distributions(found, DISTANCE_NAMES[next(iter(units))]), width="stretch", key=f"{key}-distances")


def _extremes_rows(run: Run) -> list[dict[str, Any]]:
    columns = read_table(run, "pairs") or {name: [] for name in COLUMNS}
    return [{"pair": pair, **dict(zip(COLUMNS, values))} for pair, values in enumerate(zip(*(columns[name] for name in COLUMNS)))]


def _draw_training(run: Run, key: str) -> None:
    history = read_history(run)
    if not history:
        return
    left, right = st.columns([3, 2])
    with left:
        st.plotly_chart(training_curves({"": history}), width="stretch", key=f"{key}-curves")
    with right:
        _show_samples(run, key)
        if finished := read_table(run, "checkpoint"):
            _link_to_checkpoint(run, run.output / Path(finished["path"]).name)
    st.caption("The validation loss has the final values of all schedules; the training loss, dotted, those of its epoch. The best validation is what is kept.")


def _link_to_checkpoint(run: Run, path: Path) -> None:
    """To the page of what was trained, where its kind has one."""
    try:
        header = describe(path)
    except CheckpointError:
        return
    kind = kind_of(header)
    if kind and (query := kind.query(header, f"run/{run.number}/{path.stem}")):
        link_to(kind.page, f"Open the {kind.label.split(' (')[0].removeprefix('learned ')} →", **query)


def _show_samples(run: Run, key: str) -> None:
    """The strip of one epoch, the last unless another is chosen."""
    epochs = [int(path.stem.removeprefix("epoch-")) for path in sorted(run.results.glob("epoch-*.png"))]
    if not epochs:
        return
    follow = len(epochs) < 2 or (run.snapshot().active and st.toggle("Follow the training", True, key=f"{key}-follow", help="Off: choose an epoch."))
    epoch = epochs[-1] if follow else st.select_slider("Epoch", epochs, epochs[-1], key=f"{key}-epoch")
    show_png((run.results / f"epoch-{epoch:04d}.png").read_bytes(), f"what the training draws after epoch {epoch}")
    experiment = EXPERIMENTS.get(run.snapshot().specification.inputs["experiment"])
    drawn = "samples of what is learned" if experiment is None else SAMPLES.get(type(experiment.config)) or SAMPLES.get(experiment.paper, "samples of what is learned")
    st.caption(f"After epoch {epoch}: {drawn}.")


def _compare_training(runs: Runs, key: str) -> None:
    histories = {label: history for label, run in runs.items() if (history := read_history(run))}
    if histories:
        st.plotly_chart(training_curves(histories), width="stretch", key=f"{key}-curves")


VIEWS: dict[str, RunView] = {
    "quality": RunView(_compare_quality, _quality_rows, _draw_quality),
    "extremes": RunView(_compare_extremes, _extremes_rows, _draw_extremes),
    "elbo_table": RunView(elbo_runs.compare_bounds, elbo_runs.bound_rows, elbo_runs.draw_bound),
    "elbo_attack": RunView(elbo_runs.compare_attacks, elbo_runs.attack_rows, elbo_runs.draw_attack),
    "budget_errors": RunView(budget_runs.compare_errors, budget_runs.error_rows, budget_runs.draw_errors),
    "budget_volumes": RunView(budget_runs.compare_volumes, budget_runs.volume_rows, budget_runs.draw_volumes),
    "budget_followed": RunView(budget_runs.compare_followed, budget_runs.followed_rows, budget_runs.draw_followed),
    "attack": RunView(attack_runs.compare_counts, attack_runs.count_rows),
    "attack_curve": RunView(attack_runs.compare_curves, attack_runs.curve_rows),
    "cross_sets": RunView(attack_runs.compare_cross, attack_runs.cross_rows),
    "certify": RunView(attack_runs.compare_certified, attack_runs.certified_rows),
    "corruption_errors": RunView(corruptions_runs.compare_errors, corruptions_runs.error_rows),
    "direction_accuracies": RunView(manifold_directions_runs.compare_accuracies, manifold_directions_runs.accuracy_rows, manifold_directions_runs.draw_accuracies),
    "direction_spectra": RunView(manifold_directions_runs.compare_spectra, manifold_directions_runs.spectra_rows, manifold_directions_runs.draw_spectra),
    "worst_weights": RunView(adversarial_augmentation_runs.compare_similarity, adversarial_augmentation_runs.similarity_rows),
    "imitated_corruptions": RunView(adversarial_augmentation_runs.compare_reconstruction, adversarial_augmentation_runs.reconstruction_rows),
    "parameter_noise": RunView(adversarial_augmentation_runs.compare_noise, adversarial_augmentation_runs.noise_rows),
    "segmentation": RunView(segmentation_runs.compare_robust, segmentation_runs.robust_rows),
    "certified_segmentation": RunView(segmentation_runs.compare_certified, segmentation_runs.certified_rows),
    "training": RunView(_compare_training, read_history, _draw_training),
}


def download_rows(run: Run, specification: Specification, key: str) -> None:
    """The numbers behind a run's figures."""
    try:
        rows = VIEWS[specification.kind].rows(run) if specification.kind in VIEWS else []
    except (KeyError, TypeError, ValueError, AttributeError):
        return  # where the results are drawn, it says that they are damaged
    if rows:
        radius = (read_table(run, "quality") or {}).get("radius") or specification.parameters.get("radius")
        made_by = Provenance(subject(specification), specification.seed, radius, {"run": run.name, "command": specification.command})
        download("Numbers (CSV)", lambda: to_csv(rows, made_by), f"{run.name}.csv", "text/csv", key=key)
