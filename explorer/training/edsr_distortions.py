"""What DeepAugment does to EDSR (Hendrycks et al., 2020a, in its published form): 17 distortions of weights, and some of activations.

Blocks of residual weights are counted as in the published network of 16; of a smaller one the number is taken modulo its size."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.models.corruption_networks import Edsr
from explorer.models.corruption_networks.super_resolution import RANGE

from .drawing import Drawn, set_weights

DRAWN_WEIGHTS, BEFORE_BODY, IN_BODY = 3, 4, 5  # weight distortions for one network; kinds of the others, the last of which changes nothing
CROSS, RING = ((0, 1, 0), (1, -4, 1), (0, 1, 0)), ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1))
MIDDLE = 5  # blocks, after which activations are distorted
Distortion = Callable[[Drawn], None]


def _block(drawn: Drawn, numbers: Sequence[int]) -> nn.Module:
    """One of these residual blocks."""
    body = drawn.network.body
    return body[drawn.one_of(numbers) % (len(body) - 1)]


def _convolutions(drawn: Drawn, count: int, first_only: bool) -> list[nn.Conv2d]:
    """So many of all blocks but the last, drawn anew each."""
    blocks = [_block(drawn, range(15)) for _ in range(count)]
    return [block.first if first_only else drawn.one_of((block.first, block.second)) for block in blocks]


def _reverse_filters(drawn: Drawn) -> None:
    block = _block(drawn, (0, 3, 6, 9))
    for each in (block.first, block.second):
        set_weights(each, each.weight.flip(0), each.bias.flip(0))


def _negate(drawn: Drawn) -> None:
    first = _block(drawn, (1, 4, 7)).first
    set_weights(first, -first.weight, -first.bias)


def _zero(drawn: Drawn) -> None:
    first = _block(drawn, (0, 3, 6, 9)).first
    set_weights(first, 0 * first.weight, 0 * first.bias)


def _minus_gelu(drawn: Drawn) -> None:
    block = _block(drawn, (0, 3, 6, 9))
    for each in (block.first, block.second):
        set_weights(each, -F.gelu(each.weight))


def _laplacian(kernel: tuple[tuple[int, ...], ...]) -> Distortion:
    def distort(drawn: Drawn) -> None:
        first = _block(drawn, (0, 3, 6, 9)).first
        set_weights(first, first.weight * torch.tensor(kernel).to(first.weight))

    return distort


def _noise(drawn: Drawn) -> None:
    second = _block(drawn, (0, 3, 6, 9)).second
    set_weights(second, second.weight * (1 + 4 * float(drawn.uniform()) * drawn.uniform(*second.weight.shape).to(second.weight)))


def _mirror_and_negate(drawn: Drawn) -> None:
    block = _block(drawn, (0, 3, 6, 9))
    set_weights(block.first, block.first.weight.flip(3))
    set_weights(block.second, -block.second.weight)


def _shifts(drawn: Drawn) -> None:
    """Each map moved by at most a pixel and signed, and all of them added, which makes a filter the same for all its inputs."""
    first = _block(drawn, (1, 5, 9)).first
    kernel = torch.zeros(first.in_channels, first.in_channels, 3, 3)
    for place in range(first.in_channels):
        kernel[:, place, drawn.whole(0, 3), drawn.whole(0, 3)] = 1.0 - 2.0 * drawn.whole(0, 2)
    _convolve(first, kernel)


def _random_kernels(drawn: Drawn) -> None:
    first = _block(drawn, (0, 3, 6, 9)).first
    _convolve(first, (2 * drawn.uniform(first.in_channels, first.in_channels, 3, 3) * float(drawn.uniform()) - 1) / 6)


def _dirichlet_kernels(drawn: Drawn) -> None:
    second = _block(drawn, (1, 5, 9)).second
    shares = torch._standard_gamma(torch.full((second.in_channels, second.in_channels, 9), 0.1, dtype=torch.float64), generator=drawn.generator).clamp(min=1e-300)
    _convolve(second, (shares / shares.sum(2, keepdim=True)).view(second.in_channels, second.in_channels, 3, 3))


def _add_noise(drawn: Drawn) -> None:
    second = _block(drawn, range(15)).second
    set_weights(second, second.weight + (drawn.uniform(*second.weight.shape) - 0.5).to(second.weight))


def _turn(drawn: Drawn) -> None:
    for each in _convolutions(drawn, 5, first_only=False):
        set_weights(each, each.weight.rot90(drawn.whole(1, 4), drawn.one_of(((2, 3), (0, 1)))))


def _random_signs(drawn: Drawn) -> None:
    for each in _convolutions(drawn, 5, first_only=True):
        set_weights(each, each.weight * (2 * drawn.uniform(*each.weight.shape).round() - 1).to(each.weight))


def _random_holes(drawn: Drawn) -> None:
    for each in _convolutions(drawn, 5, first_only=True):
        set_weights(each, each.weight * drawn.uniform(*each.weight.shape).round().to(each.weight))


def _negate_filters(drawn: Drawn) -> None:
    for each in _convolutions(drawn, 5, first_only=True):
        chosen = torch.randint(len(each.weight), (32 * len(each.weight) // 64,), generator=drawn.generator).unique().to(each.weight.device)
        set_weights(each, each.weight.index_copy(0, chosen, -each.weight[chosen]))


def _largest_tap(drawn: Drawn) -> None:
    for each in _convolutions(drawn, 5, first_only=False):
        taps = each.weight.flatten(2)
        largest, place = taps.max(2, keepdim=True)
        set_weights(each, torch.zeros_like(taps).scatter(2, place, largest).view(each.weight.shape))


WEIGHTS: tuple[Distortion, ...] = (
    _reverse_filters, _negate, _zero, _minus_gelu, _laplacian(CROSS), _laplacian(RING), _noise, _mirror_and_negate, _shifts, _random_kernels,
    _dirichlet_kernels, _add_noise, _turn, _random_signs, _random_holes, _negate_filters, _largest_tap,
)  # fmt: skip


@torch.no_grad()
def distort_weights(network: Edsr, generator: torch.Generator) -> None:
    """Three of the 17, one after the other; the same one can come again."""
    drawn = Drawn(network, generator)
    for _ in range(DRAWN_WEIGHTS):
        drawn.one_of(WEIGHTS)(drawn)


@torch.no_grad()
def distorted_image(network: Edsr, image: Float[Tensor, "1 c h w"], generator: torch.Generator) -> Float[Tensor, "1 c h w"]:
    """One image through the network, with distorted activations before its body and in it, at the image's own size."""
    drawn = Drawn(network, generator)
    hidden = _before_body(network.head(RANGE * (image - network.mean)), drawn)
    enlarged = network.tail(hidden + _in_body(hidden, drawn)) / RANGE + network.mean
    return F.avg_pool2d(enlarged, network.scale).clamp(0, 1)


