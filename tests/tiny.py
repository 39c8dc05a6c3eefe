"""The smallest model that has every component, and a checkpoint of a tiny learned set."""

from pathlib import Path

import torch

from explorer.checkpoints import Header, save
from explorer.models import build_model

TINY = {"height": 16, "width": 16, "latent_dim": 6, "localization_widths": [8, 4], "transformers": 2}
TINY_SET = {"latent_dim": 4, "localization_widths": [8], "transformers": 1}


def save_learned_set(path: Path) -> Path:
    """An untrained learned set of the embedded digits, rotated, scaled and moved."""
    header = Header(
        kind="learned_set", name=path.stem, model="rts_cvae", model_config=TINY_SET, dataset={"name": "digits", "pairs": "rts"},
        training={}, metrics={}, seed=0, radius=2.0, percentile_radii={"100": 2.0},
    )  # fmt: skip
    torch.manual_seed(0)
    save(path, build_model("rts_cvae", TINY_SET), header)
    return path
