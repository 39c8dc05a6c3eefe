"""Table 3 and Figures 14 to 17 of Perturbation sets: segmenters under adversarial lights, read from what was measured."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from explorer.measuring import plain
from explorer.papers.base import Filled, Row
from explorer.papers.results import Results, as_usual, own_place

from .segmentation_config import Method
from .segmentation_experiments import EXPERIMENTS, PREFIXES
from .segmentation_measured import CERTIFIED_KIND, PERCENTILES, ROBUST_KIND, CertifiedSettings, CertifiedTable, RobustSettings, RobustTable

PAPER, *SMALL = PREFIXES
RADII = tuple(f"at the set's {key} % radius" for key in PERCENTILES)
TABLE_3: dict[Method, tuple[str, tuple[float, ...]]] = {  # per cent
    "fixed": ("Fixed lighting angle", (37.2, 26.3, 24.2, 14.9)),
    "pairs": ("MI data augmentation", (45.2, 38.0, 36.5, 27.1)),
    "samples": ("CVAE data augmentation", (41.5, 35.5, 33.9, 24.7)),
    "adversarial": ("CVAE adversarial training", (41.7, 39.4, 38.8, 35.4)),
}
SMOOTHED = "Smoothed, without noise"
FIGURE_17 = (30.7, 12.4)  # Appendix F.3: accuracy under changed lights, certified at the set's 50 % radius
Table = RobustTable | CertifiedTable


def table3(results: Results) -> Filled:
    """Accuracy over pixels, in per cent; then the rendered scenes', with their mean intersection over union."""
    rows = [_row(ROBUST_KIND, f"{PAPER}-{method}", label, paper, _accuracies, results) for method, (label, paper) in TABLE_3.items()]
    labels = {method: label for method, (label, _) in TABLE_3.items()} | {"smoothed": SMOOTHED}
    rows += [_row(ROBUST_KIND, f"{prefix}-{method}", f"{label}, rendered scenes", (), _accuracies, results) for prefix in SMALL for method, label in labels.items()]
    rows += [_row(ROBUST_KIND, f"{PAPER}-smoothed", SMOOTHED, (), _accuracies, results)]
    note = "Pixels named right under all lights, and where PGD found the largest cross-entropy in the latent ball: upper bounds of robustness."
    return Filled(("perturbed", *RADII), _shown(rows), note)


def figure_14(results: Results) -> Filled:
    return _lost("pairs", 9.9, results)


def figure_15(results: Results) -> Filled:
    return _lost("adversarial", 3.0, results)


def figure_16(results: Results) -> Filled:
    """At the full radius, of which the paper shows pictures alone."""
    rows = [_row(ROBUST_KIND, f"{prefix}-adversarial", label, (None,) if prefix == PAPER else (), lambda table: (100 * (table.accuracy - table.robust[-1]),), results) for prefix, label in _labels("adversarial")]
    return Filled(("pixels lost, %",), _shown(rows))


def figure_17(results: Results) -> Filled:
    """The certified curve at three radii of the set; all of it stands in the results file."""

    def values(table: CertifiedTable) -> tuple[float | None, ...]:
        shares = [table.at(radius) for radius in table.attacked_radii]
        return (100 * table.accuracy, *(None if share is None else 100 * share for share in shares), *(100 * share for share in table.empirical))

    paper = (*FIGURE_17, None, None, None, None, None)
    rows = [_row(CERTIFIED_KIND, f"{prefix}-smoothed", label, paper if prefix == PAPER else (), values, results) for prefix, label in _labels("smoothed", "Smoothed")]
    note = "Pixels that the smoothed segmenter names right; that are certified with confidence 1 − α each; and that it still names right at what an attack found."
    return Filled(("perturbed", *(f"certified {each}" for each in RADII), *(f"attacked {each}" for each in RADII)), _shown(rows), note)


def own_segmentation_path(kind: str, table: Table) -> Path:
    """The usual place, or one of its own: `own_place`."""
    usual = CertifiedSettings() if kind == CERTIFIED_KIND else RobustSettings()
    return own_place(kind.rpartition(".")[2], table, table.settings["limit"] == usual.limit and as_usual(table, plain(usual), "noisy_batch"))


def _labels(method: Method, label: str = "") -> Sequence[tuple[str, str]]:
    label = label or TABLE_3[method][0]
    return [(PAPER, label), *((prefix, f"{label}, rendered scenes") for prefix in SMALL)]


def _lost(method: Method, paper: float, results: Results) -> Filled:
    """How many pixels fewer are right under an adversarial light at the set's 50 % radius, in points of per cent."""
    rows = [
        _row(ROBUST_KIND, f"{prefix}-{method}", label, (paper,) if prefix == PAPER else (), lambda table: (100 * (table.accuracy - table.robust[0]),), results)
        for prefix, label in _labels(method)
    ]
    return Filled(("pixels lost, %",), _shown(rows))


def _accuracies(table: RobustTable) -> tuple[float, ...]:
    return (100 * table.accuracy, *(100 * share for share in table.robust))


def _row(kind: str, name: str, label: str, paper: tuple[float | None, ...], values: Callable[[Table], tuple[float | None, ...]], results: Results) -> Row:
    """A line of that experiment; without numbers of the paper it is one of ours."""
    command = f"python -m explorer.train {name} && python -m explorer.evaluate runs/{name}/{name}.safetensors" + (" --certified" if kind == CERTIFIED_KIND else "")
    row = Row(label, paper, command=command, own=not paper)
    found = [(table, path) for table, path in results.of(kind) if table.checkpoint == name]
    if not found:
        return row
    table, path = min(found, key=lambda each: (each[0].images < each[0].available, len(_differences(each[0], name)), each[0].training.get("seed", 0)))
    measured = values(table)
    source = f"{path.name}: {table.images:,} pictures of {table.dataset[:40]}'s test scenes, set {table.learned_set[:40]} with ε = {table.epsilon:.2f}, {table.device[:60]}, revision {table.revision[:20]}"
    return replace(row, paper=paper or (None,) * len(measured), measured=measured, differences=_differences(table, name), source=source)


def _differences(table: Table, name: str) -> tuple[str, ...]:
    """What keeps a measured row from being a reproduction of the experiment's."""
    config = json.loads(json.dumps(asdict(EXPERIMENTS[name].config)))
    trained = [f"{key} {table.training.get(key, 'not recorded')} (paper {value})" for key, value in config.items() if key != "seed" and table.training.get(key) != value]
    default = RobustSettings() if isinstance(table, RobustTable) else CertifiedSettings()
    steps = [f"attack of {table.settings['steps']} steps (usual {default.steps})"] if table.settings["steps"] != default.steps else []
    part = [f"first {table.images} of {table.available} pictures"] if table.images < table.available else []
    return (*trained, *steps, *part)


def _shown(rows: list[Row]) -> tuple[Row, ...]:
    """Lines of ours that are not measured are left out."""
    return tuple(row for row in rows if row.measured is not None or not row.own)
