"""A vector-quantised autoencoder (van den Oord et al., 2017) whose codes are moving averages of what they stand for."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError, InvalidInput


@dataclass(frozen=True)
class VqVaeConfig:
    """{} is AdA's network of 762,053 numbers (Appendix E.6): 695,491 weights and codes, and 66,562 of the moving averages."""

    channels: int = 3
    width: int = 128
    residual_width: int = 32
    residual_blocks: int = 2
    codes: int = 512
    code_size: int = 64
    decay: float = 0.99

    def __post_init__(self):
        limits = {name: (1, 65536) for name in ("width", "residual_width", "codes", "code_size")}
        if problems := out_of_range(self, channels=(1, 16), residual_blocks=(0, 64), decay=(0, 1), **limits):
            raise ConfigurationError(problems)


@dataclass(frozen=True, eq=False)
class Quantised:
    """The nearest codes with gradients passed on to what they stand for, their numbers, and the squared distance to them per entry."""

    codes: Float[Tensor, "batch size rows columns"]
    indices: Int[Tensor, "batch rows columns"]
    commitment: Float[Tensor, "batch"]


class Codebook(nn.Module):
    """Codes as moving averages without their bias to 0 (van den Oord et al., 2017, Appendix A.1); they move while the network trains."""

    def __init__(self, codes: int, size: int, decay: float):
        super().__init__()
        self.decay = decay
        self.register_buffer("codes", torch.randn(codes, size))
        for name, shape in {"count": (codes,), "total": (codes, size)}.items():
            self.register_buffer(f"{name}_hidden", torch.zeros(shape))
            self.register_buffer(f"{name}_average", torch.zeros(shape))
            self.register_buffer(f"{name}_steps", torch.zeros(()))

    def forward(self, z: Float[Tensor, "batch size rows columns"]) -> Quantised:
        flat = z.movedim(1, -1)
        indices = (self.codes.square().sum(1) - 2 * flat @ self.codes.mT).argmin(-1)
        nearest = self.codes[indices].movedim(-1, 1)
        if self.training:
            self._move(flat.detach().flatten(0, 2), indices.flatten())
        return Quantised(z + (nearest - z).detach(), indices, (nearest.detach() - z).square().flatten(1).mean(1))

    @torch.no_grad()
    def _move(self, entries: Float[Tensor, "entries size"], indices: Int[Tensor, "entries"]) -> None:
        chosen = F.one_hot(indices, len(self.codes)).to(entries)
        count, total = self._average("count", chosen.sum(0)), self._average("total", chosen.mT @ entries)
        sum_of_counts = count.sum()
        count = (count + 1e-5) / (sum_of_counts + len(count) * 1e-5) * sum_of_counts
        self.codes.copy_(total / count[:, None])

    def forget(self) -> None:
        """Put the moving averages back to 0, which only training needs; the codes stay."""
        for name, buffer in self.named_buffers():
            if name != "codes":
                buffer.zero_()

    def _average(self, name: str, value: Tensor) -> Tensor:
        hidden, average, steps = (getattr(self, f"{name}_{part}") for part in ("hidden", "average", "steps"))
        steps += 1
        hidden += (1 - self.decay) * (value - hidden)
        average.copy_(hidden / (1 - self.decay**steps))
        return average


class VqVae(nn.Module):
    """Halves twice, quantises each place, doubles twice."""

    def __init__(self, config: VqVaeConfig):
        super().__init__()
        half, width = max(1, config.width // 2), config.width
        self.encoder = nn.Sequential(
            nn.Conv2d(config.channels, half, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(half, width, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), ResidualStack(config),
            nn.Conv2d(width, config.code_size, 1),
        )  # fmt: skip
        self.codebook = Codebook(config.codes, config.code_size, config.decay)
        self.decoder = nn.Sequential(
            nn.Conv2d(config.code_size, width, 3, padding=1), ResidualStack(config),
            nn.ConvTranspose2d(width, half, 4, stride=2, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(half, config.channels, 4, stride=2, padding=1),
        )  # fmt: skip

    def encode(self, x: Float[Tensor, "batch channels height width"]) -> Quantised:
        """Pixels are centred on 0 first. Raises InvalidInput for sides that are not multiples of 4."""
        if x.shape[-1] % 4 or x.shape[-2] % 4:
            raise InvalidInput(f"the VQ-VAE takes images whose sides are multiples of 4, got {x.shape[-2]} × {x.shape[-1]}. Resize the images.")
        return self.codebook(self.encoder(x - 0.5))

    def decode(self, codes: Float[Tensor, "batch size rows columns"]) -> Float[Tensor, "batch channels height width"]:
        return self.decoder(codes) + 0.5

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        return self.decode(self.encode(x).codes)


class ResidualStack(nn.Module):
    """x + 1×1(ReLU(3×3(ReLU(x)))), so many times, then ReLU."""

    def __init__(self, config: VqVaeConfig):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Conv2d(config.width, config.residual_width, 3, padding=1), nn.ReLU(), nn.Conv2d(config.residual_width, config.width, 1))
            for _ in range(config.residual_blocks)
        )

    def forward(self, x: Float[Tensor, "batch width height columns"]) -> Float[Tensor, "batch width height columns"]:
        for block in self.blocks:
            x = x + block(x)
        return F.relu(x)


def vq_vae(config: VqVaeConfig) -> VqVae:
    return VqVae(config)
