"""What measurements in the latents of a learned set share, of classifiers and of segmenters."""

from typing import Any

from explorer.configuration import out_of_range
from explorer.errors import InvalidInput
from explorer.measuring import common_problems, refuse
from explorer.smoothing.confidence import check_samples

Shares = tuple[float, ...]


def attack_problems(settings: Any) -> list[str]:
    """All that is wrong with settings of an attack at several radii, in the user's words."""
    found = common_problems(settings) + out_of_range(settings, steps=(1, 100_000))
    if not all(0 < radius <= 1000 for radius in settings.radii):
        found.append(f"radii = {', '.join(f'{each:g}' for each in settings.radii)}: expected numbers above 0 and at most 1000")
    if not 0 < settings.step_size <= 10:
        found.append(f"step_size = {settings.step_size}: expected a share of the radius, above 0 and at most 10")
    return found


def certificate_problems(settings: Any) -> list[str]:
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
