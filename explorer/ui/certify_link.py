"""What the URL of the Certify page says, and what of it the chosen classifiers can show."""

import math
from dataclasses import dataclass
from typing import Literal

from explorer.smoothing.confidence import needed_successes
from explorer.studies.classifiers import OpenedClassifier
from explorer.studies.threats import THREATS

from .image_choice import Choice
from .links import Checks
from .run_each import COUNTS

PAGE = "certify"
Panel = Literal["Votes", "Certified accuracy"]
MAX_MODELS = 3
NOISY = {"l2": "pixels", "latent": "latents of a learned set", "manifold-l2": "latents of the class's manifold"}  # sets whose parameters can get noise; certificates are in ℓ2
SAMPLES = (100, 1000, 10_000, 100_000)
CONFIDENCES = (0.95, 0.99, 0.999, 0.9999)
SIGMAS = {"l2": 0.25, "latent": 1.0, "manifold-l2": 0.5}
LARGEST_SIGMA = 3.0


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. Without a `sigma` it is one that suits the set; `other` is the model that the set needs;
    `sigmas` and `count` are those of a run over test images, 0 for all of them."""

    model: tuple[str, ...] = ()
    choice: Choice = "First images"
    image: int = 0
    draw: int = 0
    label: str = ""
    threat: str = "l2"
    other: str = ""
    radius: float | None = None
    sigma: float | None = None
    samples: int = 1000
    confidence: float = 0.999
    seed: int = 0
    panel: Panel = "Votes"
    sigmas: tuple[float, ...] = (0.25, 0.5, 1.0)
    count: int = 25


def checked(link: Link, opened: OpenedClassifier) -> tuple[Link, list[str]]:
    """The link with every value that cannot be shown replaced, and a sentence for each."""
    checks = Checks(link)
    checks.subject(len(opened.images), opened.class_names)
    checks.among("threat", NOISY)
    checks.refuse("radius", link.radius is not None, "a certificate has the radius that it proves")
    checks.refuse("sigma", link.sigma is not None and not 0 < link.sigma <= LARGEST_SIGMA, f"expected above 0, at most {LARGEST_SIGMA:g}")
    checks.among("samples", SAMPLES)
    checks.among("confidence", CONFIDENCES)
    checks.refuse("sigmas", not 1 <= len(link.sigmas) <= 6 or not all(0 < each <= LARGEST_SIGMA for each in link.sigmas), f"expected one to six above 0, at most {LARGEST_SIGMA:g}")
    checks.among("count", COUNTS)
    return checks.link, checks.problems


def share_needed(link: Link) -> float:
    """The share of the votes from which on anything is certified; NaN where not even all of them are enough."""
    fewest = math.floor(math.log2(1 / (1 - link.confidence))) + 1
    return needed_successes(link.samples, link.confidence) / link.samples if link.samples >= fewest else math.nan


def unit_of(threat: str) -> str:
    return THREATS[threat].unit
