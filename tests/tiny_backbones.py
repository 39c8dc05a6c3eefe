"""Image-to-image networks that are computed in moments, as checkpoints."""

from pathlib import Path

import torch

from explorer.checkpoints import Header, save
from explorer.models import build_model
from explorer.papers.adversarial_augmentation.backbone_config import KIND

CONFIGS = {"completion_unet": {"widths": [3, 4]}, "edsr": {"features": 4, "blocks": 1}, "affine_warp": {}}


def save_backbone(folder: Path, model: str = "edsr", dataset: str = "digits", channels: int = 1) -> Path:
    """Random weights, with which EDSR hardly rebuilds an image; the affine warp leaves it as it is."""
    torch.manual_seed(0)
    config, name = {**CONFIGS[model], "channels": channels}, f"tiny-{model.replace('_', '-')}"
    header = Header(KIND, name, model, config, {"name": dataset}, training={"dataset": dataset}, metrics={"ssim": 0.5}, seed=0, radius=0.0, percentile_radii={})
    path = folder / f"{name}.safetensors"
    save(path, build_model(model, config), header)
    return path
