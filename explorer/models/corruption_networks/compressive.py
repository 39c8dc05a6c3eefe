"""A compressive autoencoder with binary codes (Theis et al., 2017), in the layout of the weights that DeepAugment uses."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError, InvalidInput


@dataclass(frozen=True)
class CaeConfig:
    """{} has AdA's 2,241,859 parameters. `widths` are those of the two halvings, `bits` binary maps of a quarter of the image's size."""

    channels: int = 3
    widths: tuple[int, int] = (64, 128)
    bits: int = 32
    decoder: tuple[int, int, int] = (64, 256, 16)
    blocks: int = 3

    def __post_init__(self):
        if problems := out_of_range(self, channels=(1, 16), widths=(1, 4096), bits=(1, 4096), decoder=(1, 4096), blocks=(0, 64)):
            raise ConfigurationError(problems)


class CompressiveAutoencoder(nn.Module):
    """Halves twice with 5 × 5 convolutions, codes each place in bits, and doubles twice with 2 × 2 transposed convolutions, which leave a grid.

    `forward` takes the sign of the code as its bits, so that the same image gives the same output; training draws them by given noise (Theis et
    al., as published: P(1) = (1 + e)/2). Gradients pass bits unchanged."""

    def __init__(self, config: CaeConfig):
        super().__init__()
        first, second = config.widths
        before, wide, narrow = config.decoder
        self.encode1, self.encode2 = nn.Conv2d(config.channels, first, 5, stride=2), nn.Conv2d(first, second, 5, stride=2)
        self.encoder_blocks = nn.ModuleList(Block(second) for _ in range(config.blocks))
        self.encode3 = nn.Conv2d(second, config.bits, 5, padding=2)
        self.decode1, self.double1 = nn.Conv2d(config.bits, before, 3), nn.ConvTranspose2d(before, second, 2, stride=2)
        self.decoder_blocks = nn.ModuleList(Block(second) for _ in range(config.blocks))
        self.decode2, self.double2 = nn.Conv2d(second, config.bits, 3), nn.ConvTranspose2d(config.bits, wide, 2, stride=2)
        self.decode3, self.last = nn.Conv2d(wide, narrow, 3), nn.Conv2d(narrow, config.channels, 3)

    def encode(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch bits rows columns"]:
        """Before the bits, in [−1, 1]."""
        if x.shape[-1] % 4 or x.shape[-2] % 4 or min(x.shape[-2:]) < 12:
            raise InvalidInput(f"the compressive autoencoder takes images whose sides are multiples of 4, from 12 pixels on, got {x.shape[-2]} × {x.shape[-1]}. Resize the images.")
        hidden = F.leaky_relu(self.encode1(F.pad(x, (1, 2, 1, 2))))
        hidden = F.leaky_relu(self.encode2(F.pad(hidden, (1, 2, 1, 2))))
        for block in self.encoder_blocks:
            hidden = hidden + block(hidden)
        return torch.tanh(self.encode3(hidden))

    def binarise(self, code: Float[Tensor, "batch bits rows columns"], noise: Float[Tensor, "batch bits rows columns"] | None = None) -> Float[Tensor, "batch bits rows columns"]:
        """−1 or 1 at each place: the sign, or drawn by `noise`, uniform in [0, 1)."""
        ones = code >= 0 if noise is None else noise < (1 + code) / 2
        return code + (torch.where(ones, 1.0, -1.0) - code).detach()

    def decode(self, bits: Float[Tensor, "batch bits rows columns"]) -> Float[Tensor, "batch channels height width"]:
        hidden = self.double1(F.pad(F.leaky_relu(self.decode1(bits)), (1, 1, 1, 1)))
        for block in self.decoder_blocks:
            hidden = hidden + block(hidden)
        hidden = self.double2(F.pad(F.leaky_relu(self.decode2(hidden)), (1, 1, 1, 1)))
        return torch.tanh(self.last(F.pad(F.leaky_relu(self.decode3(hidden)), (2, 2, 2, 2), mode="reflect")))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        return self.decode(self.binarise(self.encode(x)))


class Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Float[Tensor, "batch width height columns"]) -> Float[Tensor, "batch width height columns"]:
        return self.second(F.leaky_relu(self.first(x)))


def compressive_autoencoder(config: CaeConfig) -> CompressiveAutoencoder:
    return CompressiveAutoencoder(config)
