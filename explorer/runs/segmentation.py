"""The kinds of runs on segmenters: accuracy over pixels under adversarial lights, and certified pixels."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from explorer.checkpoints import describe
from explorer.errors import CheckpointError, ExplorerError
from explorer.models.segmentation import SEGMENTER
from explorer.papers import save_result
from explorer.papers.learned_sets.segmentation_evaluation import certified_table, robust_table
from explorer.papers.learned_sets.segmentation_measured import CERTIFIED_KIND, ROBUST_KIND, settings_problems
from explorer.papers.learned_sets.segmentation_opening import lighting_of, open_segmenter
from explorer.papers.learned_sets.segmentation_training import picture_count

from .task import RESULTS, Task

SAMPLE_PICTURES = 2


def measure_robust(task: Task) -> None:
    """Accuracies at the radii of a learned set; what is measured so far is a table after each batch, the whole a results file."""
    _follow(task, ROBUST_KIND, "segmentation", robust_table)


def measure_certified_pixels(task: Task) -> None:
    """Certified shares over the radius; as above."""
    _follow(task, CERTIFIED_KIND, "certified_segmentation", certified_table)


def segmentation_run_problems(inputs: Any, settings: Any) -> list[str]:
    """All that is wrong with a specification of either kind."""
    found = settings_problems(settings)
    try:
        header = describe(inputs.checkpoint)
    except CheckpointError as error:
        return [*found, str(error)]
    if header.kind != SEGMENTER:
        return [*found, f"{Path(inputs.checkpoint).name} holds a {header.kind!r}, expected a {SEGMENTER!r}"]
    try:
        lighting_of(open_segmenter(inputs.checkpoint, "cpu", inputs.root), settings.learned_set)
    except ExplorerError as error:
        found.append(str(error))
    return found


def few_pictures(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first pictures."""
    available = picture_count(open_segmenter(inputs.checkpoint, "cpu", inputs.root).pairs)
    wanted = min(settings.limit or available, available)
    few = min(SAMPLE_PICTURES, wanted)
    return replace(settings, limit=few, batch_size=min(settings.batch_size, few)), wanted / few


def _follow(task: Task, kind: str, name: str, measure: Callable[..., Any]) -> None:
    table, opened = None, open_segmenter(task.inputs.checkpoint, task.device, task.inputs.root)
    for table in measure(opened, task.inputs.digest, task.parameters, task.batches, task.progress):
        task.table(name, asdict(table))
    save_result(kind, table, task.folder / RESULTS / "measured.json")
