"""A classifier and a class-conditional VAE of the embedded digits that can be measured in moments, as checkpoints and opened."""

from dataclasses import asdict
from pathlib import Path

import torch

from explorer.checkpoints import Header, save
from explorer.models import build_model
from explorer.papers import EXPERIMENTS

CLASSIFIER = {"widths": [2, 3], "hidden_units": [8]}
VAE = {"hidden_units": 4, "latent_dim": 3}


def write(folder: Path, experiment: str = "lenet-digits-pgd") -> tuple[Path, Path]:
    """The files of a classifier, as if that experiment had trained it, and of its VAE."""
    torch.manual_seed(0)
    paths = []
    for kind, name, model, config in (("class_cvae", "class-cvae-digits", "class_mlp_cvae", VAE), ("classifier", experiment, "lenet5", CLASSIFIER)):
        training = {**asdict(EXPERIMENTS[name].config), "sources": list(getattr(EXPERIMENTS[name].config, "sources", ()))}
        if paths:
            training["vae"] = str(paths[0])
        header = Header(kind, name, model, config, {"name": "digits"}, training, {}, 0, 0.0, {})
        paths.append(folder / f"{name}.safetensors")
        save(paths[-1], build_model(model, config), header)
    return paths[1], paths[0]
