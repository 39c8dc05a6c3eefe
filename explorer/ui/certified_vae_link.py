"""What the URL of the Certified VAE page says, and what of it the chosen models can show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.papers.certified_vae import CertifiedVae, Settings

from .image_choice import Choice
from .links import Checks
from .run_each import COUNTS

PAGE = "certified_vae"
Panel = Literal["Pictures", "Numbers", "Certificate", "Latents", "Prior samples", "ELBO under attack", "ELBO and bound"]
MAX_MODELS = 4
STEPS, RESTARTS = (0, 10, 20, 40, 100, 400), (1, 5, 20)
CONFIDENCES, DRAWS = (0.9, 0.95, 0.99, 0.999), (1_000, 10_000, 100_000)
AMPLIFY = (1, 2, 4, 8, 16, 32)
VARIANCES = (0.01, 10.0)  # of σ0² here
FIGURE_3, WIDER = 0.2, 2  # the slider's end: that of Figure 3, or so many times the largest radius of a training
BELOW = 4.0  # axes of ELBOs end at so many times the lowest clean one: bounds of a VAE that was not trained for them are far below
USUAL_RADIUS = 0.05  # where no model has one of its own


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. Without a radius it is the largest that the models were trained at. `variance` is σ0²;
    `steps` and `restarts` are the attack's, `raised` asks for the other direction, too; `confidence` and `draws` are the certificate's."""

    model: tuple[str, ...] = ()
    choice: Choice = "First images"
    image: int = 0
    draw: int = 0
    label: str = ""
    radius: float | None = None
    clip: bool = False
    variance: float = 0.5
    steps: int = 40
    restarts: int = 1
    raised: bool = False
    seed: int = 0
    panel: Panel = "Pictures"
    amplify: int = 4
    confidence: float = 0.99
    draws: int = 10_000
    samples: int = 0
    count: int = 100

    def settings(self, radius: float, key: int) -> Settings:
        """Of the image with that number for its noise."""
        return Settings(radius, self.clip, math.sqrt(self.variance), self.seed, key)


def reach(models: Sequence[CertifiedVae]) -> float:
    """The largest radius that the slider shows."""
    return round(min(1.0, max(FIGURE_3, WIDER * max(each.radius for each in models))), 3)


def own_radius(models: Sequence[CertifiedVae]) -> float:
    """The one that is shown where none is asked for."""
    return max(each.radius for each in models) or USUAL_RADIUS


def lowest_shown(clean: Sequence[float]) -> float:
    """The left end of an axis of ELBOs, in nats."""
    return BELOW * min(-1.0, *clean)


def checked(link: Link, models: Sequence[CertifiedVae]) -> tuple[Link, list[str]]:
    """The link with every value that these models do not have replaced, and a sentence for each."""
    checks, largest, images = Checks(link), reach(models), models[0].images
    checks.subject(len(images), images.class_names)
    checks.refuse("radius", link.radius is not None and not 0 <= link.radius <= largest, f"expected 0 to {largest:g}")
    checks.refuse("variance", not VARIANCES[0] <= link.variance <= VARIANCES[1], f"expected {VARIANCES[0]:g} to {VARIANCES[1]:g}")
    for name, values in {"steps": STEPS, "restarts": RESTARTS, "amplify": AMPLIFY, "confidence": CONFIDENCES, "draws": DRAWS, "count": COUNTS}.items():
        checks.among(name, values)
    checks.refuse("samples", not 0 <= link.samples <= 10**9, "expected 0 to 1000000000")
    return checks.link, checks.problems
