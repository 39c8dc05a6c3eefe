"""The functions of the kinds: each takes a Task and calls the part of the package that does the work."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from explorer.figures import pixels, tile, to_png, upscale
from explorer.papers import EXPERIMENTS
from explorer.papers.base import Place
from explorer.papers.learned_sets import KIND as LEARNED_SET
from explorer.papers.learned_sets import LearnedSet, open_learned_set
from explorer.papers.learned_sets.extremes import COLUMNS, ExtremesSettings, contact_sheet, extremes, worst_pairs
from explorer.papers.learned_sets.extremes import problems as settings_problems
from explorer.papers.learned_sets.quality import QualitySettings, quality
from explorer.papers.learned_sets.tables import KIND
from explorer.training import Samples

from .measuring import first_few, follow, kind_problems
from .task import Task

SAMPLE_PAIRS, SHEET_COLUMNS = 4, 5


def measure_quality(task: Task) -> None:
    """Table 4's metrics over the test split; what is measured so far is a table after each batch, the whole a results file."""
    follow(task, _learned(task), KIND, "quality", quality)


def find_extremes(task: Task) -> None:
    """The closest and the farthest member for every pair, and pictures of the pairs with the largest errors."""
    learned, settings = _learned(task), task.parameters
    count, columns = min(settings.limit or len(learned.pairs), len(learned.pairs)), {}
    for columns in task.over_examples(count, settings.batch_size, extremes(learned, settings, task.progress)):
        task.table("pairs", {name: columns[name].tolist() for name in COLUMNS})
    task.arrays("pairs", columns)
    task.progress.advance(count, count, "drawing the pairs with the largest errors")
    for name in ("closest_error", "farthest_error"):
        worst = worst_pairs(columns, name)
        task.picture(f"largest_{name}", contact_sheet(learned, settings, worst, task.progress))
        task.table(f"largest_{name}", {"pairs": worst})


def train_experiment(task: Task) -> None:
    """Any experiment, with its history and a strip of samples after each epoch."""
    experiment, name = EXPERIMENTS[task.inputs.experiment], task.inputs.experiment
    root = Path(task.inputs.root) if task.inputs.root else None
    place = Place(task.output, task.device, root, resume=True)
    path = experiment.train(name, task.parameters, place, _Sampling(task))
    task.table("checkpoint", {"path": str(path.relative_to(task.folder)), "history": json.loads((task.output / "history.json").read_text())})


class _Sampling:
    """The task's Progress; samples that a training hands over become pictures."""

    def __init__(self, task: Task):
        self._task, self._progress = task, task.progress

    @property
    def cancelled(self) -> bool:
        return self._progress.cancelled

    def advance(self, done: int, total: int, note: str = "") -> None:
        self._progress.advance(done, total, note)

    def partial(self, result: Any) -> None:
        if isinstance(result, Samples):
            self._task.picture(f"epoch-{result.epoch:04d}", to_png(upscale(tile(pixels(result.images), SHEET_COLUMNS), 2)))


def quality_problems(inputs: Any, settings: QualitySettings) -> list[str]:
    same = ExtremesSettings(settings.distance, settings.radius, settings.limit, settings.steps, settings.seed, settings.batch_size)
    return extremes_problems(inputs, same)


def extremes_problems(inputs: Any, settings: ExtremesSettings) -> list[str]:
    return settings_problems(settings) + kind_problems(inputs, LEARNED_SET)


def training_problems(inputs: Any, config: Any) -> list[str]:
    return EXPERIMENTS[inputs.experiment].problems(config)


def few_pairs(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few pairs of the split."""
    return first_few(settings, len(open_learned_set(inputs.checkpoint, "cpu", inputs.root).pairs), SAMPLE_PAIRS)


def few_steps(inputs: Any, config: Any) -> tuple[Any, float]:
    """One epoch of one batch; of a training on bounds one at the whole radius, as a step at radius 0 costs a third, and of one under attack an attacked one."""
    steps = EXPERIMENTS[inputs.experiment].steps(config, Path(inputs.root) if inputs.root else None)
    whole = {"ramp": ((0.0, 1.0),)} if hasattr(config, "ramp") else {"standard_epochs": 0.0} if hasattr(config, "standard_epochs") else {}
    small = replace(config, epochs=1, limit=config.batch_size, **whole)
    return small, steps / EXPERIMENTS[inputs.experiment].steps(small, Path(inputs.root) if inputs.root else None)


def _learned(task: Task) -> LearnedSet:
    return open_learned_set(task.inputs.checkpoint, task.device, task.inputs.root)
