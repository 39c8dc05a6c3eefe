"""Segmenters: the paper's five trainings on multi-illumination scenes, and narrow ones on rendered scenes."""

from dataclasses import replace

from explorer.papers.base import Experiment

from .segmentation_config import METHODS, SegmenterConfig, problems
from .segmentation_training import steps, train

PAPER = SegmenterConfig()
SCENES = replace(
    PAPER, dataset="lit_scenes", learned_set="scenes-lighting", widths=(8, 16, 24, 32), steps=3, step_size=0.5, epochs=25, passes=4, batch_size=16,
    learning_rate=((0.0, 0.0), (10.0, 0.01), (25.0, 0.0)), crop_padding=5,
)  # fmt: skip
PREFIXES: dict[str, tuple[SegmenterConfig, str]] = {
    "segmentation-mi": (PAPER, "materials of multi-illumination scenes of 125×187, trained on {}: the paper's settings"),
    "segmentation-scenes": (SCENES, "materials of rendered scenes, a narrow U-Net trained on {}: trains in minutes, no download"),
}

EXPERIMENTS: dict[str, Experiment] = {
    f"{prefix}-{method}": Experiment(replace(config, method=method), train, problems, steps, "learned_sets", text.format(how), replace(PAPER, method=method))
    for prefix, (config, text) in PREFIXES.items()
    for method, how in METHODS.items()
}
