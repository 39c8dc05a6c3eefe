"""Which of the results at hand stands in a row, and what keeps it from being a reproduction."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from explorer.measuring import plain
from explorer.options import option_text
from explorer.papers.results import Results, as_usual, own_place

from .accuracy import PAPER_STRENGTH
from .experiments import EXPERIMENTS
from .measured import SETTINGS, AccuracyTable, SpectraTable, Table

COMPACT_ENDING = "-compact"
NAMED = ("dataset", "classifier", "radius", "steps", "latent_radius", "epochs", "standard_epochs", "batch_size", "learning_rate", "weight_decay")  # by the paper
ADDED_LATER = ("stem", "depths", "percentile")  # none in trainings before they existed
OF_PIXELS = ("radius", "radius_l2", "radius_l1", "steps", "step_size", "start")
OF_LATENTS = ("vae", "learned_set", "latent_radius", "percentile", "latent_steps", "latent_step_size")
Found = tuple[Table, Path]


def best(kind: str, results: Results, name: str, attack: str | None = None) -> Found | None:
    """The measurement of an experiment: all images before a part, few differences before many, small seeds before large, then the newest."""

    def order(found: Found) -> tuple:
        table, _ = found
        return table.images != table.available, len(differences(table, name)), table.training.get("seed", 0)

    known = [(table, path) for table, path in results.of(kind) if table.checkpoint == name and (attack is None or table.attack == attack)]
    return min(known, key=order, default=None)


def others(kind: str, results: Results, belongs: Callable[[Table], bool]) -> list[Found]:
    """The best measurement of each experiment that the paper does not have, by name."""
    names = sorted({table.checkpoint for table, _ in results.of(kind) if belongs(table) and not is_papers(table.checkpoint)})
    return [best(kind, results, name) for name in names]


def is_papers(name: str) -> bool:
    """Whether the paper trains that experiment as it is here."""
    return name in EXPERIMENTS and EXPERIMENTS[name].published == EXPERIMENTS[name].config


def differences(table: Table, name: str) -> tuple[str, ...]:
    """What keeps a measured row from being a reproduction: the training, and the measurement."""
    parts = [] if is_papers(name) else ["the paper has no such model"]
    parts += training_differences(table.training, name)
    if table.images != table.available:
        parts.append(f"first {table.images} of {table.available} test images")
    if name in EXPERIMENTS and table.dataset != EXPERIMENTS[name].config.dataset:
        parts.append(f"measured on {table.dataset[:40]}")
    paper = asdict(PAPER_STRENGTH.get(table.dataset, PAPER_STRENGTH["mnist"]))
    parts += [f"attack's {key} {table.strength[key]:g} (paper {value:g})" for key, value in paper.items() if table.strength[key] != value and key != "radius_l1"]
    if table.vae and table.vae != f"class-cvae-{table.dataset}":
        parts.append(f"manifold of {table.vae[:40]}")
    return tuple(parts)


def training_differences(training: dict, name: str) -> list[str]:
    """Field by field, how a training differs from the experiment's; fields that say nothing about it are left out."""
    if not training:
        return ["training unknown"]
    wanted = plain(EXPERIMENTS[name].config) if name in EXPERIMENTS else training
    sources = set(training.get("sources", ()))
    skipped = {"seed", *(() if sources & {"linf", "l2", "l1"} else OF_PIXELS), *(() if sources & {"manifold", "samples", "learned", "smoothed"} else OF_LATENTS)}
    skipped |= {"standard_epochs", "mixing"} if sources == {"clean"} else set()
    return [
        f"{key} {option_text(training[key])[:60] if key in training else 'not recorded'} ({'paper' if key in NAMED else 'experiment'} {option_text(value)[:60]})"
        for key, value in wanted.items()
        if key not in skipped and training.get(key, None if key in ADDED_LATER else _absent) != value
    ]


def where(table: Table) -> str:
    """How it was measured, in words."""
    strength = f"ℓ∞ {table.strength['radius']:.4g}, latents ± {table.strength['latent_radius']:g}, {table.strength['steps']} steps of PGD"
    vae = f", manifold of {table.vae[:40]}" if table.vae else ""
    what = f", attack {table.attack}" if isinstance(table, SpectraTable) else f", ℓ1 {table.strength['radius_l1']:.4g}"
    return f"{table.images:,} test images of {table.dataset[:40]}, {strength}{what}{vae}, training seed {table.training.get('seed', '?')}, {table.device[:60]}, revision {table.revision[:20]}"


def own_path(kind: str, table: Table) -> Path:
    """The usual place, or one of its own: `own_place`."""
    own = isinstance(table, AccuracyTable) or table.attack == ("vae" if table.training.get("sources") == ["manifold"] else "pgd")
    usual = own and table.images == table.available and as_usual(table, plain(SETTINGS[kind]()), "attack")
    return own_place(kind.removeprefix("manifold_directions."), table, usual)


_absent = object()
