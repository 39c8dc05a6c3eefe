"""The kinds of runs that attack or certify a classifier in any set."""

from typing import Any

from explorer.models.classifiers import KIND
from explorer.studies.attack import attack_table, cross_table, curve_table, search_problems
from explorer.studies.certify import certify_problems, certify_table
from explorer.studies.classifiers import OpenedClassifier, open_classifier

from .measuring import first_few, follow_tables, kind_problems
from .task import Task

SAMPLE_IMAGES = 4


def measure_attack(task: Task) -> None:
    """How many images an attack fools; what is counted so far is a table after each batch."""
    follow_tables(task, _opened(task), "attack", attack_table)


def measure_curve(task: Task) -> None:
    """How many survive at each radius; as above."""
    follow_tables(task, _opened(task), "curve", curve_table)


def measure_cross_sets(task: Task) -> None:
    """Several classifiers in several sets; a table after each cell."""
    follow_tables(task, _opened(task), "cross", lambda *given: cross_table(*given, root=task.inputs.root))


def measure_certified(task: Task) -> None:
    """Certified accuracies for several standard deviations of the noise; a table after each batch."""
    follow_tables(task, _opened(task), "certified", certify_table)


def attack_run_problems(inputs: Any, settings: Any) -> list[str]:
    return search_problems(settings) + kind_problems(inputs, KIND)


def certify_run_problems(inputs: Any, settings: Any) -> list[str]:
    return certify_problems(settings) + kind_problems(inputs, KIND)


def few_attacked(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few test images."""
    return first_few(settings, len(open_classifier(inputs.checkpoint, "cpu", inputs.root).images), SAMPLE_IMAGES)


def _opened(task: Task) -> OpenedClassifier:
    return open_classifier(task.inputs.checkpoint, task.device, task.inputs.root)
