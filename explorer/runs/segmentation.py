"""The kinds of runs on segmenters: accuracy over pixels under adversarial lights, and certified pixels."""

from typing import Any

from explorer.errors import ExplorerError
from explorer.models.segmentation import SEGMENTER
from explorer.papers.learned_sets.segmentation_evaluation import certified_table, robust_table
from explorer.papers.learned_sets.segmentation_measured import CERTIFIED_KIND, ROBUST_KIND, settings_problems
from explorer.papers.learned_sets.segmentation_opening import lighting_of, open_segmenter
from explorer.papers.learned_sets.segmentation_training import picture_count

from .measuring import first_few, follow, kind_problems
from .task import Task

SAMPLE_PICTURES = 2


def measure_robust(task: Task) -> None:
    """Accuracies at the radii of a learned set; what is measured so far is a table after each batch, the whole a results file."""
    follow(task, open_segmenter(task.inputs.checkpoint, task.device, task.inputs.root), ROBUST_KIND, "segmentation", robust_table)


def measure_certified_pixels(task: Task) -> None:
    """Certified shares over the radius; as above."""
    follow(task, open_segmenter(task.inputs.checkpoint, task.device, task.inputs.root), CERTIFIED_KIND, "certified_segmentation", certified_table)


def segmentation_run_problems(inputs: Any, settings: Any) -> list[str]:
    """All that is wrong with a specification of either kind."""
    found = settings_problems(settings)
    if wrong := kind_problems(inputs, SEGMENTER):
        return found + wrong
    try:
        lighting_of(open_segmenter(inputs.checkpoint, "cpu", inputs.root), settings.learned_set)
    except ExplorerError as error:
        found.append(str(error))
    return found


def few_pictures(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first pictures."""
    return first_few(settings, picture_count(open_segmenter(inputs.checkpoint, "cpu", inputs.root).pairs), SAMPLE_PICTURES)
