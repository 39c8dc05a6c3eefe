"""The kind of runs that measure classifiers under common corruptions."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from explorer.checkpoints import describe
from explorer.errors import CheckpointError
from explorer.models.classifiers import KIND
from explorer.studies.classifiers import open_classifier
from explorer.studies.corruptions import error_problems, error_table

from .task import Task

SAMPLE_IMAGES = 8


def measure_errors(task: Task) -> None:
    """Errors under each corruption at each severity; what is counted so far is a table after each batch of images."""
    opened = open_classifier(task.inputs.checkpoint, task.device, task.inputs.root)
    for table in error_table(opened, task.inputs.digest, task.parameters, task.batches, task.progress):
        task.table("corruption_errors", asdict(table))


def error_run_problems(inputs: Any, settings: Any) -> list[str]:
    found = error_problems(settings)
    try:
        header = describe(inputs.checkpoint)
    except CheckpointError as error:
        return [*found, str(error)]
    return found if header.kind == KIND else [*found, f"{Path(inputs.checkpoint).name} holds a {header.kind!r}, expected a {KIND!r}"]


def few_corrupted(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few test images."""
    available = len(open_classifier(inputs.checkpoint, "cpu", inputs.root).images)
    wanted = min(settings.limit or available, available)
    few = min(SAMPLE_IMAGES, wanted)
    return replace(settings, limit=few, batch_size=few), wanted / few
