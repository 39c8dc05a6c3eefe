"""Which of the results at hand stands in a row, and what keeps it from being a reproduction."""

from collections.abc import Callable
from pathlib import Path

from explorer.measuring import Measured, plain
from explorer.options import option_text
from explorer.papers.results import Results, as_usual, own_place

from .config import AugmentedConfig
from .experiments import EXPERIMENTS
from .measured import ATTACKS_KIND, AttackTable, CorruptionSettings, CorruptionTable, Table, papers_attacks

NAMED = ("dataset", "classifier", "stem", "widths", "depths", "bottleneck", "radius", "steps", "ssim_limit", "weight_step", "epochs", "batch_size", "learning_rate", "warm_up", "momentum", "weight_decay")  # by the paper
SILENT = ("seed", "nano_batch", "snapshots")  # about what was trained
Found = tuple[Table, Path]


def best(kind: str, results: Results, name: str, fits: Callable[[Table], bool] = lambda table: True) -> Found | None:
    """The measurement of an experiment: all images before a part, few differences before many, small seeds before large, then the newest."""
    known = [(table, path) for table, path in results.of(kind) if table.checkpoint == name and fits(table)]
    return min(known, key=lambda found: (found[0].images != found[0].available, len(differences(found[0], name)), found[0].training.get("seed", 0)), default=None)


def others(kind: str, results: Results) -> list[Found]:
    """All measurements of trainings that the paper does not have, by name, seed and what was done of them."""
    found = [(table, path) for table, path in results.of(kind) if not is_papers(table.checkpoint)]
    return sorted(found, key=lambda each: (each[0].dataset, each[0].checkpoint, each[0].training.get("seed", 0), getattr(each[0], "progress", 1.0)))


def is_papers(name: str) -> bool:
    """Whether the paper trains that experiment as it is here."""
    return name in EXPERIMENTS and EXPERIMENTS[name].published == EXPERIMENTS[name].config


def differences(table: Measured, name: str, swept: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What keeps a measured row from being a reproduction: the training, but for the fields that its table sweeps, and the measurement."""
    parts = [] if is_papers(name) else ["the paper has no such training"]
    wanted = plain(EXPERIMENTS[name].config) if name in EXPERIMENTS else {}
    trained = {**plain(AugmentedConfig()), **table.training}  # a field that came later was off then
    if not table.training:
        parts.append("training unknown")
    parts += [
        f"{key} {option_text(trained[key])[:60]} ({'paper' if key in NAMED else 'experiment'} {option_text(value)[:60]})"
        for key, value in wanted.items()
        if table.training and key not in (*SILENT, *swept) and trained[key] != value
    ]
    if table.images != table.available:
        parts.append(f"first {table.images} of {table.available} test images")
    if isinstance(table, CorruptionTable) and table.settings.get("source") != "published":
        parts.append("corruptions made here, not the published files")
    if isinstance(table, AttackTable):
        usual = plain(papers_attacks(table.dataset))
        parts += [f"{key} of the attacks {option_text(table.settings[key])} (paper {'its own' if usual[key] is None else option_text(usual[key])})" for key in ("attacks", "steps", "restarts") if table.settings.get(key) != usual[key]]
    return tuple(parts)


def where(table: Table) -> str:
    """How it was measured, in words."""
    what = "corruptions, " + ("CIFAR-10-C" if table.settings.get("source") == "published" else "made here") if isinstance(table, CorruptionTable) else f"attacks {', '.join(table.settings.get('attacks', ()))}"
    return f"{table.images:,} test images of {table.dataset[:40]}, {what}, training seed {table.training.get('seed', '?')}, {table.device[:60]}, revision {table.revision[:20]}"


def own_path(kind: str, table: Table) -> Path:
    """The usual place, or one of its own: `own_place`."""
    usual = papers_attacks(table.dataset) if kind == ATTACKS_KIND else CorruptionSettings()
    whole = table.images == table.available and getattr(table, "progress", 1.0) == 1
    return own_place(kind.rsplit(".", 1)[1], table, whole and as_usual(table, plain(usual)))
