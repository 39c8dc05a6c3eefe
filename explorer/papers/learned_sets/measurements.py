"""What can be measured of a learned set, and of a segmenter."""

from explorer.papers.measurement import Measurement
from explorer.papers.report import find_item, measured_item

from .exploration import open_learned_set
from .likelihoods import KIND as LIKELIHOOD_KIND
from .likelihoods import LikelihoodSettings, likelihood_report, likelihood_table, own_likelihood_path
from .quality import QualitySettings, quality
from .report import FORMATS
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
