"""The smallest VAE of images that has every component."""

import torch

from explorer.models import VAE, build_model

CONFIG = {"height": 8, "width": 8, "latent_dim": 3, "widths": [4, 6], "hidden_units": 8}


def tiny_vae(seed: int = 0) -> VAE:
    """Random weights, large enough that the latents matter."""
    torch.manual_seed(seed)
    model = build_model("vae", CONFIG).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.mul_(2)
    return model


def batch(count: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Images, and noise for them."""
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(count, 1, 8, 8, generator=draw), torch.randn(count, CONFIG["latent_dim"], generator=draw)
