"""What is measured of a segmenter, and how: settings, and the tables that results files hold (Perturbation sets, Table 3 and Figure 17)."""

from dataclasses import dataclass

from explorer.configuration import from_mapping
from explorer.errors import ConfigurationError
from explorer.measuring import Measured

from .in_latents import AttackSettings, CertificateSettings, Shares, attack_problems, certificate_problems, check_shares
from .segmentation_config import SAMPLES

ROBUST_KIND, CERTIFIED_KIND = "learned_sets.segmentation", "learned_sets.certified_segmentation"
PERCENTILES = ("50", "75", "100")  # Appendix F.3: 7.35, 8.81 and 17
GRID = 25  # radii of a certified curve, from 0 to what can be certified at most


@dataclass(frozen=True)
class RobustSettings(AttackSettings):
    """At PERCENTILES of the set's encodings, where no radii are given. The first pictures cover scenes and lights evenly."""


@dataclass(frozen=True)
class CertifiedSettings(CertificateSettings):
    """The set's own ε is where the curve ends, with the noise that is usual here."""

    samples: int = SAMPLES
    limit: int | None = 10
    batch_size: int = 1
    noisy_batch: int = 64


@dataclass(frozen=True, kw_only=True)
class _OfLights(Measured):
    """Of how many pictures, each of a scene under one of its lights, and in which learned set."""

    learned_set: str
    learned_set_digest: str
    epsilon: float
    materials: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RobustTable(_OfLights):
    """Shares of pixels that are named right: `accuracy` of the pictures themselves, `robust` where PGD found the largest cross-entropy at each of
    the radii, upper bounds of robustness; and mean intersection over union."""

    radii: Shares
    accuracy: float
    accuracy_error: float
    iou: float
    robust: Shares
    robust_errors: Shares
    robust_ious: Shares

    def __post_init__(self):
        super().__post_init__()
        from_mapping(RobustSettings, self.settings, "settings")
        if not len(self.radii) == len(self.robust) == len(self.robust_errors) == len(self.robust_ious):
            raise ConfigurationError(["expected a robust accuracy, its error and an IoU for each radius"])
        check_shares(self.accuracy, *self.robust, *self.robust_errors)


@dataclass(frozen=True, kw_only=True)
class CertifiedTable(_OfLights):
    """Shares of pixels that are *certified*, each with the confidence of the settings, to keep their right name within each of the radii; that the
    smoothed segmenter names right; that it abstains on; and that it still names right at what an attack found, `empirical`, at other radii."""

    sigma: float
    radii: Shares
    certified: Shares
    certified_errors: Shares
    accuracy: float
    abstained: float
    attacked_radii: Shares
    empirical: Shares

    def __post_init__(self):
        super().__post_init__()
        from_mapping(CertifiedSettings, self.settings, "settings")
        if not len(self.radii) == len(self.certified) == len(self.certified_errors) or len(self.attacked_radii) != len(self.empirical):
            raise ConfigurationError(["expected a share for each radius"])
        check_shares(*self.certified, self.accuracy, self.abstained, *self.empirical)

    def at(self, radius: float) -> float | None:
        """The certified share at a radius: that of the next one on the grid, which is no larger; none beyond the grid."""
        return next((share for each, share in zip(self.radii, self.certified) if each >= radius * (1 - 1e-9)), None)


TABLES: dict[str, type] = {ROBUST_KIND: RobustTable, CERTIFIED_KIND: CertifiedTable}


def settings_problems(settings: RobustSettings | CertifiedSettings) -> list[str]:
    """All that is wrong with settings of either kind, in the user's words."""
    return attack_problems(settings) if isinstance(settings, RobustSettings) else certificate_problems(settings)
