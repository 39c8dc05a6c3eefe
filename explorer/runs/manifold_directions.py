"""The kinds of runs on attacks off and on the manifold: accuracies under them, and spectra of what they make of the test images."""

from dataclasses import replace
from typing import Any

from explorer.errors import ExplorerError
from explorer.papers.manifold_directions import KIND, OpenedDirections, open_directions, open_vae
from explorer.papers.manifold_directions.evaluation import accuracy_table, spectra_table
from explorer.papers.manifold_directions.measured import ACCURACIES_KIND, SPECTRA_KIND, settings_problems

from .measuring import follow, kind_problems
from .task import Task

SAMPLE_IMAGES = 40  # of spectra at least two of every class


def measure_accuracies(task: Task) -> None:
    """Clean and attacked accuracies; what is measured so far is a table after each batch, the whole a results file."""
    follow(task, _opened(task), ACCURACIES_KIND, "accuracies", accuracy_table)


def measure_spectra(task: Task) -> None:
    """Eigenvalues of the classes before and after an attack, and where its energy goes; as above."""
    follow(task, _opened(task), SPECTRA_KIND, "spectra", spectra_table)


def direction_run_problems(inputs: Any, settings: Any) -> list[str]:
    """All that is wrong with a specification of either kind."""
    found = settings_problems(settings)
    if wrong := kind_problems(inputs, KIND):
        return found + wrong
    if settings.vae is not None:
        try:
            open_vae(settings.vae)
        except ExplorerError as error:
            found.append(f"vae: {error}")
    return found


def few_images_of_all_classes(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first images, of spectra so many that every class has two."""
    opened = open_directions(inputs.checkpoint, "cpu", inputs.root, settings.vae)
    count, labels = min(settings.limit or len(opened.images), len(opened.images)), opened.images.labels
    few = SAMPLE_IMAGES
    while few < count and any(int((labels[:few] == label).sum()) < 2 for label in range(len(opened.images.class_names))):
        few *= 2
    few = min(few, count)
    return replace(settings, limit=few, batch_size=min(settings.batch_size, few)), count / few


def _opened(task: Task) -> OpenedDirections:
    return open_directions(task.inputs.checkpoint, task.device, task.inputs.root, task.parameters.vae)
