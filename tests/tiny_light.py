"""Networks of few channels for scenes under several lights: a CVAE and a segmenter of 16 × 24, and checkpoints of 16 × 16."""

from pathlib import Path

import torch

from explorer import checkpoints
from explorer.data.scenes import CACHE_VARIABLE, lit
from explorer.models import build_model

TINY_UNET = {"height": 16, "width": 24, "level_widths": [4, 6, 8], "skip_channels": 2, "pooled": [[4, 6], [4, 6], [2, 3]], "latent_dims": [3, 2, 1]}
TINY_SEGMENTER = {"height": 16, "width": 24, "widths": [4, 6, 8], "classes": 5}
EDGE = 16
SMALL_SET = {"height": EDGE, "width": EDGE, "level_widths": [4, 4], "skip_channels": 2, "pooled": [[2, 2], [1, 1]], "latent_dims": [3, 2]}
SMALL_SEGMENTER = {"height": EDGE, "width": EDGE, "widths": [4, 4], "classes": 9}


def small_scenes(monkeypatch, folder: Path) -> None:
    """Rendered scenes of 16 × 16, one of each split to hold out, kept in a folder of their own."""
    monkeypatch.setattr(lit, "SIZE", EDGE)
    for split in ("validation", "test"):
        monkeypatch.setitem(lit.COUNTS, split, 1)
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))


def save_lighting_set(path: Path, **changes) -> Path:
    """An untrained learned set of 16 × 16, or of other sizes."""
    torch.manual_seed(0)
    config = {**SMALL_SET, **changes}
    header = checkpoints.Header(
        kind="learned_set", name=path.stem, model="unet_cvae", model_config=config, dataset={"name": "lit_scenes", "pairs": "lights"}, training={}, metrics={}, seed=0,
        radius=2.0, percentile_radii={"25": 0.5, "50": 1.0, "75": 1.5, "100": 2.0},
    )  # fmt: skip
    checkpoints.save(path, build_model("unet_cvae", config), header)
    return path


def save_segmenter(path: Path, learned_set: Path) -> Path:
    """An untrained segmenter of 16 × 16 that says that it was trained with that set."""
    torch.manual_seed(1)
    header = checkpoints.Header(
        kind="segmenter", name=path.stem, model="segmentation_unet", model_config=SMALL_SEGMENTER, dataset={"name": "lit_scenes"}, training={"learned_set": str(learned_set)},
        metrics={}, seed=0, radius=0.0, percentile_radii={},
    )  # fmt: skip
    checkpoints.save(path, build_model("segmentation_unet", SMALL_SEGMENTER), header)
    return path
