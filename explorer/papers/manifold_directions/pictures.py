"""What a class-conditional VAE draws: every class at the same latents."""

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.models import ClassConditionalVAE
from explorer.randomness import Streams


def class_samples(model: ClassConditionalVAE, rows: int, seed: int = 0) -> Float[Tensor, "n c h w"]:
    """Row by row one draw of the prior, decoded as each of the classes."""
    device = next(model.parameters()).device
    z = Streams(seed, range(rows), purpose="members").normal((model.latent_dim,)).to(device)
    labels = torch.arange(model.classes, device=device)
    with torch.inference_mode():
        return model.decode(z.repeat_interleave(model.classes, 0), labels.repeat(rows))
