"""What the URL of the Corruptions page says, and what of it the chosen classifiers can show."""

from dataclasses import dataclass
from typing import Any, Literal

from explorer.data.corruptions import CORRUPTIONS, SEVERITIES
from explorer.evaluation.corruption_statistics import STATISTICS

from .image_choice import Choice
from .links import Checks
from .run_each import COUNTS

PAGE = "corruptions"
Panel = Literal["Gallery", "Errors", "Severity curves"]
MAX_MODELS = 4


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. `severity` 0 shows all five; `names` are the corruptions of a run, none for all; `verdict` is the
    number of the classifier whose answers the tiles carry; `count` is how many test images a run is over, 0 for all."""

    model: tuple[str, ...] = ()
    choice: Choice = "First images"
    image: int = 0
    draw: int = 0
    label: str = ""
    severity: int = 0
    seed: int = 0
    verdict: int = 0
    panel: Panel = "Gallery"
    source: Literal["made", "files"] = "made"
    count: int = 100
    names: tuple[str, ...] = ()
    statistic: str = "ssim"


def checked(link: Link, opened: list[Any]) -> tuple[Link, list[str]]:
    """The link with every value that these classifiers do not have replaced, and a sentence for each."""
    checks = Checks(link)
    checks.subject(len(opened[0].images), opened[0].class_names)
    checks.among("severity", (0, *SEVERITIES))
    checks.refuse("verdict", not 0 <= link.verdict < len(opened), f"expected 0 to {len(opened) - 1}")
    checks.among("count", COUNTS)
    checks.among("names", tuple(CORRUPTIONS))
    checks.among("statistic", STATISTICS)
    return checks.link, checks.problems
