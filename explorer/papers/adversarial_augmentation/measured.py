"""What is measured of a classifier: errors under corruptions and accuracy under attacks in balls of pixels, as results files hold them."""

import math
from dataclasses import dataclass
from typing import Literal

from explorer.attacks import ATTACKS
from explorer.configuration import from_mapping
from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, STANDARD
from explorer.data.imagenet import IMAGENET
from explorer.errors import ConfigurationError
from explorer.evaluation.corruption_error import CorruptionErrors
from explorer.measuring import Measured, common_problems

CORRUPTIONS_KIND, ATTACKS_KIND = "adversarial_augmentation.corruptions", "adversarial_augmentation.attacks"
BALLS: dict[str, tuple[float, float]] = {"l2 0.5": (2.0, 0.5), "l2 1.0": (2.0, 1.0), "linf 1/255": (math.inf, 1 / 255), "linf 2/255": (math.inf, 2 / 255)}  # §5
PAPER_ATTACKS = ("apgd-ce", "apgd-dlr", "multi-targeted")  # Appendix E.2
GROUPS = ("noise", "blur", "weather", "digital")


@dataclass(frozen=True)
class CorruptionSettings:
    """`source` is made, corruptions of the data set's test images with our own code, or published, the files of CIFAR-10-C. `limit` keeps the
    first images."""

    source: Literal["made", "published"] = "made"
    limit: int | None = None
    seed: int = 0
    batch_size: int = 500


@dataclass(frozen=True)
class AttackSettings:
    """The worst of several attacks, by their names; steps and restarts that are none are theirs, which are the paper's."""

    attacks: tuple[str, ...] = PAPER_ATTACKS
    steps: int | None = None
    restarts: int | None = None
    limit: int | None = None
    seed: int = 0
    batch_size: int = 250


def papers_attacks(dataset: str) -> AttackSettings:
    """§5: of ImageNet PGD of 100 steps with 10 restarts alone."""
    return AttackSettings(("pgd",), steps=100, restarts=10) if dataset == IMAGENET else AttackSettings()


@dataclass(frozen=True, kw_only=True)
class CorruptionTable(Measured):
    """Shares of the images that are classified wrongly: clean, on CIFAR-10.1 or ImageNet-v2 and on ImageNet-R where they are at hand,
    and under each corruption at severities 1 to 5. `progress` is the share of the training that was done."""

    clean: float
    new: float | None = None
    renditions: float | None = None
    errors: dict
    progress: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        from_mapping(CorruptionSettings, self.settings, "settings")
        rows = [row for row in self.errors.values()]
        if not all(isinstance(row, (list, tuple)) and len(row) == len(SEVERITIES) for row in rows) or not set(STANDARD) & set(self.errors):
            raise ConfigurationError([f"expected errors of corruptions at {len(SEVERITIES)} severities each"])
        numbers = [self.clean, self.progress, *(each for each in (self.new, self.renditions) if each is not None), *(value for row in rows for value in row)]
        if not all(type(value) in (int, float) and 0 <= value <= 1 for value in numbers):
            raise ConfigurationError(["expected shares from 0 to 1"])

    @property
    def of_corruptions(self) -> CorruptionErrors:
        return CorruptionErrors(self.clean, {name: dict(zip(SEVERITIES, row)) for name, row in self.errors.items()})

    def mean(self, name: str) -> float | None:
        """Of a corruption, over the severities; None where it was not measured."""
        return sum(self.errors[name]) / len(SEVERITIES) if name in self.errors else None

    def group(self, name: str) -> float | None:
        """The mean over a group of the 15."""
        values = [self.mean(each) for each in STANDARD if CORRUPTIONS[each].group == name]
        return None if None in values else sum(values) / len(values)

    @property
    def mce(self) -> float | None:
        """The mean corruption error over all 15, not weighted, of ImageNet weighted by AlexNet's; None where one of them was not measured."""
        found = self.of_corruptions
        return None if not found.complete else found.relative if self.dataset == IMAGENET else found.absolute

    @property
    def mean_of_measured(self) -> float:
        """The same over those of the 15 that were measured: of grey images those that need no colours."""
        means = [self.mean(name) for name in STANDARD if name in self.errors]
        return sum(means) / len(means)


@dataclass(frozen=True, kw_only=True)
class AttackTable(Measured):
    """Shares of the images that are classified right, clean and in each of the paper's balls under the worst attack, what was *found*: upper
    bounds of the robust accuracy; with standard errors."""

    accuracies: dict
    standard_errors: dict

    def __post_init__(self):
        super().__post_init__()
        from_mapping(AttackSettings, self.settings, "settings")
        for values in (self.accuracies, self.standard_errors):
            if set(values) != {"clean", *BALLS} or not all(type(value) in (int, float) and 0 <= value <= 1 for value in values.values()):
                raise ConfigurationError([f"expected shares from 0 to 1 of clean, {', '.join(BALLS)}"])


Table = CorruptionTable | AttackTable
TABLES: dict[str, type] = {CORRUPTIONS_KIND: CorruptionTable, ATTACKS_KIND: AttackTable}


def settings_problems(settings: CorruptionSettings | AttackSettings) -> list[str]:
    """All that is wrong with settings of either kind, in the user's words."""
    found = common_problems(settings)
    if isinstance(settings, AttackSettings):
        unknown = [name for name in settings.attacks if name not in ATTACKS or ATTACKS[name].parts]
        if unknown or not settings.attacks:
            found.append(f"attacks = {','.join(settings.attacks)}: expected one or more of {', '.join(name for name, each in ATTACKS.items() if not each.parts)}")
        for name in ("steps", "restarts"):
            if (value := getattr(settings, name)) is not None and not 1 <= value <= 10_000:
                found.append(f"{name} = {value}: expected 1 to 10000, or none")
    return found
