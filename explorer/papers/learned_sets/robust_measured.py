"""What is measured of a classifier in a learned set, and how: settings, and the tables that results files hold (Perturbation sets, Tables 2 and 9
and Figure 11)."""

from dataclasses import dataclass

from explorer.configuration import from_mapping
from explorer.errors import ConfigurationError
from explorer.measuring import Measured

from .in_latents import AttackSettings, CertificateSettings, Shares, attack_problems, certificate_problems, check_shares

ROBUST_KIND, SMOOTHED_KIND = "learned_sets.robust", "learned_sets.smoothed"
PERCENTILES = ("25", "50", "75", "100")  # Appendix E.3: 2.7, 3.9 and 10.2; the whole set is Algorithm 1's
GRID = 25  # radii of a certified curve, from 0 to what can be certified at most


@dataclass(frozen=True)
class RobustSettings(AttackSettings):
    """At PERCENTILES of the set's encodings, where no radii are given."""

    batch_size: int = 100


@dataclass(frozen=True)
class SmoothedSettings(CertificateSettings):
    """At the radii of 25, 50 and 75 per cent of the set's encodings; predictions are by `selection` votes."""


@dataclass(frozen=True, kw_only=True)
class _InSet(Measured):
    """In which learned set, and of what its pairs are; `clean`, `perturbed` and `others` are accuracies on the test images, on a real perturbation
    of each of `types`, and on one of each of `other_types`, which the set has not seen, None where there are none."""

    learned_set: str
    learned_set_digest: str
    epsilon: float
    types: tuple[str, ...]
    other_types: tuple[str, ...]
    radii: Shares
    clean: float
    perturbed: float
    others: float | None
    errors: tuple[float | None, float | None, float | None]


@dataclass(frozen=True, kw_only=True)
class RobustTable(_InSet):
    """`robust` accuracies where PGD *found* the largest cross-entropy at each of the radii, upper bounds of robustness."""

    robust: Shares
    robust_errors: Shares

    def __post_init__(self):
        super().__post_init__()
        from_mapping(RobustSettings, self.settings, "settings")
        if not len(self.radii) == len(self.robust) == len(self.robust_errors):
            raise ConfigurationError(["expected a robust accuracy and its error for each radius"])
        check_shares(self.clean, self.perturbed, self.others, *self.robust)


@dataclass(frozen=True, kw_only=True)
class SmoothedTable(_InSet):
    """Of the smoothed classifier: `clean`, `perturbed` and `others` are its predictions there, wrong where it abstains; `certified` the shares of
    images *certified*, each with the confidence of the settings, to keep their right class within `radii`, the set's percentiles; `curve` the same on
    the even radii `grid`; and `empirical` what it still gets right at what an attack on the classifier without noise found at `radii`."""

    sigma: float
    certified: Shares
    certified_errors: Shares
    empirical: Shares
    abstained: float
    grid: Shares
    curve: Shares

    def __post_init__(self):
        super().__post_init__()
        from_mapping(SmoothedSettings, self.settings, "settings")
        if not len(self.radii) == len(self.certified) == len(self.certified_errors) == len(self.empirical) or len(self.grid) != len(self.curve):
            raise ConfigurationError(["expected a share for each radius"])
        check_shares(self.clean, self.perturbed, self.others, *self.certified, *self.empirical, *self.curve, self.abstained)


Table = RobustTable | SmoothedTable
TABLES: dict[str, type] = {ROBUST_KIND: RobustTable, SMOOTHED_KIND: SmoothedTable}


def settings_problems(settings: RobustSettings | SmoothedSettings) -> list[str]:
    """All that is wrong with settings of either kind, in the user's words."""
    return attack_problems(settings) if isinstance(settings, RobustSettings) else certificate_problems(settings)
