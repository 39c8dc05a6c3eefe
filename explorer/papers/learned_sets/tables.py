"""The tables and figures of Perturbation sets, and what is measured of them."""

import json
from dataclasses import asdict
from pathlib import Path

from explorer.evaluation import figure4
from explorer.papers.base import Filled, Item, Paper, Row
from explorer.papers.results import Results

from . import EXPERIMENTS
from .quality import HEADINGS, PAPER, QualitySettings, QualityTable
from .report import DISTANCE_NAMES

KIND = "learned_sets.quality"
LABELS = {
    "mnist-linf-fc": "Fully connected ℓ∞",
    "mnist-linf-conv": "Convolutional ℓ∞",
    "mnist-rts": "RTS",
    "mnist-rts-1": "RTS-1",
    "mnist-rts-5": "RTS-5",
}
COMPACT = "-compact"
CIFAR_C = "needs CIFAR-10 common corruptions, which are not here yet"
ROBUST = "needs classifiers trained on a CIFAR-10 corruption set, which are not here yet"
LIGHT = "needs the multi-illumination pictures and their models, which are not here yet"
PUBLISHED = "mean binary cross-entropy per pixel, which is what the published evaluation of the MNIST sets reports"


def table4(results: Results) -> Filled:
    """Quality of the MNIST sets; below each row that has it, the mean squared error, which the paper does not give."""
    rows = []
    for name in PAPER:
        rows.append(_quality_row(name, "cross_entropy", results))
        squared = _quality_row(name, "squared_error", results)
        if squared.measured is not None:
            rows.append(squared)
    return Filled(("ε", *HEADINGS), tuple(rows), f"Errors: {PUBLISHED}; or, where said, {DISTANCE_NAMES['squared_error']}.")


def table1(results: Results) -> Filled:
    """The condensed evaluation, of which the MNIST row is Table 4's."""
    row, chosen = _quality_row("mnist-rts", "cross_entropy", results), (2, 3, 5, 6)
    measured = None if row.measured is None else tuple(row.measured[place] for place in chosen)
    errors = tuple(row.standard_errors[place] for place in chosen) if row.measured else ()
    rts = Row("MNIST-RTS", (0.11, 0.54, 0.04, 22.2), measured, errors, row.differences, row.variant, row.source, row.command)
    others = (Row("CIFAR10-C", (0.005, 0.029, 0.001, 69.3)), Row("MI", (0.006, 0.049, 0.004, 65.8)))
    return Filled(("approx. error", "expected approx. error", "reconstruction", "KL (nats)"), (rts, *others), f"MNIST-RTS: {PUBLISHED}.")


def figure_4(results: Results) -> Filled:
    """Appendix A.3's counterexample at four heights."""
    made = [figure4(a) for a in (1.0, 2.0, 4.0, 8.0)]
    rows = tuple(Row(f"a = {each.maximum:g}", (), (each.maximum, each.expectation, each.bound)) for each in made)
    return Filled(("maximum", "expectation under N(0, 1)", "1/a"), rows)


def figure_5(results: Results) -> Filled:
    """Samples of two models: there, where the models are. The gallery draws them."""
    rows = []
    for name in ("mnist-linf-conv", "mnist-rts-1"):
        found = _best(name, "cross_entropy", results)
        row = Row(LABELS[name], (), command=_command(name))
        rows.append(row if found is None else Row(LABELS[name], (), (), differences=differences(found[0], name), source=found[1].name))
    return Filled((), tuple(rows), "The gallery shows samples of every checkpoint.")


def differences(table: QualityTable, name: str) -> tuple[str, ...]:
    """What keeps a measured row from being a reproduction of the experiment's: the training, field by field, and the measurement."""
    paper = json.loads(json.dumps(asdict(EXPERIMENTS[name].config)))
    found = [f"{key} {_short(table.training.get(key))} (paper {_short(value)})" for key, value in paper.items() if table.training.get(key, value) != value]
    if not table.training:
        found.append("training unknown")
    if table.dataset != paper["dataset"]:
        found.append(f"measured on {table.dataset}")
    if table.pairs < table.available:
        found.append(f"first {table.pairs} of {table.available} pairs")
    default = asdict(QualitySettings())
    if table.settings.get("steps") != default["steps"]:
        found.append(f"PGD with {table.settings.get('steps')} steps (paper {default['steps']})")
    if table.settings.get("radius") is not None:
        found.append(f"radius {table.radius:g} chosen by hand")
    return tuple(found)


