"""The kinds of runs on classifiers and their budgets: errors, largest certified volumes, and what budgets follow."""

from pathlib import Path
from typing import Any

from explorer.checkpoints import describe
from explorer.errors import CheckpointError
from explorer.papers.contextual_budgets import KIND
from explorer.papers.contextual_budgets.evaluation import error_table, followed_table, volume_table
from explorer.papers.contextual_budgets.measured import ERRORS_KIND, FOLLOWED_KIND, VOLUMES_KIND, FollowedSettings, settings_problems
from explorer.papers.contextual_budgets.opening import OpenedBudgets, open_budgets
from explorer.papers.contextual_budgets.pictures import class_means_above_budgets, images_above_budgets
from explorer.types import Inner

from .measuring import first_few, follow, kind_problems
from .task import Task

SAMPLE_IMAGES = 4
GENERATED = "budgeted_classifier"


def measure_errors(task: Task) -> None:
    """Clean, attacked and verified errors at one volume; what is measured so far is a table after each batch, the whole a results file."""
    follow(task, _opened(task), ERRORS_KIND, "errors", error_table)


def measure_volumes(task: Task) -> None:
    """The largest certified volumes of Liu et al. (2019); as above."""
    follow(task, _opened(task), VOLUMES_KIND, "volumes", volume_table)


def measure_followed(task: Task) -> None:
    """Mean budgets by region, and correlations; as above. At the end pictures: images above their budgets, and the means of the classes."""
    opened = _opened(task)
    follow(task, opened, FOLLOWED_KIND, "followed", followed_table)
    settings = task.parameters
    task.picture("budgets", images_above_budgets(opened, settings.volume))
    task.picture("class_means", class_means_above_budgets(opened, settings.volume, settings.limit, Inner(task.progress)))


def budget_run_problems(inputs: Any, settings: Any) -> list[str]:
    """All that is wrong with a specification of any of the three kinds."""
    found = settings_problems(settings)
    if wrong := kind_problems(inputs, KIND):
        return found + wrong
    if isinstance(settings, FollowedSettings) and describe(inputs.checkpoint).model != GENERATED:
        found.append(f"{Path(inputs.checkpoint).name} has no generator of budgets. Choose a checkpoint of one of the experiments named budgets-….")
    if path := getattr(settings, "generator", None):
        found += _generator_problems(path)
    return found


def few_test_images(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few test images."""
    return first_few(settings, len(open_budgets(inputs.checkpoint, "cpu", inputs.root).images), SAMPLE_IMAGES)


def _opened(task: Task) -> OpenedBudgets:
    return open_budgets(task.inputs.checkpoint, task.device, task.inputs.root)


def _generator_problems(path: str) -> list[str]:
    try:
        header = describe(path)
    except CheckpointError as error:
        return [f"generator: {error}"]
    return [] if header.model == GENERATED else [f"generator = {Path(path).name}: it holds a {header.model!r}, expected a {GENERATED!r}"]
