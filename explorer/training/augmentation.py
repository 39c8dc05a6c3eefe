"""Images as they are shown to a network in training: moved a little, each time differently."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def mirrored_and_shifted(
    images: Float[Tensor, "batch c h w"], generator: torch.Generator, shift: int = 4
) -> Float[Tensor, "batch c h w"]:
    """Each image mirrored left to right with probability ½ and moved by up to `shift` pixels in each direction, black coming in
    (the transforms of CROWN-IBP's CIFAR-10 training)."""
    count, _, height, width = images.shape
    mirror = torch.rand(count, generator=generator) < 0.5
    down, right = torch.randint(2 * shift + 1, (2, count), generator=generator)
    rows = (down[:, None] + torch.arange(height)).to(images.device)
    columns = torch.arange(width).expand(count, -1)
    columns = (right[:, None] + torch.where(mirror[:, None], columns.flip(1), columns)).to(images.device)
    framed = F.pad(images, [shift] * 4)
    examples = torch.arange(count, device=images.device)
    return framed[examples[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
