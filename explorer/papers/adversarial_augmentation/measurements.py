"""What can be measured of any classifier under corruptions and attacks, and what training it costs."""

from collections.abc import Callable
from typing import Any

from explorer.papers.measurement import Measurement
from explorer.papers.report import find_item, measured_item

from . import ADVERSARIAL_AUGMENTATION
from .cost_table import own_cost_path
from .costs import COSTS_KIND, CostSettings, cost_table
from .evaluation import attack_table, corruption_table
from .finding import own_path
from .measured import ATTACKS_KIND, CORRUPTIONS_KIND, CorruptionSettings, papers_attacks
from .report import report


def measurements(open_classifier: Callable[..., Any]) -> tuple[Measurement, Measurement, Measurement]:
    """Errors under corruptions, accuracies under attacks in balls of pixels, and costs, of what the function opens."""

    def told(number: int) -> Callable[..., str]:
        return lambda table, _, form: report(table, form, ADVERSARIAL_AUGMENTATION, find_item(ADVERSARIAL_AUGMENTATION, "table", number))

    corruptions = Measurement(
        "errors under corruptions", CORRUPTIONS_KIND, open_classifier, lambda _, options: CorruptionSettings("published" if options.published else "made"),
        corruption_table, lambda table: own_path(CORRUPTIONS_KIND, table), told(8), flags=("corruptions", "published"), measured_with=("root",),
    )  # fmt: skip
    balls = Measurement(
        "attacks in balls of pixels", ATTACKS_KIND, open_classifier, lambda opened, _: papers_attacks(opened.data.name),
        attack_table, lambda table: own_path(ATTACKS_KIND, table), told(1), options=("steps", "restarts"), flags=("balls",),
    )  # fmt: skip
    costs = Measurement(
        "the cost of a training step", COSTS_KIND, open_classifier, lambda *_: CostSettings(),
        lambda opened, digest, settings, _, progress: [cost_table(opened, digest, settings, progress)], own_cost_path,
        measured_item("adversarial_augmentation", ADVERSARIAL_AUGMENTATION, find_item(ADVERSARIAL_AUGMENTATION, "table", 3), COSTS_KIND), options=("network", "steps"), flags=("costs",),
    )  # fmt: skip
    return corruptions, balls, costs