def _quality_row(name: str, distance: str, results: Results) -> Row:
    paper = PAPER[name] if distance == "cross_entropy" else (None,) * (1 + len(HEADINGS))
    label = LABELS[name] + ("" if distance == "cross_entropy" else ", squared error")
    found = _best(name, distance, results)
    if found is None:
        return Row(label, paper, command=_command(name))
    table, path = found
    variant = table.checkpoint if table.checkpoint != name else ""
    return Row(label, paper, (table.radius, *table.means), (None, *table.standard_errors), differences(table, name), variant, path.name)


def _best(name: str, distance: str, results: Results) -> tuple[QualityTable, Path] | None:
    """The experiment itself before its compact variant, the whole split before a part, few differences before many, then the newest."""
    known = [(table, path) for table, path in results.of(KIND) if table.settings.get("distance") == distance]
    candidates = [each for each in known if each[0].checkpoint in (name, name + COMPACT)]
    order = lambda each: (each[0].checkpoint != name, each[0].pairs < each[0].available, len(differences(each[0], name)))  # noqa: E731
    return min(candidates, key=order, default=None)


def _command(name: str) -> str:
    return f"python -m explorer.train {name} && python -m explorer.evaluate runs/{name}/{name}.safetensors"


def _short(value) -> str:
    return ",".join(":".join(map(str, each)) if isinstance(each, list) else str(each) for each in value) if isinstance(value, list) else str(value)


LEARNED_SETS = Paper(
    "Perturbation sets",
    "Eric Wong and J. Zico Kolter. Learning perturbation sets for robust machine learning. ICLR 2021.",
    (
        Item("table", 1, "condensed evaluation of the learned sets", fill=table1),
        Item("table", 2, "adversarial robustness to CIFAR-10 corruptions", ROBUST),
        Item("table", 3, "segmentation robust to changes of lighting", LIGHT),
        Item("table", 4, "quality of the sets learned on MNIST", fill=table4),
        Item("table", 5, "encoder architecture for CIFAR-10 corruptions", CIFAR_C),
        Item("table", 6, "decoder architecture for CIFAR-10 corruptions", CIFAR_C),
        Item("table", 7, "quality for three ways to pair CIFAR-10 corruptions", CIFAR_C),
        Item("table", 8, "latent norms on CIFAR-10 corruptions", CIFAR_C),
        Item("table", 9, "certified robustness to CIFAR-10 corruptions", ROBUST),
        Item("table", 10, "quality on multi-illumination at three resolutions", LIGHT),
        Item("table", 11, "latent norms on multi-illumination", LIGHT),
        Item("figure", 1, "members of the CIFAR-10 corruption set", CIFAR_C),
        Item("figure", 2, "members of the multi-illumination set", LIGHT),
        Item("figure", 3, "adversarial lighting", LIGHT),
        Item("figure", 4, "a function whose mean vanishes while its maximum grows", fill=figure_4),
        Item("figure", 5, "samples of the ℓ∞ and RTS-1 sets on MNIST", fill=figure_5),
        Item("figure", 6, "distribution of latent norms on CIFAR-10 corruptions", CIFAR_C),
        Item("figure", 7, "the same by kind of corruption", CIFAR_C),
        Item("figure", 8, "random members of the CIFAR-10 corruption set", CIFAR_C),
        Item("figure", 9, "interpolations between corruptions", CIFAR_C),
        Item("figure", 10, "adversarial corruptions", ROBUST),
        Item("figure", 11, "certified accuracy over the radius, CIFAR-10", ROBUST),
        Item("figure", 12, "interpolations between lightings", LIGHT),
        Item("figure", 13, "random lightings", LIGHT),
        Item("figure", 14, "lighting against a model with data augmentation", LIGHT),
        Item("figure", 15, "lighting against an adversarially trained model", LIGHT),
        Item("figure", 16, "lighting at the full radius", LIGHT),
        Item("figure", 17, "certified pixels over the radius, multi-illumination", LIGHT),
    ),
)
