"""Table 1 and Figures 1 to 4 of proVAE, and what is measured of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from explorer.configuration import from_mapping
from explorer.options import option_text
from explorer.measuring import plain
from explorer.papers.base import Filled, Item, Paper, Row
from explorer.papers.results import Results, as_usual, own_place

from .config import CertifiedVaeConfig
from .evaluation import ATTACK_KIND, CURVE, ELBO_KIND, HEADINGS, AttackSettings, AttackTable, ElboSettings, ElboTable
from .experiments import COMPACT_ENDING, EXPERIMENTS, RADII

Measured = ElboTable | AttackTable
TABLES: dict[str, type] = {ELBO_KIND: ElboTable, ATTACK_KIND: AttackTable}  # kinds of results files and what they hold
SETTINGS = {ELBO_KIND: ElboSettings, ATTACK_KIND: AttackSettings}
DATASETS = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
UNITS = {"mnist": 3136, "cifar10": 4096}  # §4, of the fully connected layer: what `hidden_units` none stands for
PAPER = {  # Table 1: train bound, test bound, test ELBO
    "mnist": ((-28.54, -28.36, -28.36), (-36.44, -36.06, -32.35), (-39.69, -39.21, -33.97), (-44.79, -44.39, -36.78), (-54.49, -54.49, -43.41)),
    "cifar10": ((-76.08, -76.13, -76.13), (-111.26, -111.55, -92.74), (-132.12, -132.14, -97.39), (-193.93, -193.91, -105.17), (-296.52, -296.52, -138.55)),
}
FIGURE_2 = {0.0: (-28.28, -113.97), 0.01: (-31.10, -59.08), 0.1: (-41.31, -50.06)}  # its caption: unperturbed, attacked at 0.1
SHOWN = {"figure-1": {"mnist": (0.0, 0.01, 0.1)}, "figure-4": {"mnist": RADII, "cifar10": RADII}}  # models of the pictures
NAMED = ("dataset", "radius", "clip", "latent_dim", "widths", "hidden_units")  # by the paper; it names no optimiser, epochs or schedule
SAMPLED = "one sample of the noise for each image, σ0² = ½"


def table_1(results: Results) -> Filled:
    """Bound and ELBO of every model; models of other data, which the paper does not have, below."""
    rows = []
    for dataset, numbers in PAPER.items():
        for radius, paper in zip(RADII, numbers):
            name = f"provae-{dataset}-{radius:g}"
            row = Row(f"{DATASETS[dataset]}, ε {radius:g}", (*paper, None, None), command=_command(name))
            rows.append(_elbo_row(row, name, _best(ELBO_KIND, name, results)))
    others = {table.checkpoint for table, _ in results.of(ELBO_KIND)} - {name + ending for name in _names() for ending in ("", COMPACT_ENDING)}
    rows += [_elbo_row(Row(name, (None,) * 5, own=True), name, _best(ELBO_KIND, name, results)) for name in sorted(others)]
    note = f"Nats; {SAMPLED}. The paper's box leaves [0, 1]; the last two columns cut it there, which the paper does not have."
    return Filled(HEADINGS, tuple(rows), note)


def figure_2(results: Results) -> Filled:
    """The ELBOs in its caption. Which images they are of is not said; ours are means over test images."""
    rows = []
    for radius, paper in FIGURE_2.items():
        name = f"provae-mnist-{radius:g}"
        row = Row("VAE" if not radius else f"proVAE, ε {radius:g}", paper, command=_command(name, "--attack"))
        rows.append(_attack_row(row, name, _best(ATTACK_KIND, name, results), (0.0, 0.1)))
    return Filled(("ELBO, unperturbed", "ELBO, attacked at 0.1"), tuple(rows), f"Nats; {SAMPLED}. The attack found: an upper bound of the worst case.")


def figure_3(results: Results) -> Filled:
    """ELBO under attack over its radius, which the paper draws without numbers; models of other data below."""
    rows = []
    for dataset in PAPER:
        for radius in RADII:
            name = f"provae-{dataset}-{radius:g}"
            row = Row(f"{DATASETS[dataset]}, ε {radius:g}", (), command=_command(name, "--attack"))
            rows.append(_attack_row(row, name, _best(ATTACK_KIND, name, results), CURVE))
    others = {table.checkpoint for table, _ in results.of(ATTACK_KIND)} - {name + ending for name in _names() for ending in ("", COMPACT_ENDING)}
    rows += [_attack_row(Row(name, (), own=True), name, _best(ATTACK_KIND, name, results), CURVE) for name in sorted(others)]
    return Filled(tuple(f"{radius:g}" for radius in CURVE), tuple(rows), f"Nats at ε_attack; {SAMPLED}. The attack found: an upper bound of the worst case.")


def pictures(key: str, results: Results) -> Filled:
    """Figures 1 and 4 are drawn where their checkpoints are; the numbers are the radii that these were trained at."""
    rows = []
    for dataset, radii in SHOWN[key].items():
        for radius in radii:
            name = f"provae-{dataset}-{radius:g}"
            row = Row(f"{DATASETS[dataset]}, ε {radius:g}", (radius,), command=f"python -m explorer.train {name}", missing="no checkpoint of it is here yet")
            if path := closest_checkpoint(name, results):
                header = next(header for each, header in results.checkpoints if each == path)
                row = replace(
                    row, measured=(float(header.radius),), differences=training_differences(header.training, name), source=path.name,
                    variant="" if header.name == name else header.name,
                )  # fmt: skip
            rows.append(row)
    return Filled(("ε_train",), tuple(rows))


def closest_checkpoint(name: str, results: Results) -> Path | None:
    """The checkpoint of an experiment, or else of its compact variant, that is closest to the paper's settings."""
    found = [(path, header) for path, header in results.checkpoints if header.name in (name, name + COMPACT_ENDING)]
    best = min(found, key=lambda each: (each[1].name != name, len(training_differences(each[1].training, name))), default=None)
    return best and best[0]