def _before_body(hidden: Float[Tensor, "1 maps h w"], drawn: Drawn) -> Float[Tensor, "1 maps h w"]:
    kind = drawn.whole(0, BEFORE_BODY)
    if kind == 0:  # the published exchange copies one map over the other
        hidden = hidden.clone()
        for _ in range(5):
            first, second = drawn.whole(0, hidden.shape[1]), drawn.whole(0, hidden.shape[1])
            hidden[:, first] = hidden[:, second]
    elif kind in (1, 2):
        kept = drawn.uniform(*hidden.shape).to(hidden) > (0.05 if kind == 1 else 0.025)
        hidden = torch.where(kept, hidden, 0.0 if kind == 1 else -hidden)
    return hidden


def _in_body(hidden: Float[Tensor, "1 maps h w"], drawn: Drawn) -> Float[Tensor, "1 maps h w"]:
    kind, body = drawn.whole(0, IN_BODY), drawn.network.body
    if kind == 3:  # the published loop gives every layer that it does not skip the body's input, so that only the last one counts
        skipped = {drawn.whole(2, 17) for _ in range(3)}
        return next((body[place] for place in reversed(range(len(body))) if place not in skipped), body[0])(hidden)
    middle = min(MIDDLE, len(body) - 1)
    found, third = body[:middle](hidden), drawn.whole(0, 3) == 1
    if kind == 0:
        found = -found
    elif kind == 1:
        found = F.relu(found) if third else F.gelu(found)
    elif kind == 2:
        found = found.flip((1, 2) if third else (1, 3))
    return body[middle:](found)


def _convolve(layer: nn.Conv2d, kernel: Tensor) -> None:
    set_weights(layer, F.conv2d(layer.weight, kernel.to(layer.weight), padding=1))
