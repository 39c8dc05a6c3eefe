"""What measurements in the latents of a learned set share, of classifiers and of segmenters."""

from dataclasses import dataclass

import torch

from explorer.configuration import out_of_range
from explorer.errors import InvalidInput
from explorer.measuring import common_problems, refuse
from explorer.smoothing import smoothing_radius
from explorer.smoothing.certification import CONFIDENCE, SAMPLES, SELECTION
from explorer.smoothing.confidence import check_samples

Shares = tuple[float, ...]


@dataclass(frozen=True)
class AttackSettings:
    """How accuracies under attack in a learned set are measured; `limit` keeps the first images or pictures."""

    learned_set: str | None = None  # a checkpoint or an experiment; none: that of the training
    radii: Shares = ()  # none: percentiles of the set
    steps: int = 50  # of PGD, Appendix E.4
    step_size: float = 0.05  # a share of the radius
    limit: int | None = None
    seed: int = 0
    batch_size: int = 25


@dataclass(frozen=True)
class CertificateSettings:
    """How images or pixels are certified: noise N(0, σ²I) in the latents of the set."""

    learned_set: str | None = None
    sigma: float | None = None  # none: the one that certifies the radius of the training at most (Appendix E.6)
    samples: int = SAMPLES
    selection: int = SELECTION  # votes that choose the class that is certified
    confidence: float = CONFIDENCE
    steps: int = 20  # of the attack beside it, on the network without noise
    limit: int | None = 100
    seed: int = 0
    batch_size: int = 5
    noisy_batch: int = 512


def largest_certified(settings: CertificateSettings, sigma: float) -> float:
    """The radius that unanimous votes certify."""
    return float(smoothing_radius(torch.tensor((1 - settings.confidence) ** (1 / settings.samples), dtype=torch.float64), sigma))


def attack_problems(settings: AttackSettings) -> list[str]:
    """All that is wrong with settings of an attack at several radii, in the user's words."""
    found = common_problems(settings) + out_of_range(settings, steps=(1, 100_000))
    if not all(0 < radius <= 1000 for radius in settings.radii):
        found.append(f"radii = {', '.join(f'{each:g}' for each in settings.radii)}: expected numbers above 0 and at most 1000")
    if not 0 < settings.step_size <= 10:
        found.append(f"step_size = {settings.step_size}: expected a share of the radius, above 0 and at most 10")
    return found


def certificate_problems(settings: CertificateSettings) -> list[str]:
    """The same of settings of certificates by smoothing."""
    found = common_problems(settings) + out_of_range(settings, steps=(1, 100_000), selection=(1, 10**7), noisy_batch=(1, 10**6))
    if settings.sigma is not None and not 0 < settings.sigma <= 1000:
        found.append(f"sigma = {settings.sigma}: expected above 0 and at most 1000, or none")
    try:
        check_samples(settings.samples, settings.confidence)
    except InvalidInput as error:
        found.append(str(error))
    return found


def check_shares(*values: float | None) -> None:
    """Raises ConfigurationError for a number that is none; None says that nothing was measured."""
    refuse([] if all(value is None or 0 <= value <= 1 for value in values) else ["expected shares from 0 to 1"])
