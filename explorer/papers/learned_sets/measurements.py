"""What can be measured of a learned set, of a segmenter, and of any classifier in a learned set."""

from collections.abc import Callable
from typing import Any

from explorer.papers.measurement import Measurement
from explorer.papers.report import find_item, measured_item

from .exploration import open_learned_set
from .likelihoods import KIND as LIKELIHOOD_KIND
from .likelihoods import LikelihoodSettings, likelihood_report, likelihood_table, own_likelihood_path
from .quality import QualitySettings, quality
from .report import FORMATS
from .robust_evaluation import robust_table as robust_in_set
from .robust_evaluation import smoothed_table
from .robust_measured import ROBUST_KIND as IN_SET_KIND
from .robust_measured import SMOOTHED_KIND, SmoothedSettings
from .robust_measured import RobustSettings as InSetSettings
from .robust_tables import own_robust_path
from .segmentation_evaluation import certified_table, robust_table
from .segmentation_measured import CERTIFIED_KIND, ROBUST_KIND, CertifiedSettings, RobustSettings
from .segmentation_opening import open_segmenter
from .segmentation_tables import own_segmentation_path
from .tables import KIND, LEARNED_SETS, own_path

QUALITY = Measurement(
    "the quality of a learned set", KIND, open_learned_set, lambda *_: QualitySettings(), quality, own_path,
    lambda table, _, form: FORMATS[form](table), options=("distance", "radius", "steps"),
)  # fmt: skip
LIKELIHOOD = Measurement(
    "the likelihood", LIKELIHOOD_KIND, open_learned_set, lambda *_: LikelihoodSettings(), likelihood_table, own_likelihood_path,
    lambda table, _, form: likelihood_report(table, form), options=("samples", "density", "radius"), flags=("likelihood",),
)  # fmt: skip
ROBUST_SEGMENTATION = Measurement(
    "a segmenter", ROBUST_KIND, open_segmenter, lambda *_: RobustSettings(), robust_table, lambda table: own_segmentation_path(ROBUST_KIND, table),
    measured_item("learned_sets", LEARNED_SETS, find_item(LEARNED_SETS, "table", 3), ROBUST_KIND), options=("learned_set", "steps"),
)  # fmt: skip
CERTIFIED_SEGMENTATION = Measurement(
    "a segmenter's certificates", CERTIFIED_KIND, open_segmenter, lambda *_: CertifiedSettings(), certified_table, lambda table: own_segmentation_path(CERTIFIED_KIND, table),
    measured_item("learned_sets", LEARNED_SETS, find_item(LEARNED_SETS, "figure", 17), CERTIFIED_KIND), options=("learned_set", "steps", "samples"), flags=("certified",),
)  # fmt: skip


def in_set(open_classifier: Callable[..., Any]) -> tuple[Measurement, Measurement]:
    """Accuracies on real perturbations and under attack in a learned set, and certified ones, of what the function opens."""

    def told(number: int, kind: str) -> Callable[..., str]:
        return measured_item("learned_sets", LEARNED_SETS, find_item(LEARNED_SETS, "table", number), kind)

    robust = Measurement(
        "a classifier in a learned set", IN_SET_KIND, open_classifier, lambda *_: InSetSettings(), robust_in_set, lambda table: own_robust_path(IN_SET_KIND, table),
        told(2, IN_SET_KIND), options=("learned_set", "steps"), flags=("robust",),
    )  # fmt: skip
    smoothed = Measurement(
        "a smoothed classifier in a learned set", SMOOTHED_KIND, open_classifier, lambda *_: SmoothedSettings(), smoothed_table, lambda table: own_robust_path(SMOOTHED_KIND, table),
        told(9, SMOOTHED_KIND), options=("learned_set", "steps", "samples", "sigma"), flags=("smoothed",),
    )  # fmt: skip
    return robust, smoothed
