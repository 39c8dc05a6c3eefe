"""The kinds of runs on image-to-image networks whose weights are changed."""

from typing import Any

from explorer.models.classifiers import KIND as CLASSIFIER
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

from .measuring import first_few, follow, kind_problems
from .task import Task

SAMPLE_IMAGES = 2


def measure_similarity(task: Task) -> None:
    """SSIM of the images of the worst weights, and how the classifier bears them; a table after each batch, the whole a results file."""
    follow(task, open_classifier(task.inputs.checkpoint, task.device, task.inputs.root), SIMILARITY_KIND, "similarity", similarity_table)


def measure_reconstruction(task: Task) -> None:
    """How well an image-to-image network imitates corruptions; as above."""
    follow(task, _with_images(task.inputs, task.device), RECONSTRUCTION_KIND, "reconstruction", reconstruction_table)


def measure_noise(task: Task) -> None:
    """How a classifier bears random changes of its own parameters; as above."""
    follow(task, open_classifier(task.inputs.checkpoint, task.device, task.inputs.root), NOISE_KIND, "noise", noise_table)


def noise_run_problems(inputs: Any, settings: Any) -> list[str]:
    return noise_problems(settings) + kind_problems(inputs, CLASSIFIER)


def similarity_run_problems(inputs: Any, settings: Any) -> list[str]:
    return similarity_problems(settings) + kind_problems(inputs, CLASSIFIER)


def reconstruction_run_problems(inputs: Any, settings: Any) -> list[str]:
    return reconstruction_problems(settings) + kind_problems(inputs, NETWORK)


def few_searched(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few test images."""
    return first_few(settings, len(open_classifier(inputs.checkpoint, "cpu", inputs.root).images), SAMPLE_IMAGES)


def few_imitated(inputs: Any, settings: Any) -> tuple[Any, float]:
    """The first few test images."""
    return first_few(settings, len(_with_images(inputs, "cpu").images), SAMPLE_IMAGES)


def _with_images(inputs: Any, device: Any) -> OpenedBackbone:
    return with_images(open_backbone(inputs.checkpoint, device), inputs.root)
