"""The tables and figures of Perturbation sets, and what is measured of them."""

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from explorer.evaluation import figure4
from explorer.measuring import plain
from explorer.papers.base import Filled, Item, Paper, Row
from explorer.papers.results import Results, as_usual, own_place

from . import EXPERIMENTS
from .config import LearnedSetConfig
from .illumination import LATENT_NORMS, LIGHTING
from .corruption_tables import table5, table6, table7, table8
from .quality import HEADINGS, PAPER, QualitySettings, QualityTable
from .report import DISTANCE_NAMES
from .robust_tables import figure_11, table2, table9
from .segmentation_tables import figure_14, figure_15, figure_16, figure_17, table3

KIND = "learned_sets.quality"
LABELS = {
    "mnist-linf-fc": "Fully connected ℓ∞",
    "mnist-linf-conv": "Convolutional ℓ∞",
    "mnist-rts": "RTS",
    "mnist-rts-1": "RTS-1",
    "mnist-rts-5": "RTS-5",
    "mi-mip5": "MIP5 (125 × 187)",
    "mi-mip4": "MIP4 (250 × 375)",
    "mi-mip3": "MIP3 (500 × 750)",
    "scenes-lighting": "Rendered scenes, 64 × 64",
}
COMPACT = "-compact"
SAMPLED = ("mnist-linf-conv", "mnist-rts-1")  # in Figure 5
FIRST_OPTIONS = (
    "dataset", "pairs", "model", "latent_dim", "transformers", "localization_widths", "log_var_bounds", "likelihood", "epochs", "passes", "batch_size", "learning_rate", "beta", "limit", "seed",
)  # fmt: skip
ADDED_LATER = {name: value for name, value in json.loads(json.dumps(asdict(LearnedSetConfig()))).items() if name not in FIRST_OPTIONS}
"""Options that headers written before they existed lack, at the value that they had then."""
CIFAR_C = "needs a checkpoint of cifar10c-centred, which takes a GPU a day: python -m explorer.train cifar10c-centred"
ROBUST = "needs pictures of a set that cifar10c-centred has trained, which takes a GPU a day, and a classifier: python -m explorer.train robust-cifar10c-adversarial"
LIGHT = "needs pictures of a set that mi-mip5 has trained on the multi-illumination scenes"
PUBLISHED = "mean binary cross-entropy per pixel, which is what the published evaluation of the MNIST sets reports"


def table4(results: Results) -> Filled:
    """Quality of the MNIST sets; below each row that has it, the mean squared error, which the paper does not give."""
    rows = [_quality_row(name, distance, results) for name in PAPER if name not in LIGHTING for distance in DISTANCE_NAMES]
    rows = [row for row in rows if row.measured is not None or not row.own]
    return Filled(("ε", *HEADINGS), tuple(rows), f"Errors: {PUBLISHED}; or, where said, {DISTANCE_NAMES['squared_error']}.")


def table1(results: Results) -> Filled:
    """The condensed evaluation, of which the MNIST row is Table 4's."""
    rts = _condensed(_quality_row("mnist-rts", "cross_entropy", results), "MNIST-RTS", (0.11, 0.54, 0.04, 22.2))
    others = (
        Row("CIFAR10-C", (0.005, 0.029, 0.001, 69.3), missing=CIFAR_C),
        _condensed(_quality_row("mi-mip5", "squared_error", results), "MI", (0.006, 0.049, 0.004, 65.8)),
    )
    return Filled(("approx. error", "expected approx. error", "reconstruction", "KL (nats)"), (rts, *others), f"MNIST-RTS: {PUBLISHED}.")


def table10(results: Results) -> Filled:
    """Quality of the lighting sets, in squared error; below them that of rendered scenes. The printed headers of expected and over error are
    swapped, as Table 1 shows."""
    rows = [_quality_row(name, "squared_error", results) for name in LIGHTING]
    return Filled(("ε", *HEADINGS), tuple(row for row in rows if row.measured is not None or not row.own), f"Errors: {DISTANCE_NAMES['squared_error']}.")


