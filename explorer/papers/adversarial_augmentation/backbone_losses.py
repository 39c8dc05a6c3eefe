"""What each image-to-image network learns (AdA, Appendix E.6). Every loss has one signature; per pixel, a mean over each image."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.models.corruption_networks import CompressiveAutoencoder, Edsr, VqVae
from explorer.training import Loss, Rows, State

from .backbone_config import BackboneConfig


def backbone_loss(config: BackboneConfig, images: Float[Tensor, "n channels height width"]) -> Loss:
    """The network's task, on batches (images,). `images` are those it is trained with."""
    return {
        "completion_unet": lambda: completion(*config.removed, config.squared_share),
        "vq_vae": lambda: quantised(config.commitment, float(images.var())),
        "edsr": lambda: enlargement,
        "compressive_autoencoder": lambda: compression,
    }[config.model]()


def completion(fewest: float, most: float, squared_share: float) -> Loss:
    """|c(x̃) − x| + squared_share·(c(x̃) − x)², where x̃ lacks a share of the pixels, another for each image: all channels of those are 0."""

    def loss(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
        (images,) = batch
        error = model(without_pixels(images, fewest, most, state.generator, state.rows)) - images
        return _mean(error.abs() + squared_share * error.square())

    return loss


def without_pixels(images: Float[Tensor, "batch c h w"], fewest: float, most: float, generator: torch.Generator, rows: Rows | None = None) -> Float[Tensor, "batch c h w"]:
    """Each image with a share of its pixels, uniform between `fewest` and `most`, set to 0."""
    count, _, height, width = images.shape
    rows = rows or Rows(0, count, count)
    shares = fewest + (most - fewest) * rows.of(torch.rand(rows.whole, generator=generator))
    kept = rows.of(torch.rand(rows.whole, height, width, generator=generator)) >= shares[:, None, None]
    return images * kept[:, None].to(images)


def quantised(commitment: float, variance: float) -> Loss:
    """(c(x) − x)²/variance + commitment·(z − code)², the codes moving by averages (van den Oord et al., 2017, eq. 3 and Appendix A.1); the
    division by the images' variance is that of Sonnet's example."""

    def loss(model: VqVae, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
        (images,) = batch
        found = model.encode(images)
        return _mean((model.decode(found.codes) - images).square()) / variance + commitment * found.commitment

    return loss


def enlargement(model: Edsr, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
    """|enlarge(small) − x| with x reduced by bicubic interpolation (Lim et al., 2017, §3.3)."""
    (images,) = batch
    small = F.interpolate(images, scale_factor=1 / model.scale, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
    return _mean((model.enlarge(small) - images).abs())


def compression(model: CompressiveAutoencoder, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch"]:
    """(decode(bits) − x)² with drawn bits (Theis et al., 2017, without the rate: the number of bits is fixed)."""
    (images,) = batch
    code = model.encode(images)
    noise = state.draws(len(code), lambda count: torch.rand(count, *code.shape[1:], generator=state.generator)).to(code)
    return _mean((model.decode(model.binarise(code, noise)) - images).square())


def _mean(errors: Float[Tensor, "batch c h w"]) -> Float[Tensor, "batch"]:
    return errors.flatten(1).mean(1)
