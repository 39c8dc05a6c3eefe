"""What the URL of the Adversarial augmentation page says, and what of it the chosen classifier can show."""

from dataclasses import dataclass
from typing import Literal

from explorer.data.corruptions import CORRUPTIONS, SEVERITIES
from explorer.papers.adversarial_augmentation.opening import PAPERS_RADIUS
from explorer.papers.adversarial_augmentation.search import SSIM_LIMIT, STEPS
from explorer.studies.classifiers import OpenedClassifier

from .image_choice import Choice
from .links import Checks
from .run_each import COUNTS

PAGE = "adversarial_augmentation"
Panel = Literal["Search", "Guard", "Layers", "Test set", "Imitation"]
MAX_MODELS = 3
REACH = 0.1  # of the slider of ν: beyond, hardly anything of an image is left without the guard
STEP_CHOICES = (0, 1, 3, STEPS, 20, 50, 100)
LIMITS = (0.05, 0.1, 0.2, SSIM_LIMIT, 0.5, 0.7, 1.0)
RADII = (0.005, 0.0075, 0.009375, 0.01125, 0.013125, 0.015, 0.0225, 0.03, 0.0375, 0.05)


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. `radius` is ν; `network` the image-to-image network's key, empty for the one that fits;
    `networks` and `radii` are those whose histograms are compared, the chosen one where there are none; `count` is how many test images a run
    is over, 0 for all."""

    model: tuple[str, ...] = ()
    network: str = ""
    choice: Choice = "First images"
    image: int = 0
    draw: int = 0
    label: str = ""
    radius: float | None = None
    steps: int = STEPS
    ssim_limit: float = SSIM_LIMIT
    seed: int = 0
    panel: Panel = "Search"
    networks: tuple[str, ...] = ()
    radii: tuple[float, ...] = (0.0075, PAPERS_RADIUS, 0.03)
    corruption: str = "gaussian_blur"
    severity: int = 3
    count: int = 25


def checked(link: Link, opened: OpenedClassifier) -> tuple[Link, list[str]]:
    """The link with every value that this classifier does not have replaced, and a sentence for each."""
    checks = Checks(link)
    checks.subject(len(opened.images), opened.class_names)
    checks.refuse("radius", link.radius is not None and not 0 < link.radius <= REACH, f"expected ν above 0, at most {REACH:g}")
    checks.among("steps", STEP_CHOICES)
    checks.among("ssim_limit", LIMITS)
    checks.refuse("radii", not link.radii, "expected at least one")
    checks.among("radii", RADII)
    checks.among("corruption", CORRUPTIONS)
    checks.among("severity", SEVERITIES)
    checks.among("count", COUNTS)
    return checks.link, checks.problems
