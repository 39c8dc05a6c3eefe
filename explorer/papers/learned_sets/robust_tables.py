"""Tables 2 and 9 and Figure 11 of Perturbation sets: classifiers in a learned set of corruptions, read from what was measured."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from explorer.measuring import plain
from explorer.papers.base import Filled, Row
from explorer.papers.results import Results, as_usual, own_place

from .robust_measured import PERCENTILES, ROBUST_KIND, SMOOTHED_KIND, RobustSettings, RobustTable, SmoothedSettings, SmoothedTable, Table

PAPERS_SET, PREFIX = "cifar10c-centred", "robust-cifar10c-"
NOT_THERE = "needs its published weights: python -m explorer.import_classifier, then python -m explorer.evaluate FILE --robust --learned-set cifar10c-centred"
TABLE_2: dict[str, tuple[str, tuple[float, ...]]] = {  # per cent
    "pairs": ("CIFAR10-C data augmentation", (90.6, 87.7, 85.0, 42.4, 37.2, 17.8)),
    "samples": ("CVAE data augmentation", (94.5, 90.5, 89.6, 68.6, 63.3, 43.4)),
    "adversarial": ("CVAE adversarial training", (94.6, 90.3, 89.9, 72.1, 66.1, 55.6)),
    "standard": ("Standard training", (95.2, 67.0, 68.1, 20.1, 17.8, 10.1)),
}
FROM_ELSEWHERE = {
    "Fast AutoAugment (Lim et al., 2019)": (93.9, 63.7, 79.3, 22.6, 20.8, 10.9),
    "AugMix (Hendrycks et al., 2019)": (92.0, 68.8, 82.9, 39.5, 34.4, 16.8),
    "ℓ2 robust (Engstrom et al., 2019)": (90.8, 74.4, 82.8, 58.4, 48.1, 20.6),
    "ℓ∞ robust (Carmon et al., 2019)": (89.7, 71.2, 80.3, 60.2, 50.7, 23.6),
}
TABLE_9: dict[str, tuple[str, tuple[float, ...]]] = {
    "smoothed-25": ("σ = 0.84", (93.8, 92.5, 84.2, 34.7, 0.0, 0.0)),
    "smoothed-50": ("σ = 1.22", (94.0, 92.6, 83.9, 66.1, 15.3, 0.0)),
    "smoothed-75": ("σ = 3.19", (86.7, 84.7, 65.0, 86.7, 39.4, 0.0)),
}
PUBLISHED = {  # Appendix E.4 and published configuration
    "dataset": "cifar10", "classifier": "wide_resnet", "stem": None, "widths": None, "depths": None, "learned_set": PAPERS_SET, "epochs": 100, "batch_size": 128,
    "learning_rate": [[0.0, 0.0], [40.0, 0.2], [100.0, 0.0]], "weight_decay": 0.0, "augment": True, "limit": None,
}  # fmt: skip
OF_THE_ATTACK = {"latent_radius": None, "latent_steps": 7, "latent_step_size": 0.2}
HEADINGS = ("clean", "perturbed", "other types")


def table2(results: Results) -> Filled:
    """Accuracies in per cent: on clean images, on the corruptions that the set was learned from, on others, and under attack in the set."""
    rows = [_row(ROBUST_KIND, name, label, paper, results) for name, (label, paper) in TABLE_2.items()]
    rows += [Row(label, paper, missing=NOT_THERE) for label, paper in FROM_ELSEWHERE.items()]
    note = "Real perturbations: one of each type of each test image. Under attack: where PGD found the largest cross-entropy in the latent ball, upper bounds of robustness."
    columns = (*HEADINGS, *(f"at the set's {key} % radius" for key in PERCENTILES))
    return Filled(columns, (*(_wide(row) for row in rows), *_others(ROBUST_KIND, results)), note)


def table9(results: Results) -> Filled:
    """The smoothed classifier's accuracies in per cent, and what is certified, each image with the confidence of the measurement. In the printed
    table as many images are certified at 2.7 with σ = 3.19 as are classified right."""
    rows = [_row(SMOOTHED_KIND, name, label, paper, results) for name, (label, paper) in TABLE_9.items()]
    note = "Predictions by the majority of the votes, wrong where it abstains; perturbed images are themselves the centre of the set that noise is drawn in."
    columns = (*HEADINGS, *(f"certified at the set's {key} % radius" for key in PERCENTILES[:-1]), *(f"attacked at its {key} % radius" for key in PERCENTILES[:-1]))
    return Filled(columns, (*rows, *_others(SMOOTHED_KIND, results)), note)


def figure_11(results: Results) -> Filled:
    """The certified curve at quarters of the largest radius that can be certified; all of it stands in the results file."""

    def values(table: SmoothedTable) -> tuple[float, ...]:
        last = len(table.grid) - 1
        return (table.grid[-1], *(100 * table.curve[last * part // 4] for part in range(5)))

    rows = [_row(SMOOTHED_KIND, name, label, (None,) * 6, results, values) for name, (label, _) in TABLE_9.items()]
    return Filled(("largest radius", *(f"certified at {part}/4 of it" for part in range(5))), (*rows, *_others(SMOOTHED_KIND, results, values)))


def own_robust_path(kind: str, table: Table) -> Path:
    """The usual place, or one of its own: `own_place`. Measured in another set than that of the training it is not the usual one."""
    usual = SmoothedSettings() if kind == SMOOTHED_KIND else RobustSettings()
    return own_place(kind.rpartition(".")[2], table, table.settings["limit"] == usual.limit and as_usual(table, plain(usual), "noisy_batch"))


def _row(kind: str, name: str, label: str, paper: tuple[float | None, ...], results: Results, values: Callable[[Table], tuple[float | None, ...]] | None = None) -> Row:
    """A line of the paper's, with what was measured of that experiment in the paper's set."""
    name, flag = PREFIX + name, "--robust" if kind == ROBUST_KIND else "--smoothed"
    row = Row(label, paper, command=f"python -m explorer.train {name} && python -m explorer.evaluate runs/{name}/{name}.safetensors {flag}")
    found = [each for each in results.of(kind) if (each[0].learned_set, each[0].checkpoint) == (PAPERS_SET, name)]
    return _filled(row, *min(found, key=_order), values or _values) if found else row


def _others(kind: str, results: Results, values: Callable[[Table], tuple[float | None, ...]] | None = None) -> Sequence[Row]:
    """The best measurement of each other classifier in each set: lines of ours."""
    by_name: dict[tuple[str, str], list[tuple[Table, Path]]] = {}
    papers = {PREFIX + name for name in (TABLE_2 if kind == ROBUST_KIND else TABLE_9)}
    for table, path in results.of(kind):
        if not (table.learned_set == PAPERS_SET and table.checkpoint in papers):
            by_name.setdefault((table.learned_set, table.checkpoint), []).append((table, path))
    return [_filled(Row(f"{name[:60]} in {chosen[:60]}", (), own=True), *min(found, key=_order), values or _values) for (chosen, name), found in sorted(by_name.items())]


def _order(found: tuple[Table, Path]) -> tuple:
    table, _ = found
    return table.images < table.available, len(_differences(table)), table.training.get("seed", 0)


def _filled(row: Row, table: Table, path: Path, values: Callable[[Table], tuple[float | None, ...]]) -> Row:
    measured = values(table)
    seed = table.training.get("seed", "?")
    source = f"{path.name}: {table.images:,} test images of {table.dataset[:40]}, set {table.learned_set[:40]} with ε = {table.epsilon:.2f}, training seed {seed}, {table.device[:60]}, revision {table.revision[:20]}"
    errors = tuple(None if each is None else 100 * each for each in table.errors) if values is _values else ()
    if errors:
        own = table.robust_errors if isinstance(table, RobustTable) else table.certified_errors
        errors = (*errors, *(100 * each for each in own), *(None,) * (len(measured) - len(errors) - len(own)))
    paper = row.paper or (None,) * len(measured)
    return replace(row, paper=paper + (None,) * (len(measured) - len(paper)), measured=measured, standard_errors=errors, differences=_differences(table), source=source)


def _values(table: Table) -> tuple[float | None, ...]:
    """In per cent, in the order of the columns."""
    further = table.robust if isinstance(table, RobustTable) else (*table.certified, *table.empirical)
    return tuple(None if each is None else 100 * each for each in (table.clean, table.perturbed, table.others, *further))


def _wide(row: Row) -> Row:
    """The paper has three radii, measured is the whole set's too."""
    return replace(row, paper=row.paper + (None,) * (len(HEADINGS) + len(PERCENTILES) - len(row.paper)))


def _differences(table: Table) -> tuple[str, ...]:
    """What keeps a measured row from being a reproduction: the training, and the measurement."""
    wanted = {**PUBLISHED, **(OF_THE_ATTACK if "learned" in table.training.get("sources", ()) else {})}
    if table.training.get("sources") == ["clean"]:
        wanted.pop("learned_set")
    trained = [f"{key} {str(table.training.get(key, 'not recorded'))[:60]} (paper {str(value)[:60]})" for key, value in wanted.items() if table.training.get(key) != value]
    default = RobustSettings() if isinstance(table, RobustTable) else SmoothedSettings()
    names = ("steps",) if isinstance(table, RobustTable) else ("samples", "selection", "confidence")
    settings = [f"{name} {table.settings[name]} (paper {getattr(default, name)})" for name in names if table.settings[name] != getattr(default, name)]
    part = [f"first {table.images} of {table.available} test images"] if table.images < table.available else []
    return (*trained, *settings, *part)
