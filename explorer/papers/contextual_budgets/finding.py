"""Which of the results at hand stands in a row, and what keeps it from being a reproduction."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from explorer.measuring import plain
from explorer.options import option_text
from explorer.papers.results import Results, as_usual, own_place

from .experiments import EXPERIMENTS
from .measured import SETTINGS, Table, VolumeTable

COMPACT_ENDING = "-compact"
NAMED = ("dataset", "classifier", "widths", "hidden_units", "budgets", "rank", "volume", "alpha", "alpha_bar", "epochs", "growth", "smoothed")  # by the paper
WITHOUT_MEANING = {"uniform": ("rank", "alpha", "alpha_bar")}  # fields that say nothing about such a training
Found = tuple[Table, Path]


def best(kind: str, results: Results, name: str, volume: float | None = None, *, digest: str | None = None, prefers_generator: bool = False) -> Found | None:
    """The measurement of an experiment at a volume: the experiment itself before its compact variant, all images before a part, few
    differences before many, small seeds before large, then the newest. `digest` asks for that very file."""

    def order(found: Found) -> tuple:
        table, _ = found
        lacks = prefers_generator and not table.settings.get("generator")
        return lacks, table.checkpoint != name, table.images != table.available, len(differences(table, name)), table.training.get("seed", 0)

    known = [(table, path) for table, path in results.of(kind) if table.checkpoint in (name, name + COMPACT_ENDING) and digest in (None, table.digest)]
    at = [each for each in known if volume is None or abs(each[0].volume - volume) < 1e-6]
    return min(at, key=order, default=None)


def others(kind: str, results: Results, belongs: Callable[[Table], bool]) -> list[Found]:
    """What the paper does not have: other experiments, and the further seeds of its own; each checkpoint file once at each volume."""
    rows, seen = [], set()
    for table, path in sorted((each for each in results.of(kind) if belongs(each[0])), key=lambda each: (each[0].checkpoint, each[0].training.get("seed", 0), each[0].volume)):
        name, key = experiment_of(table), (table.digest, round(table.volume, 6))
        published = name in EXPERIMENTS and EXPERIMENTS[name].published == EXPERIMENTS[name].config
        first = published and (shown := best(kind, results, name)) is not None and shown[0].digest == table.digest
        if key not in seen and not first:
            rows.append((table, path))
        seen.add(key)
    return rows


def experiment_of(table: Table) -> str:
    """The experiment's name, of a compact variant the whole one's."""
    return table.checkpoint.removesuffix(COMPACT_ENDING)


def training_differences(training: dict, name: str) -> tuple[str, ...]:
    """Field by field, how a training differs from the experiment's: what the paper names, and what is ours in its place."""
    if not training:
        return ("training unknown",)
    wanted = json.loads(json.dumps(asdict(EXPERIMENTS[name].config))) if name in EXPERIMENTS else training
    skipped = ("seed", *WITHOUT_MEANING.get(wanted.get("budgets"), ()))
    return tuple(
        f"{key} {option_text(training[key])[:60] if key in training else 'not recorded'} ({'paper' if key in NAMED else 'experiment'} {option_text(value)[:60]})"
        for key, value in wanted.items()
        if key not in skipped and training.get(key, _absent) != value
    )


def differences(table: Table, name: str) -> tuple[str, ...]:
    """What keeps a measured row from being a reproduction: the training, and the measurement."""
    parts = [] if table.images == table.available else [f"first {table.images} of {table.available} test images"]
    dataset = EXPERIMENTS[name].config.dataset if name in EXPERIMENTS else table.dataset
    if table.dataset != dataset:
        parts.append(f"measured on {table.dataset[:40]}")
    if isinstance(table, VolumeTable) and table.settings["method"] != "ibp":
        parts.append(f"Liu et al. with {table.settings['method']} bounds")
    if name not in EXPERIMENTS or EXPERIMENTS[name].published != EXPERIMENTS[name].config:
        parts.insert(0, "the paper has no such model")
    return (*training_differences(table.training, name), *parts)


def where(table: Table) -> str:
    return f"{table.images:,} test images of {table.dataset[:40]}, training seed {table.training.get('seed', '?')}, {table.device[:60]}, revision {table.revision[:20]}"


def own_path(kind: str, table: Table) -> Path:
    """The usual place, or one of its own: `own_place`. The volume of the training is the usual one, said or unsaid."""
    own = table.training.get("volume")
    said = [name for name, value in (("volume", own), ("targets", [own])) if table.settings.get(name) == value]
    usual = table.images == table.available and as_usual(table, plain(SETTINGS[kind]()), *said)
    return own_place(kind.removeprefix("contextual_budgets."), table, usual)


_absent = object()
