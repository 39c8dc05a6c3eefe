"""The smallest checkpoints of classifiers, with and without a generator of budgets."""

from pathlib import Path

import torch

from explorer.checkpoints import Header, save
from explorer.models import build_model

CLASSIFIER = {"widths": [2, 3], "hidden_units": [6]}
VOLUME = 0.02


def save_tiny(folder: Path, learned: bool = True, dataset: str = "digits", classes: int = 10, name: str = "", **training) -> Path:
    """Random weights, biased so that a part of the digits is classified right."""
    classifier = {**CLASSIFIER, "classes": classes}
    config = {"classifier_config": classifier, "rank": 4, "volume": VOLUME, "alpha": 0.25} if learned else classifier
    kind = "budgeted_classifier" if learned else "dm_small"
    name = name or ("tiny-budgets" if learned else "tiny-uniform")
    torch.manual_seed(0)
    model = build_model(kind, config)
    header = Header(
        kind="classifier", name=name, model=kind, model_config=config, dataset={"name": dataset}, metrics={}, seed=0, radius=VOLUME, percentile_radii={},
        training={"budgets": "learned" if learned else "uniform", "volume": VOLUME, "dataset": dataset, "seed": 0, **training},
    )  # fmt: skip
    path = folder / f"{name}.safetensors"
    save(path, model, header)
    return path
