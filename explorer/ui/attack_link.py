"""What the URL of the Attack page says, and what of it the chosen classifiers can show."""

from dataclasses import dataclass
from typing import Literal

from explorer.attacks import ATTACKS
from explorer.studies.attack import USUAL_RADII
from explorer.studies.classifiers import OpenedClassifier
from explorer.studies.threats import THREATS

from .image_choice import Choice
from .links import Checks
from .run_each import COUNTS

PAGE = "attack"
Panel = Literal["Path", "This image", "Test set", "Curves", "Sets"]
MAX_MODELS = 4
STEPS = (0, 1, 10, 20, 40, 100, 200, 1000)
LARGEST_RADIUS = 1e4
SHARES = tuple(radius / USUAL_RADII[-1] for radius in USUAL_RADII)  # of a curve's largest radius


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. Without a radius it is the one of the training, or the set's usual one; `other` is the model
    that the set needs; `steps` 0 are the attack's own. `count` is how many test images a run is over, 0 for all; `sets` are those of the
    matrix."""

    model: tuple[str, ...] = ()
    choice: Choice = "First images"
    image: int = 0
    draw: int = 0
    label: str = ""
    threat: str = "linf"
    other: str = ""
    radius: float | None = None
    attack: str = "pgd"
    steps: int = 0
    seed: int = 0
    panel: Panel = "Path"
    count: int = 100
    sets: tuple[str, ...] = ("linf", "l2", "l1")


def checked(link: Link, opened: OpenedClassifier) -> tuple[Link, list[str]]:
    """The link with every value that this classifier does not have replaced, and a sentence for each."""
    checks = Checks(link)
    checks.subject(len(opened.images), opened.class_names)
    checks.among("threat", THREATS)
    checks.refuse("sets", not link.sets, "expected at least one")
    checks.among("sets", THREATS)
    checks.among("attack", ATTACKS)
    checks.among("steps", STEPS)
    checks.refuse("radius", link.radius is not None and not 0 <= link.radius <= LARGEST_RADIUS, f"expected 0 to {LARGEST_RADIUS:g}")
    checks.among("count", COUNTS)
    return checks.link, checks.problems
