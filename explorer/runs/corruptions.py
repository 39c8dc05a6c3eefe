"""The kind of runs that measure classifiers under common corruptions."""

from typing import Any

from explorer.models.classifiers import KIND
from explorer.studies.classifiers import open_classifier
from explorer.studies.corruptions import error_problems, error_table

from .measuring import first_few, follow_tables, kind_problems
from .task import Task

SAMPLE_IMAGES = 8


def measure_errors(task: Task) -> None:
    """Errors under each corruption at each severity; what is counted so far is a table after each batch of images."""
    opened = open_classifier(task.inputs.checkpoint, task.device, task.inputs.root)
    follow_tables(task, opened, "corruption_errors", error_table)


def error_run_problems(inputs: Any, settings: Any) -> list[str]:
    return error_problems(settings) + kind_problems(inputs, KIND)


def few_corrupted(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few test images."""
    return first_few(settings, len(open_classifier(inputs.checkpoint, "cpu", inputs.root).images), SAMPLE_IMAGES)
