"""The kinds of runs on attacks off and on the manifold: accuracies under them, and spectra of what they make of the test images."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from explorer.checkpoints import describe
from explorer.errors import CheckpointError, ExplorerError
from explorer.papers import save_result
from explorer.papers.manifold_directions import KIND, open_directions, open_vae
from explorer.papers.manifold_directions.evaluation import accuracy_table, spectra_table
from explorer.papers.manifold_directions.measured import ACCURACIES_KIND, SPECTRA_KIND, settings_problems

from .task import RESULTS, Task

SAMPLE_IMAGES = 40  # of spectra at least two of every class
MEASURED = f"{RESULTS}/measured.json"  # a results file, which the papers' tables read


def measure_accuracies(task: Task) -> None:
    """Clean and attacked accuracies; what is measured so far is a table after each batch, the whole a results file."""
    _follow(task, ACCURACIES_KIND, "accuracies", accuracy_table)


def measure_spectra(task: Task) -> None:
    """Eigenvalues of the classes before and after an attack, and where its energy goes; as above."""
    _follow(task, SPECTRA_KIND, "spectra", spectra_table)


def direction_run_problems(inputs: Any, settings: Any) -> list[str]:
    """All that is wrong with a specification of either kind."""
    found = settings_problems(settings)
    try:
        header = describe(inputs.checkpoint)
    except CheckpointError as error:
        return [*found, str(error)]
    if header.kind != KIND:
        return [*found, f"{Path(inputs.checkpoint).name} holds a {header.kind!r}, expected a {KIND!r}"]
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


def _follow(task: Task, kind: str, name: str, measure: Any) -> None:
    table, opened = None, open_directions(task.inputs.checkpoint, task.device, task.inputs.root, task.parameters.vae)
    for table in measure(opened, task.inputs.digest, task.parameters, task.batches, task.progress):
        task.table(name, asdict(table))
    save_result(kind, table, task.folder / MEASURED)
