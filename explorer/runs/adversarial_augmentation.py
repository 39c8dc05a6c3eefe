"""The kinds of runs on image-to-image networks whose weights are changed."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from explorer.checkpoints import describe
from explorer.errors import CheckpointError
from explorer.models.classifiers import KIND as CLASSIFIER
from explorer.papers import save_result
from explorer.papers.adversarial_augmentation.backbone_config import KIND as NETWORK
from explorer.papers.adversarial_augmentation.opening import open_backbone
from explorer.papers.adversarial_augmentation.parameter_noise import NOISE_KIND, noise_problems, noise_table
from explorer.papers.adversarial_augmentation.reconstruction import (
    RECONSTRUCTION_KIND,
    OpenedBackbone,
    reconstruction_problems,
    reconstruction_table,
    with_images,
)
from explorer.papers.adversarial_augmentation.similarity import SIMILARITY_KIND, similarity_problems, similarity_table
from explorer.studies.classifiers import open_classifier

from .manifold_directions import MEASURED
from .task import Task

SAMPLE_IMAGES = 2


def measure_similarity(task: Task) -> None:
    """SSIM of the images of the worst weights, and how the classifier bears them; a table after each batch, the whole a results file."""
    _follow(task, open_classifier(task.inputs.checkpoint, task.device, task.inputs.root), SIMILARITY_KIND, "similarity", similarity_table)


def measure_reconstruction(task: Task) -> None:
    """How well an image-to-image network imitates corruptions; as above."""
    _follow(task, _with_images(task.inputs, task.device), RECONSTRUCTION_KIND, "reconstruction", reconstruction_table)


def measure_noise(task: Task) -> None:
    """How a classifier bears random changes of its own parameters; as above."""
    _follow(task, open_classifier(task.inputs.checkpoint, task.device, task.inputs.root), NOISE_KIND, "noise", noise_table)


def noise_run_problems(inputs: Any, settings: Any) -> list[str]:
    return noise_problems(settings) + _problems_of_kind(inputs, CLASSIFIER)


def similarity_run_problems(inputs: Any, settings: Any) -> list[str]:
    return similarity_problems(settings) + _problems_of_kind(inputs, CLASSIFIER)


def reconstruction_run_problems(inputs: Any, settings: Any) -> list[str]:
    return reconstruction_problems(settings) + _problems_of_kind(inputs, NETWORK)


def few_searched(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few test images."""
    return _few(settings, len(open_classifier(inputs.checkpoint, "cpu", inputs.root).images))


def few_imitated(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few test images."""
    return _few(settings, len(_with_images(inputs, "cpu").images))


def _few(settings: Any, available: int) -> tuple[Any, float]:
    wanted = min(settings.limit or available, available)
    few = min(SAMPLE_IMAGES, wanted)
    return replace(settings, limit=few, batch_size=few), wanted / few


def _with_images(inputs: Any, device: Any) -> OpenedBackbone:
    return with_images(open_backbone(inputs.checkpoint, device), inputs.root)


def _problems_of_kind(inputs: Any, kind: str) -> list[str]:
    try:
        header = describe(inputs.checkpoint)
    except CheckpointError as error:
        return [str(error)]
    return [] if header.kind == kind else [f"{Path(inputs.checkpoint).name} holds a {header.kind!r}, expected a {kind!r}"]


def _follow(task: Task, opened: Any, kind: str, name: str, measure: Callable[..., Any]) -> None:
    table = None
    for table in measure(opened, task.inputs.digest, task.parameters, task.batches, task.progress):
        task.table(name, asdict(table))
    save_result(kind, table, task.folder / MEASURED)
