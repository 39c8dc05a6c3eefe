"""What is measured of a classifier, and how: settings, and the tables that results files hold."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from explorer.configuration import from_mapping, out_of_range
from explorer.errors import ConfigurationError
from explorer.evaluation.spectra import LARGE
from explorer.measuring import Measured, common_problems, refuse

from .accuracy import HEADINGS, Strength, strength_for

ACCURACIES_KIND, SPECTRA_KIND = "manifold_directions.accuracies", "manifold_directions.spectra"
Six = tuple[float | None, float | None, float | None, float | None, float | None, float | None]
Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class AccuracySettings:
    """How accuracies are measured. A radius that is none is the paper's for the data set; so are the steps. `limit` keeps the first images."""

    radius: float | None = None  # of the ℓ∞ ball
    radius_l1: float | None = None
    latent_radius: float | None = None
    steps: int | None = None  # of PGD in pixels
    restarts: int = 1
    vae: str | None = None  # a checkpoint or an experiment; none: that of the training, or of the data set
    limit: int | None = None
    seed: int = 0
    batch_size: int = 250

    def strength(self, dataset: str) -> Strength:
        """With the paper's values for a data set in place of what is none."""
        given = {name: value for name in ("radius", "radius_l1", "latent_radius", "steps") if (value := getattr(self, name)) is not None}
        return replace(strength_for(dataset), **given)


@dataclass(frozen=True)
class SpectraSettings(AccuracySettings):
    """How spectra are measured: `attack` is pgd, or vae for the sign step on the manifold; none: what the classifier was trained against."""

    attack: Literal["pgd", "vae"] | None = None
    resamples: int = 500  # of the bootstrap bands
    confidence: float = 0.95


@dataclass(frozen=True, kw_only=True)
class _Attacked(Measured):
    """With what strength, and on which VAE's manifold."""

    strength: dict
    vae: str = ""
    vae_digest: str = ""


@dataclass(frozen=True, kw_only=True)
class AccuracyTable(_Attacked):
    """Shares of the images that are classified right, in the order of HEADINGS, with standard errors; None where there is no VAE. Those
    under attack are upper bounds: what the attack found. `decoded` is right after encoding and decoding alone."""

    accuracies: Six
    standard_errors: Six

    def __post_init__(self):
        super().__post_init__()
        _checked(self, AccuracySettings)
        if not all(value is None or 0 <= value <= 1 for value in (*self.accuracies, *self.standard_errors)):
            raise ConfigurationError(["expected accuracies and standard errors from 0 to 1"])

    def of(self, heading: str) -> tuple[float | None, float | None]:
        """An accuracy and its standard error."""
        place = HEADINGS.index(heading)
        return self.accuracies[place], self.standard_errors[place]


@dataclass(frozen=True, kw_only=True)
class SpectraTable(_Attacked):
    """Eigenvalues of each class's covariance in descending order, in squared pixel intensities, of the clean test images and of the attacked
    ones (Figures 2 and 3); `decoded` those of encoding and decoding alone, empty for attacks in pixels. `share` is the attack's energy along
    each class's principal directions, all classes together, with the ends of its bootstrap band. The attack's δ in latents is counted from
    the decoded image."""

    attack: str
    classes: tuple[str, ...]
    clean: Rows
    attacked: Rows
    decoded: Rows
    share: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    confidence: float
    mean_norm: float  # of δ in pixels, Euclidean

    def __post_init__(self):
        super().__post_init__()
        _checked(self, SpectraSettings)
        sizes = {len(row) for row in (*self.clean, *self.attacked, *self.decoded, self.share, self.lower, self.upper)}
        if len(sizes) != 1 or not len(self.classes) == len(self.clean) == len(self.attacked) or len(self.decoded) not in (0, len(self.classes)):
            raise ConfigurationError(["expected eigenvalues of every class, as many as there are directions"])
        if not all(math.isfinite(value) and value >= 0 for row in (*self.clean, *self.attacked, *self.decoded, self.share) for value in row):
            raise ConfigurationError(["expected finite eigenvalues and shares of at least 0"])

    @property
    def large(self) -> int:
        """How many eigenvalues count as large: the paper's 30, or a third of the images of a class where there are too few for that."""
        return max(1, min(LARGE, self.images // len(self.classes) // 3))

    def ratios(self, large: int | None = None) -> tuple[tuple[float, float], ...]:
        """For each class, how many times the sums of the large and of the other eigenvalues of the attacked images are those of the clean ones."""
        large = self.large if large is None else large
        return tuple((_over(sum(a[:large]), sum(c[:large])), _over(sum(a[large:]), sum(c[large:]))) for a, c in zip(self.attacked, self.clean))

    def energy_beyond(self, large: int | None = None) -> float:
        """The share of the attack's energy off the first directions."""
        return sum(self.share[self.large if large is None else large :])


Table = AccuracyTable | SpectraTable
TABLES: dict[str, type] = {ACCURACIES_KIND: AccuracyTable, SPECTRA_KIND: SpectraTable}
SETTINGS: dict[str, type] = {ACCURACIES_KIND: AccuracySettings, SPECTRA_KIND: SpectraSettings}


def settings_problems(settings: Any) -> list[str]:
    """All that is wrong with settings of either kind, in the user's words."""
    found = common_problems(settings) + out_of_range(settings, restarts=(1, 10_000))
    for name, (low, high) in {"radius": (0, 1), "radius_l1": (0, 100_000), "latent_radius": (0, 1000), "steps": (1, 100_000)}.items():
        if (value := getattr(settings, name)) is not None and not low <= value <= high:
            found.append(f"{name} = {value}: expected {low} to {high}, or none")
    if isinstance(settings, SpectraSettings):
        found += out_of_range(settings, resamples=(10, 1_000_000))
        if not 0 < settings.confidence < 1:
            found.append(f"confidence = {settings.confidence}: expected a number between 0 and 1")
    return found


def _over(above: float, below: float) -> float:
    return above / below if below else math.inf


def _checked(table: _Attacked, settings: type) -> None:
    from_mapping(settings, table.settings, "settings")
    from_mapping(Strength, table.strength, "strength")
    refuse([] if table.images else ["expected at least one image"])
