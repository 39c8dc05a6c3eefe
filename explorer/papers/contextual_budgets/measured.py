"""What is measured of a checkpoint, and how: settings, and the tables that results files hold."""

import math
from dataclasses import dataclass
from typing import Any

from explorer.configuration import from_mapping, out_of_range
from explorer.errors import ConfigurationError
from explorer.evaluation.accuracy import STEPS
from explorer.evaluation.certified_volume import ITERATIONS
from explorer.measuring import Measured, common_problems
from explorer.metrics import volume_problems

ERRORS_KIND, VOLUMES_KIND, FOLLOWED_KIND = "contextual_budgets.errors", "contextual_budgets.volumes", "contextual_budgets.followed"
BOXES = ("learned", "uniform")
HEADINGS = ("clean", *(f"{boxes}, {how}" for boxes in BOXES for how in ("attacked", "verified", "IBP alone")))
SHARES = (0.1, 0.5, 0.9)  # quantiles of volumes
Seven = tuple[float | None, float | None, float | None, float | None, float | None, float | None, float | None]
Three = tuple[float, float, float]


@dataclass(frozen=True)
class ErrorSettings:
    """How errors are measured, at one volume for learned and uniform budgets. `limit` keeps the first test images."""

    volume: float | None = None  # ε0; that of the training
    generator: str | None = None  # a checkpoint whose budgets are taken; none: its own, where it has some
    steps: int = STEPS  # of PGD; the paper attacks nothing
    restarts: int = 1
    limit: int | None = None
    seed: int = 0
    batch_size: int = 100


@dataclass(frozen=True)
class VolumeSettings:
    """How Liu et al.'s volumes are measured. An example ends once it reaches the largest target, unless the whole volume is wanted."""

    targets: tuple[float, ...] = ()  # ε0 of Tables 1 and 2; that of the training
    whole: bool = False
    method: str = "ibp"
    iterations: int = ITERATIONS
    limit: int | None = None
    seed: int = 0
    batch_size: int = 100


@dataclass(frozen=True)
class FollowedSettings:
    """How it is measured what the budgets follow."""

    volume: float | None = None
    limit: int | None = None
    seed: int = 0
    batch_size: int = 250


@dataclass(frozen=True, kw_only=True)
class ErrorTable(Measured):
    """Shares of the images in the order of HEADINGS, None for budgets that there are not, with standard errors. `attacked` is a lower
    bound of the true error in the boxes, `verified` (by CROWN-IBP and IBP together) an upper one."""

    volume: float
    errors: Seven
    standard_errors: Seven

    def __post_init__(self):
        super().__post_init__()
        _checked(self, ErrorSettings, [value for value in (*self.errors, *self.standard_errors) if value is not None])


@dataclass(frozen=True, kw_only=True)
class VolumeTable(Measured):
    """For each target the share of images whose largest certified volume is below it; and quantiles (SHARES) of that volume and of the
    largest certified uniform radius, 0 where nothing is certified. Unless the settings ask for whole volumes, larger ones than the
    largest target are cut there."""

    targets: tuple[float, ...]
    errors: tuple[float, ...]
    standard_errors: tuple[float, ...]
    volumes: Three
    radii: Three
    mean_iterations: float

    def __post_init__(self):
        super().__post_init__()
        _checked(self, VolumeSettings, [*self.errors, *self.standard_errors, *self.volumes, *self.radii])
        if not len(self.targets) == len(self.errors) == len(self.standard_errors) > 0:
            raise ConfigurationError([f"expected an error for each of {len(self.targets)} targets"])


@dataclass(frozen=True, kw_only=True)
class FollowedTable(Measured):
    """Mean budgets of the named regions, and rank correlations of budgets with the margin's gradient and with brightness: means over
    the images that have such a region, with standard errors."""

    volume: float
    names: tuple[str, ...]
    means: tuple[float, ...]
    standard_errors: tuple[float, ...]

    def __post_init__(self):
        super().__post_init__()
        _checked(self, FollowedSettings, [])
        if not len(self.names) == len(self.means) == len(self.standard_errors):
            raise ConfigurationError([f"expected a mean for each of {len(self.names)} names"])


Table = ErrorTable | VolumeTable | FollowedTable
TABLES: dict[str, type] = {ERRORS_KIND: ErrorTable, VOLUMES_KIND: VolumeTable, FOLLOWED_KIND: FollowedTable}
SETTINGS: dict[str, type] = {ERRORS_KIND: ErrorSettings, VOLUMES_KIND: VolumeSettings, FOLLOWED_KIND: FollowedSettings}


def settings_problems(settings: Any) -> list[str]:
    """All that is wrong with settings of any of the three kinds, in the user's words."""
    found = common_problems(settings)
    if isinstance(settings, ErrorSettings):
        found += out_of_range(settings, steps=(1, 100_000), restarts=(1, 10_000))
    if isinstance(settings, VolumeSettings):
        found += out_of_range(settings, iterations=(1, 100_000))
        if settings.method not in ("ibp", "crown-ibp"):
            found.append(f"method = {settings.method!r}: expected ibp or crown-ibp")
    volumes = settings.targets if isinstance(settings, VolumeSettings) else () if settings.volume is None else (settings.volume,)
    return found + [problem for volume in volumes for problem in volume_problems(volume, 1.0, 1.0)]


def _checked(table: Measured, settings: type, shares: list[float]) -> None:
    from_mapping(settings, table.settings, "settings")
    if not all(0 <= value <= 1 and math.isfinite(value) for value in shares):
        raise ConfigurationError(["expected shares and volumes from 0 to 1"])
