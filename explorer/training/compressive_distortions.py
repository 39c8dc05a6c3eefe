"""What DeepAugment does to the compressive autoencoder (Hendrycks et al., 2020a, in its published form): eight distortions of weights, eight of
the code, each of which can also be left out. Its ninth distortion of weights is never drawn there."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from explorer.models.corruption_networks import CompressiveAutoencoder

from .drawing import Drawn, set_weights

Layer = nn.Conv2d | nn.ConvTranspose2d
PERMUTED, FLIPPED, DOUBLING = 10, 5, 8  # maps of the code; a distortion of its bits instead


def layers(network: CompressiveAutoencoder) -> tuple[list[Layer], int]:
    """In their order from image to image, and where the decoder begins (9 in the published network of 21)."""
    encoder = [network.encode1, network.encode2, *(each for block in network.encoder_blocks for each in (block.first, block.second)), network.encode3]
    decoder = [network.decode1, network.double1, *(each for block in network.decoder_blocks for each in (block.first, block.second)), network.decode2, network.double2, network.decode3, network.last]
    return [*encoder, *decoder], len(encoder)


def _reverse_filters(first: Layer, second: Layer, drawn: Drawn) -> None:
    set_weights(first, first.weight.flip(0), first.bias.flip(0))


def _changed_filters(count: int, change: Callable[[Tensor], Tensor]) -> Callable[[Layer, Layer, Drawn], None]:
    """So many filters, drawn anew each, one after the other."""

    def distort(first: Layer, second: Layer, drawn: Drawn) -> None:
        for _ in range(count):
            place = drawn.whole(0, min(len(first.weight), len(first.bias)))
            first.weight[place] = change(first.weight[place])
            first.bias[place] = change(first.bias[place])

    return distort


def _noise(first: Layer, second: Layer, drawn: Drawn) -> None:
    for each in (first, second):
        set_weights(each, each.weight * (1 + 8 * float(drawn.uniform()) * drawn.uniform(*each.weight.shape).to(each.weight)))


def _masks(first: Layer, second: Layer, drawn: Drawn) -> None:
    signs, mask = drawn.whole(0, 2), drawn.uniform(*first.weight.shape).round().to(first.weight)
    set_weights(first, first.weight * (2 * mask - 1 if signs else mask))


def _turn(first: Layer, second: Layer, drawn: Drawn) -> None:
    set_weights(first, first.weight.rot90(drawn.whole(1, 4), (2, 3)))


def _negate_filters(first: Layer, second: Layer, drawn: Drawn) -> None:
    chosen = torch.randint(len(first.weight), (len(first.weight) // 5,), generator=drawn.generator).unique().to(first.weight.device)
    set_weights(first, first.weight.index_copy(0, chosen, -first.weight[chosen]))


WEIGHTS = {  # and between which layers, counted from the decoder's first, they are drawn
    "reverse_filters": (_reverse_filters, 2, 7),
    "negate": (_changed_filters(12, torch.neg), -1, 5),
    "zero": (_changed_filters(25, torch.zeros_like), -1, 5),
    "minus_gelu": (_changed_filters(25, lambda each: -F.gelu(each)), 1, 5),
    "noise": (_noise, -1, 5),
    "masks": (_masks, -1, 5),
    "turn": (_turn, -1, 5),
    "negate_filters": (_negate_filters, -1, 5),
}


@torch.no_grad()
def distort_weights(network: CompressiveAutoencoder, generator: torch.Generator) -> None:
    """One of the eight, in one or two layers about the beginning of the decoder."""
    drawn, (found, decoder) = Drawn(network, generator), layers(network)
    distort, low, high = drawn.one_of(tuple(WEIGHTS.values()))
    chosen = [found[min(decoder + drawn.whole(low, high), len(found) - 1)] for _ in range(2)]
    distort(*chosen, drawn)


@torch.no_grad()
def distorted_image(network: CompressiveAutoencoder, image: Float[Tensor, "1 c h w"], generator: torch.Generator) -> Float[Tensor, "1 c h w"]:
    """One image through the network, its code distorted and its bits drawn."""
    drawn = Drawn(network, generator)
    kind, code = drawn.whole(0, DOUBLING + 1), network.encode(image)
    if kind < DOUBLING:
        code = CODES[kind](code, drawn)
    bits = torch.where(drawn.uniform(*code.shape).to(code) <= (1 + code) / 2, 1.0, -1.0)
    if kind == DOUBLING:  # bits of 0 and 1 times 3 and more
        bits = (bits + 1) * (3 + 4 * float(drawn.uniform()) * drawn.uniform(*code.shape).to(code)) - 1
    return network.decode(bits).clamp(0, 1)


def _holes(code: Float[Tensor, "1 maps h w"], drawn: Drawn) -> Tensor:
    return code * (drawn.uniform(*code.shape[2:]) > 0.2).to(code)


def _signs(code: Float[Tensor, "1 maps h w"], drawn: Drawn) -> Tensor:
    return code * (2.0 * (drawn.uniform(*code.shape[2:]) > 0.1) - 1).to(code)


def _permute(code: Float[Tensor, "1 maps h w"], drawn: Drawn) -> Tensor:
    few = min(PERMUTED, code.shape[1])
    order = torch.cat([torch.randperm(few, generator=drawn.generator), torch.arange(few, code.shape[1])])
    return code[:, order.to(code.device)]


def _flip_some(code: Float[Tensor, "1 maps h w"], drawn: Drawn) -> Tensor:
    axes, code = _two_axes(drawn), code.clone()
    for _ in range(FLIPPED):
        place = drawn.whole(0, code.shape[1])
        code[:, place] = code[:, place].flip(axes)
    return code


def _flip_all(code: Float[Tensor, "1 maps h w"], drawn: Drawn) -> Tensor:
    return code.flip([axis + 1 if axis else 0 for axis in _two_axes(drawn)])


def _two_axes(drawn: Drawn) -> list[int]:
    """Of image, row and column; that of a single image changes nothing."""
    return torch.randperm(3, generator=drawn.generator)[:2].tolist()


def _identity(maps: int) -> Float[Tensor, "maps maps 3 3"]:
    kernel = torch.zeros(maps, maps, 3, 3)
    kernel[range(maps), range(maps), 1, 1] = 1
    return kernel


def _blur(code: Float[Tensor, "1 maps h w"], drawn: Drawn) -> Tensor:
    kernel = _identity(code.shape[1]) + 0.2 * (drawn.uniform(code.shape[1], code.shape[1], 3, 3) - 0.5)
    return F.conv2d(code, kernel.to(code), padding=1)


def _leak(code: Float[Tensor, "1 maps h w"], drawn: Drawn) -> Tensor:
    """Half of the maps get another one added, moved by at most a pixel."""
    kernel = _identity(code.shape[1])
    for place in range(len(kernel)):
        if drawn.uniform() < 0.5:
            kernel[place, drawn.whole(0, len(kernel)), drawn.whole(0, 3), drawn.whole(0, 3)] = 1
    return F.conv2d(code, kernel.to(code), padding=1)


def _shift(code: Float[Tensor, "1 maps h w"], drawn: Drawn) -> Tensor:
    """All maps moved by at most a pixel, together until another direction is drawn."""
    kernel, (row, column) = torch.zeros(code.shape[1], code.shape[1], 3, 3), (drawn.whole(0, 3), drawn.whole(0, 3))
    for place in range(len(kernel)):
        if drawn.uniform() < 0.2:
            row, column = drawn.whole(0, 3), drawn.whole(0, 3)
        kernel[place, place, row, column] = 1
    return F.conv2d(code, kernel.to(code), padding=1)


CODES = (_holes, _signs, _permute, _flip_some, _flip_all, _blur, _leak, _shift)
