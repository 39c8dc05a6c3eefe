"""The five papers: what they train, with their own settings, and their tables and figures."""

from .adversarial_augmentation import ADVERSARIAL_AUGMENTATION
from .adversarial_augmentation.backbone_experiments import EXPERIMENTS as BACKBONE_EXPERIMENTS
from .adversarial_augmentation.experiments import EXPERIMENTS as AUGMENTATION_EXPERIMENTS
from .adversarial_augmentation.measured import TABLES as AUGMENTATION_TABLES
from .adversarial_augmentation.costs import COSTS_KIND, CostTable
from .adversarial_augmentation.parameter_noise import NOISE_KIND, NoiseTable
from .adversarial_augmentation.reconstruction import RECONSTRUCTION_KIND, ReconstructionTable
from .adversarial_augmentation.similarity import SIMILARITY_KIND, SimilarityTable
from .base import Experiment, Filled, Item, Paper, Row, status
from .certified_vae import CERTIFIED_VAE
from .certified_vae import EXPERIMENTS as CERTIFIED_VAE_EXPERIMENTS
from .certified_vae import TABLES as CERTIFIED_VAE_TABLES
from .contextual_budgets import CONTEXTUAL_BUDGETS
from .contextual_budgets import EXPERIMENTS as CONTEXTUAL_BUDGETS_EXPERIMENTS
from .contextual_budgets.measured import TABLES as CONTEXTUAL_BUDGETS_TABLES
from .learned_sets import EXPERIMENTS as LEARNED_SETS_EXPERIMENTS
from .learned_sets.likelihoods import KIND as LIKELIHOOD_KIND
from .learned_sets.likelihoods import LikelihoodTable
from .learned_sets.quality import QualityTable
from .learned_sets.robust_measured import TABLES as IN_SET_TABLES
from .learned_sets.segmentation_experiments import EXPERIMENTS as SEGMENTATION_EXPERIMENTS
from .learned_sets.segmentation_measured import TABLES as SEGMENTATION_TABLES
from .learned_sets.tables import KIND, LEARNED_SETS
from .manifold_directions import EXPERIMENTS as MANIFOLD_DIRECTIONS_EXPERIMENTS
from .manifold_directions import MANIFOLD_DIRECTIONS
from .manifold_directions.measured import TABLES as MANIFOLD_DIRECTIONS_TABLES
from .results import Results, read_results, save_result

__all__ = ["EXPERIMENTS", "PAPERS", "RESULTS", "Experiment", "Filled", "Item", "Paper", "Results", "Row", "read_results", "save_result", "status"]

EXPERIMENTS: dict[str, Experiment] = {**LEARNED_SETS_EXPERIMENTS, **SEGMENTATION_EXPERIMENTS, **CERTIFIED_VAE_EXPERIMENTS, **CONTEXTUAL_BUDGETS_EXPERIMENTS, **MANIFOLD_DIRECTIONS_EXPERIMENTS, **BACKBONE_EXPERIMENTS, **AUGMENTATION_EXPERIMENTS}

PAPERS: dict[str, Paper] = {
    "learned_sets": LEARNED_SETS,
    "contextual_budgets": CONTEXTUAL_BUDGETS,
    "certified_vae": CERTIFIED_VAE,
    "adversarial_augmentation": ADVERSARIAL_AUGMENTATION,
    "manifold_directions": MANIFOLD_DIRECTIONS,
}

RESULTS: dict[str, type] = {KIND: QualityTable, LIKELIHOOD_KIND: LikelihoodTable, SIMILARITY_KIND: SimilarityTable, NOISE_KIND: NoiseTable, COSTS_KIND: CostTable, RECONSTRUCTION_KIND: ReconstructionTable, **IN_SET_TABLES, **SEGMENTATION_TABLES, **CERTIFIED_VAE_TABLES, **CONTEXTUAL_BUDGETS_TABLES, **MANIFOLD_DIRECTIONS_TABLES, **AUGMENTATION_TABLES}  # kinds of results files and what they hold