def training_differences(training: dict, name: str) -> tuple[str, ...]:
    """Field by field, how a training differs from the experiment's: what the paper names, and what is ours in its place."""
    if not training:
        return ("training unknown",)
    wanted = json.loads(json.dumps(asdict(EXPERIMENTS[name].config))) if name in EXPERIMENTS else training
    units = {"hidden_units": UNITS.get(wanted["dataset"])} if "dataset" in wanted else {}
    return tuple(
        f"{key} {option_text(training[key])[:60] if key in training else 'not recorded'} "
        f"({'paper' if key in NAMED else 'experiment'} {option_text(units.get(key) or value)[:60]})"
        for key, value in wanted.items()
        if key != "seed" and training.get(key, _absent) != value
    )


def differences(table: Measured, name: str) -> tuple[str, ...]:
    """What keeps a measured row from being a reproduction: the training, and the measurement."""
    config, parts = EXPERIMENTS[name].config if name in EXPERIMENTS else CertifiedVaeConfig(dataset=table.dataset), []
    splits = zip(("train", "test"), table.images, table.available) if isinstance(table, ElboTable) else (("test", table.images, table.available),)
    parts += [f"first {some} of {of} {split} images" for split, some, of in splits if some < of]
    if table.dataset != config.dataset:
        parts.append(f"measured on {table.dataset[:40]}")
    if isinstance(table, ElboTable) and table.settings.get("radius") is not None:
        parts.append(f"radius {table.radius:g} chosen by hand")
    if abs(table.settings["sigma0"] ** 2 - 0.5) > 1e-9:
        parts.append(f"σ0² = {table.settings['sigma0'] ** 2:g} (paper ½)")
    if table.settings.get("clip"):
        parts.append("box cut to [0, 1]")
    if name not in _names():
        parts.insert(0, "the paper has no such model")
    return (*training_differences(table.training, name), *parts)


def own_path(kind: str, table: Measured) -> Path:
    """The usual place, or one of its own: `own_place`."""
    usual = table.images == table.available and as_usual(table, plain(SETTINGS[kind]()))
    return own_place(kind.removeprefix("certified_vae."), table, usual)


def _elbo_row(row: Row, name: str, found: tuple[ElboTable, Path] | None) -> Row:
    if found is None:
        return row
    table, path = found
    counts = " and ".join(f"{count:,} {split}" for split, count in zip(("train", "test"), table.images))
    return replace(
        row, measured=table.means, standard_errors=table.standard_errors, differences=differences(table, name), variant=_variant(table, name),
        source=f"{path.name}: {counts} images of {table.dataset[:40]}, radius {table.radius:g}, seed {table.settings['seed']}, {_where(table)}",
    )  # fmt: skip


def _attack_row(row: Row, name: str, found: tuple[AttackTable, Path] | None, radii: Sequence[float]) -> Row:
    if found is None:
        return row
    (table, path), settings = found, from_mapping(AttackSettings, found[0].settings, "settings")
    measured, errors = (dict(zip(table.radii, values)) for values in (table.attacked, table.attacked_errors))
    search = f"PGD with {settings.steps} steps of a tenth of the radius from the image, {settings.restarts - 1} from random points"
    return replace(
        row, measured=tuple(measured.get(radius) for radius in radii), standard_errors=tuple(errors.get(radius) for radius in radii),
        differences=differences(table, name), variant=_variant(table, name),
        source=f"{path.name}: {table.images:,} test images of {table.dataset[:40]}, {search}, seed {settings.seed}, {_where(table)}",
    )  # fmt: skip


def _best(kind: str, name: str, results: Results) -> tuple[Measured, Path] | None:
    """The experiment itself before its compact variant, all images before a part, few differences before many, then the newest."""

    def order(found: tuple[Measured, Path]) -> tuple[bool, bool, int]:
        table, _ = found
        return table.checkpoint != name, table.images != table.available, len(differences(table, name))

    known = [each for each in results.of(kind) if each[0].checkpoint in (name, name + COMPACT_ENDING)]
    whole = [each for each in known if kind == ATTACK_KIND or None not in each[0].means]
    return min(whole, key=order, default=None)


def _names() -> list[str]:
    return [f"provae-{dataset}-{radius:g}" for dataset in PAPER for radius in RADII]


def _variant(table: Measured, name: str) -> str:
    return table.checkpoint if table.checkpoint != name else ""


def _where(table: Measured) -> str:
    return f"{table.device[:60]}, revision {table.revision[:20]}"


def _command(name: str, option: str = "") -> str:
    return f"python -m explorer.train {name} && python -m explorer.evaluate runs/{name}/{name}.safetensors {option}".rstrip()


_absent = object()

CERTIFIED_VAE = Paper(
    "proVAE",
    "Filipe Condessa and J. Zico Kolter. Provably robust deep generative models. 2020.",
    (
        Item("table", 1, "ELBO and its lower bound over the training radius, MNIST and CIFAR-10", fill=table_1),
        Item("figure", 1, "adversarial examples on MNIST", fill=lambda results: pictures("figure-1", results)),
        Item("figure", 2, "reconstructions of clean and of attacked images", fill=figure_2),
        Item("figure", 3, "ELBO under attack over the attack's radius", fill=figure_3),
        Item("figure", 4, "samples of robust models", fill=lambda results: pictures("figure-4", results)),
    ),
)
