"""The transpose of a convolution, by whichever of torch's kernels is fast for its channels: the same values each time."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

FEW = 8  # channels that a strided transposed convolution is slow to reach on a CPU
NARROW = 32  # channels up to which a convolution with the flipped kernel is faster there


def transposed_convolution(
    rows: Float[Tensor, "n outputs h w"],
    weight: Float[Tensor, "outputs inputs_per_group kh kw"],
    *,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    size: tuple[int, int],
) -> Float[Tensor, "n inputs height width"]:
    """What the transpose of `conv2d(·, weight, None, stride, padding, dilation, groups)` makes of rows, for inputs of that size."""
    plain = rows.device.type == "cpu" and groups == 1 and dilation == (1, 1)
    if plain and stride == (1, 1) and weight.shape[0] <= NARROW and all(p < k for p, k in zip(padding, weight.shape[2:])):
        return _flipped(rows, weight, padding, size)
    if plain and stride[0] == stride[1] > 1 and weight.shape[1] <= FEW:
        return _by_phases(rows, weight, stride[0], padding, size)
    if plain and weight.shape[0] > NARROW:
        rows = rows.contiguous(memory_format=torch.channels_last)
    spans = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in zip(rows.shape[2:], stride, padding, dilation, weight.shape[2:])]
    extra = [have - span for have, span in zip(size, spans)]
    return F.conv_transpose2d(rows, weight, None, stride, padding, extra, groups, dilation)


def _flipped(rows: Tensor, weight: Tensor, padding: tuple[int, int], size: tuple[int, int]) -> Tensor:
    kernel = weight.flip(2, 3).transpose(0, 1)
    return F.conv2d(rows, kernel, padding=[k - 1 - p for k, p in zip(weight.shape[2:], padding)])[..., : size[0], : size[1]]


def _by_phases(rows: Tensor, weight: Tensor, stride: int, padding: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Pixels that lie equally far from the last multiple of the stride come from one convolution; all of these are one with stride²
    times as many channels, whose output is then woven together (Shi et al., 2016)."""
    outputs, inputs, *kernel = weight.shape
    taps = [-(-k // stride) for k in kernel]
    whole = F.pad(weight, [0, taps[1] * stride - kernel[1], 0, taps[0] * stride - kernel[0]])
    phases = whole.view(outputs, inputs, taps[0], stride, taps[1], stride).permute(1, 3, 5, 0, 2, 4).reshape(-1, outputs, *taps)
    woven = F.pixel_shuffle(F.conv2d(rows, phases.flip(2, 3), padding=[t - 1 for t in taps]), stride)
    missing = [max(0, p + n - have) for p, n, have in zip(padding, size, woven.shape[2:])]
    woven = F.pad(woven, [0, missing[1], 0, missing[0]]) if any(missing) else woven
    return woven[..., padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]
