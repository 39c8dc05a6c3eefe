"""The kinds of runs that attack or certify a classifier in any set."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from explorer.checkpoints import describe
from explorer.errors import CheckpointError
from explorer.models.classifiers import KIND
from explorer.studies.attack import attack_table, cross_table, curve_table, search_problems
from explorer.studies.certify import certify_problems, certify_table
from explorer.studies.classifiers import open_classifier

from .task import Task

SAMPLE_IMAGES = 4


def measure_attack(task: Task) -> None:
    """How many images an attack fools; what is counted so far is a table after each batch."""
    _follow(task, "attack", attack_table)


def measure_curve(task: Task) -> None:
    """How many survive at each radius; as above."""
    _follow(task, "curve", curve_table)


def measure_cross_sets(task: Task) -> None:
    """Several classifiers in several sets; a table after each cell."""
    _follow(task, "cross", lambda *given: cross_table(*given, root=task.inputs.root))


def measure_certified(task: Task) -> None:
    """Certified accuracies for several standard deviations of the noise; a table after each batch."""
    _follow(task, "certified", certify_table)


def attack_run_problems(inputs: Any, settings: Any) -> list[str]:
    return search_problems(settings) + _classifier_problems(inputs)


def certify_run_problems(inputs: Any, settings: Any) -> list[str]:
    return certify_problems(settings) + _classifier_problems(inputs)


def few_attacked(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few test images."""
    available = len(open_classifier(inputs.checkpoint, "cpu", inputs.root).images)
    wanted = min(settings.limit or available, available)
    few = min(SAMPLE_IMAGES, wanted)
    return replace(settings, limit=few, batch_size=few), wanted / few


def _follow(task: Task, name: str, measure: Callable[..., Iterator[Any]]) -> None:
    opened = open_classifier(task.inputs.checkpoint, task.device, task.inputs.root)
    for table in measure(opened, task.inputs.digest, task.parameters, task.batches, task.progress):
        task.table(name, asdict(table))


def _classifier_problems(inputs: Any) -> list[str]:
    try:
        header = describe(inputs.checkpoint)
    except CheckpointError as error:
        return [str(error)]
    return [] if header.kind == KIND else [f"{Path(inputs.checkpoint).name} holds a {header.kind!r}, expected a {KIND!r}"]
