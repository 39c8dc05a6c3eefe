"""What the URL of the Bounds page says, and what of it a classifier can show."""

from dataclasses import dataclass
from typing import Literal

from explorer.bounds import METHODS
from explorer.studies.classifiers import OpenedClassifier

from .image_choice import Choice
from .links import Checks

PAGE = "bounds"
Panel = Literal["Margins", "Layers", "Largest radius"]
STEPS = (0, 10, 20, 40, 100)
SMALLEST_REACH, REACH = 0.1, 3  # the slider's end: so many times the radius of the training


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. Without a radius it is the one of the training; without methods those that answer in
    seconds for this classifier. `steps` and `seed` are the attack's."""

    model: str = ""
    choice: Choice = "First images"
    image: int = 0
    draw: int = 0
    label: str = ""
    radius: float | None = None
    methods: tuple[str, ...] = ()
    steps: int = 20
    seed: int = 0
    panel: Panel = "Margins"


def reach(trained: float) -> float:
    """The largest radius that the slider shows, for a classifier trained for that radius."""
    return round(min(1.0, max(SMALLEST_REACH, REACH * trained)), 3)


def checked(link: Link, opened: OpenedClassifier) -> tuple[Link, list[str]]:
    """The link with every value that this classifier does not have replaced, and a sentence for each."""
    checks, largest = Checks(link), reach(opened.radius)
    checks.subject(len(opened.images), opened.class_names)
    checks.refuse("radius", link.radius is not None and not 0 <= link.radius <= largest, f"expected 0 to {largest:g}")
    checks.among("methods", METHODS)
    checks.among("steps", STEPS)
    return checks.link, checks.problems