def table11(results: Results) -> Filled:
    """Norms of validation pairs, of which a checkpoint's header holds the quartiles and the largest; the mean and deviation are not recorded."""
    rows = []
    for name, paper in LATENT_NORMS.items():
        row = Row(LABELS[name], paper, command=f"python -m explorer.train {name}", missing="no checkpoint of it is here yet", own=name not in PAPER)
        if path := sampled_checkpoint(name, results):
            header = next(header for each, header in results.checkpoints if each == path)
            beta, radii = header.training["beta"][-1][1], header.percentile_radii
            measured = (beta, None, None, *(radii[key] for key in ("25", "50", "75", "100")))
            row = replace(row, paper=paper or (None,) * len(measured), measured=measured, differences=training_differences(header.training, name), source=path.name)
        rows.append(row)
    return Filled(("β", "mean", "deviation", "25 %", "50 %", "75 %", "largest"), tuple(row for row in rows if row.measured is not None or not row.own))


def figure_4(results: Results) -> Filled:
    """Appendix A.3's counterexample at four heights."""
    made = [figure4(a) for a in (1.0, 2.0, 4.0, 8.0)]
    rows = tuple(Row(f"a = {each.maximum:g}", (), (each.maximum, each.expectation, each.bound)) for each in made)
    return Filled(("maximum", "expectation under N(0, 1)", "1/a"), rows)


def figure_5(results: Results) -> Filled:
    """Samples of two models, drawn where their checkpoints are; the numbers are the radii of the sets that they come from."""
    rows = []
    for name in SAMPLED:
        row = Row(LABELS[name], PAPER[name][:1], command=f"python -m explorer.train {name}", missing="no checkpoint of it is here yet")
        if path := sampled_checkpoint(name, results):
            header = next(header for each, header in results.checkpoints if each == path)
            row = replace(row, measured=(float(header.radius),), differences=training_differences(header.training, name), source=path.name)
        rows.append(row)
    return Filled(("ε",), tuple(rows))


def sampled_checkpoint(name: str, results: Results) -> Path | None:
    """The checkpoint of an experiment that is closest to the paper's settings."""
    found = [(path, header) for path, header in results.checkpoints if header.name == name]
    closest = min(found, key=lambda each: len(training_differences(each[1].training, name)), default=None)
    return closest and closest[0]


def training_differences(training: dict, name: str) -> tuple[str, ...]:
    """Field by field, how a training differs from the experiment's; the seed is free, as the paper names none."""
    if not training:
        return ("training unknown",)
    paper = {**json.loads(json.dumps(asdict(EXPERIMENTS[name].config))), "seed": training.get("seed")}
    found = {**ADDED_LATER, **training}
    return tuple(
        f"{key} {_short(found[key]) if key in found else 'not recorded'} (paper {_short(value)})"
        for key, value in paper.items()
        if key not in found or found[key] != value
    )


def differences(table: QualityTable, name: str) -> tuple[str, ...]:
    """What keeps a measured row from being a reproduction of the experiment's: the training, and the measurement."""
    settings, default, dataset = QualitySettings(**table.settings), QualitySettings(), EXPERIMENTS[name].config.dataset
    measured = {
        f"measured on {table.dataset[:40]}": table.dataset != dataset,
        f"first {table.pairs} of {table.available} pairs": table.pairs < table.available,
        f"PGD with {settings.steps} steps (paper {default.steps})": settings.steps != default.steps,
        f"radius {table.radius:g} chosen by hand": settings.radius is not None,
    }
    return (*training_differences(table.training, name), *(text for text, differs in measured.items() if differs))


def own_path(table: QualityTable) -> Path:
    """The usual place of that distance, or one of its own: `own_place`."""
    return own_place(table.settings["distance"], table, table.pairs == table.available and as_usual(table, plain(QualitySettings()), "distance"))


def _condensed(row: Row, label: str, paper: tuple[float, ...]) -> Row:
    """Four of the seven numbers, as in Table 1."""
    measured, errors = (values and tuple(values[place] for place in (2, 3, 5, 6)) for values in (row.measured, row.standard_errors))
    return replace(row, label=label, paper=paper, measured=measured, standard_errors=errors)


