"""ONNX operators that are layers of a network: convolutions, pools, normalisations and reductions."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.errors import UnsupportedOperation

from .shapes import numbers

Pair = Sequence[int]


def convolution(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, auto_pad: str = "NOTSET", dilations: Pair = (1, 1), group: int = 1, kernel_shape: Pair = (),
    pads: Pair = (0, 0, 0, 0), strides: Pair = (1, 1),
) -> Tensor:  # fmt: skip
    _two_dimensional(x, "Conv")
    x, padding = _padded(x, _pads(x, auto_pad, pads, weight.shape[2:], strides, dilations), 0.0, weight.shape[2:])
    return F.conv2d(x, weight, bias, tuple(strides), padding, tuple(dilations), group)


def max_pool(
    x: Tensor, *, kernel_shape: Pair, auto_pad: str = "NOTSET", ceil_mode: int = 0, dilations: Pair = (1, 1), pads: Pair = (0, 0, 0, 0), strides: Pair = (1, 1), storage_order: int = 0
) -> Tensor:
    _two_dimensional(x, "MaxPool")
    x, padding = _padded(x, _pads(x, auto_pad, pads, kernel_shape, strides, dilations), -torch.inf, [size // 2 for size in kernel_shape])
    return F.max_pool2d(x, tuple(kernel_shape), tuple(strides), padding, tuple(dilations), bool(ceil_mode))


def average_pool(
    x: Tensor, *, kernel_shape: Pair, auto_pad: str = "NOTSET", ceil_mode: int = 0, count_include_pad: int = 0, dilations: Pair = (1, 1), pads: Pair = (0, 0, 0, 0), strides: Pair = (1, 1)
) -> Tensor:
    _two_dimensional(x, "AveragePool")
    if any(each != 1 for each in dilations):
        raise UnsupportedOperation(f"AveragePool with dilations {tuple(dilations)}: only 1 is known.")
    wanted = _pads(x, auto_pad, pads, kernel_shape, strides, dilations)
    padded, padding = _padded(x, wanted, 0.0, [size // 2 for size in kernel_shape])
    counted = bool(count_include_pad)
    found = F.avg_pool2d(padded, tuple(kernel_shape), tuple(strides), padding, bool(ceil_mode), counted)
    if padded is x or counted:
        return found
    inside = _padded(torch.ones_like(x[:1, :1]), wanted, 0.0, [size // 2 for size in kernel_shape])[0]
    return found / F.avg_pool2d(inside, tuple(kernel_shape), tuple(strides), padding, bool(ceil_mode), counted)


def global_average_pool(x: Tensor) -> Tensor:
    _two_dimensional(x, "GlobalAveragePool")
    return F.adaptive_avg_pool2d(x, 1)


def global_max_pool(x: Tensor) -> Tensor:
    _two_dimensional(x, "GlobalMaxPool")
    return F.adaptive_max_pool2d(x, 1)


def batch_norm(
    x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor, *, epsilon: float = 1e-5, momentum: float = 0.9, training_mode: int = 0, spatial: int = 1
) -> Tensor:
    if training_mode or not spatial:
        raise UnsupportedOperation("BatchNormalization in training mode, or for each pixel: export with model.eval().")
    return F.batch_norm(x, mean, variance, scale, shift, False, 0.0, epsilon)


def layer_norm(x: Tensor, scale: Tensor, shift: Tensor | None = None, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1) -> Tensor:
    return F.layer_norm(x, x.shape[axis:], scale, shift, epsilon)


def instance_norm(x: Tensor, scale: Tensor, shift: Tensor, *, epsilon: float = 1e-5) -> Tensor:
    return F.instance_norm(x, weight=scale, bias=shift, eps=epsilon)


def reduction(apply: Callable[[Tensor, list[int], bool], Tensor]) -> Callable[..., Tensor]:
    """Over the axes given as an input, as since version 13 or 18, or as an attribute; over all without them."""

    def reduced(x: Tensor, given: Tensor | None = None, *, axes: Pair | None = None, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Tensor:
        over = numbers(given) if given is not None else list(axes or ())
        if not over and noop_with_empty_axes:
            return x
        return apply(x, over or list(range(x.ndim)), bool(keepdims))

    return reduced


def _pads(x: Tensor, auto_pad: str, pads: Pair, kernel: Pair, strides: Pair, dilations: Pair) -> list[int]:
    """Top, left, bottom, right."""
    if len(kernel) != 2 or len(strides) != 2 or len(dilations) != 2 or len(pads) != 4:
        raise UnsupportedOperation(f"kernel {tuple(kernel)}, strides {tuple(strides)}, pads {tuple(pads)}: expected those of images.")
    if auto_pad in ("NOTSET", "VALID"):
        return list(pads) if auto_pad == "NOTSET" else [0, 0, 0, 0]
    if auto_pad not in ("SAME_UPPER", "SAME_LOWER"):
        raise UnsupportedOperation(f"auto_pad {auto_pad!r} is not known.")
    totals = [max((-(-edge // stride) - 1) * stride + dilation * (size - 1) + 1 - edge, 0) for edge, stride, dilation, size in zip(x.shape[2:], strides, dilations, kernel)]
    small, large = [each // 2 for each in totals], [each - each // 2 for each in totals]
    return [*small, *large] if auto_pad == "SAME_UPPER" else [*large, *small]


def _padded(x: Tensor, pads: list[int], value: float, largest: Pair) -> tuple[Tensor, tuple[int, int]]:
    """The image and what the layer pads itself: all of it, where both sides are alike and it can."""
    top, left, bottom, right = pads
    if (top, left) == (bottom, right) and 0 <= top <= largest[0] and 0 <= left <= largest[1]:
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom), value=value), (0, 0)


def _two_dimensional(x: Tensor, name: str) -> None:
    if x.ndim != 4:
        raise UnsupportedOperation(f"{name} of a tensor with {x.ndim} dimensions: only images, batch × channels × height × width, are known.")