def _quality_row(name: str, distance: str, results: Results) -> Row:
    """In the distance that the paper takes: the cross-entropy of digits, the squared error of lights; in another one, or of a set that the paper
    does not have, it is a line of ours."""
    squared = name in LIGHTING
    own = name not in PAPER or distance != ("squared_error" if squared else "cross_entropy")
    label = LABELS[name] + (", squared error" if own and not squared else "")
    row = Row(label, (None,) * (1 + len(HEADINGS)) if own else PAPER[name], command=_command(name) + (" --distance squared_error" if squared else ""), own=own)
    found = _best(name, distance, results)
    if found is None:
        return row
    table, path = found
    settings = QualitySettings(**table.settings)
    source = (
        f"{path.name}: {table.pairs:,} pairs of {table.dataset[:40]}'s test split, {DISTANCE_NAMES[distance]}, PGD with {settings.steps} steps, "
        f"seed {settings.seed}, {table.device[:60]}, revision {table.revision[:20]}"
    )
    means, errors, variant = (table.radius, *table.means), (None, *table.standard_errors), table.checkpoint if table.checkpoint != name else ""
    return replace(row, measured=means, standard_errors=errors, differences=differences(table, name), variant=variant, source=source)


def _best(name: str, distance: str, results: Results) -> tuple[QualityTable, Path] | None:
    """The experiment itself before its compact variant, the whole split before a part, few differences before many, then the newest."""

    def order(found: tuple[QualityTable, Path]) -> tuple[bool, bool, int]:
        table, _ = found
        return table.checkpoint != name, table.pairs < table.available, len(differences(table, name))

    known = [each for each in results.of(KIND) if each[0].settings.get("distance") == distance]
    return min([each for each in known if each[0].checkpoint in (name, name + COMPACT)], key=order, default=None)


def _command(name: str) -> str:
    return f"python -m explorer.train {name} && python -m explorer.evaluate runs/{name}/{name}.safetensors"


def _short(value) -> str:
    """`512,128` and `0:0,40:0.0008`, as the command line takes them."""
    if not isinstance(value, list):
        return str(value)[:40]
    return ",".join(":".join(map(_short_number, each)) if isinstance(each, list) else str(each) for each in value)[:80]


def _short_number(value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


LEARNED_SETS = Paper(
    "Perturbation sets",
    "Eric Wong and J. Zico Kolter. Learning perturbation sets for robust machine learning. ICLR 2021.",
    (
        Item("table", 1, "condensed evaluation of the learned sets", fill=table1),
        Item("table", 2, "adversarial robustness to CIFAR-10 corruptions", fill=table2),
        Item("table", 3, "segmentation robust to changes of lighting", fill=table3),
        Item("table", 4, "quality of the sets learned on MNIST", fill=table4),
        Item("table", 5, "encoder architecture for CIFAR-10 corruptions", fill=table5),
        Item("table", 6, "decoder architecture for CIFAR-10 corruptions", fill=table6),
        Item("table", 7, "quality for three ways to pair CIFAR-10 corruptions", fill=partial(table7, _best, differences)),
        Item("table", 8, "latent norms on CIFAR-10 corruptions", fill=partial(table8, sampled_checkpoint, training_differences)),
        Item("table", 9, "certified robustness to CIFAR-10 corruptions", fill=table9),
        Item("table", 10, "quality on multi-illumination at three resolutions", fill=table10),
        Item("table", 11, "latent norms on multi-illumination", fill=table11),
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
        Item("figure", 11, "certified accuracy over the radius, CIFAR-10", fill=figure_11),
        Item("figure", 12, "interpolations between lightings", LIGHT),
        Item("figure", 13, "random lightings", LIGHT),
        Item("figure", 14, "lighting against a model with data augmentation", fill=figure_14),
        Item("figure", 15, "lighting against an adversarially trained model", fill=figure_15),
        Item("figure", 16, "lighting at the full radius", fill=figure_16),
        Item("figure", 17, "certified pixels over the radius, multi-illumination", fill=figure_17),
    ),
)
