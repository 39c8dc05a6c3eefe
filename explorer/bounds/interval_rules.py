"""The interval of each operation's value from those of its arguments."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.errors import UnsupportedOperation

from .arguments import affine_of_batch_norm, clamp_limits, convolution, named, padding_mode
from .fused import AbsoluteLinear, Convolution, Ends, Halves
from .graph import Node, substitute, where
from .interval import Interval

Value = Interval | Tensor | None  # of a node that varies, or of one that does not; None where it was given up
Rule = Callable[[Node, list[Value], int], Interval]
LARGE = 1 << 18  # elements: a megabyte


def affine(box: Interval, apply: Callable[[Tensor], Tensor], apply_absolute: Callable[[Tensor], Tensor]) -> Interval:
    """The exact range of an affine map: its value at the centre ± the map with absolute weights, and no bias, at the radius."""
    if torch.is_grad_enabled():
        center, radius = Halves.apply(box.lower, box.upper)
        return Interval(*Ends.apply(apply(center), apply_absolute(radius)))
    center = torch.add(box.lower, box.upper).mul_(0.5)  # fresh memory costs more than arithmetic
    middle, radius = apply(center), apply_absolute(torch.sub(box.upper, center, out=center))
    return Interval(middle - radius, radius.add_(middle))


def _linear(node: Node, values: list[Value], batch: int) -> Interval:
    x, weight, bias = (substitute(each, values) for each in named(node, input=None, weight=None, bias=None).values())
    return affine(x, lambda c: F.linear(c, weight, bias), lambda r: absolute_linear(r, weight))


def absolute_linear(radius: Tensor, weight: Tensor) -> Tensor:
    """radius @ |weight|ᵀ."""
    if weight.numel() < LARGE or weight.device.type != "cpu" or radius.ndim != 2:
        return F.linear(radius, weight.abs())
    return AbsoluteLinear.apply(radius, weight, max(1, LARGE // weight.shape[1]))


def _matmul(node: Node, values: list[Value], batch: int) -> Interval:
    x, weight = (substitute(each, values) for each in node.args[:2])
    if not isinstance(x, Interval) or isinstance(weight, Interval) or weight.ndim != 2:
        raise UnsupportedOperation(f"{where(node)}: expected the input times a matrix of parameters.")
    return affine(x, lambda c: c @ weight, lambda r: r @ weight.abs())


def _convolution(node: Node, values: list[Value], batch: int) -> Interval:
    x, weight, bias, options = convolution(node, values)
    apply = {"conv2d": _convolved, "conv_transpose2d": F.conv_transpose2d}[node.name]
    return affine(x, lambda c: apply(c, weight, bias, **options), lambda r: apply(r, weight.abs(), None, **options))


def _convolved(x: Tensor, weight: Tensor, bias: Tensor | None, **options) -> Tensor:
    if x.requires_grad and torch.is_grad_enabled():
        return Convolution.apply(x, weight, bias, *(options[name] for name in ("stride", "padding", "dilation", "groups")))
    return F.conv2d(x, weight, bias, **options)


def _batch_norm(node: Node, values: list[Value], batch: int) -> Interval:
    x, scale, shift = affine_of_batch_norm(node, values)
    return affine(x, lambda c: c * scale + shift, lambda r: r * scale.abs())


def _increasing(function: Callable[[Tensor], Tensor]) -> Rule:
    def rule(node: Node, values: list[Value], batch: int) -> Interval:
        (x,) = (values[index] for index in node.inputs if node.varies and isinstance(values[index], Interval))
        return Interval(function(x.lower), function(x.upper))

    return rule


def _leaky_relu(node: Node, values: list[Value], batch: int) -> Interval:
    given = named(node, input=None, negative_slope=0.01)
    slope, x = given["negative_slope"], substitute(given["input"], values)
    ends = F.leaky_relu(x.lower, slope), F.leaky_relu(x.upper, slope)
    if slope >= 0:
        return Interval(*ends)
    top = torch.maximum(*ends)
    return Interval(torch.where((x.lower < 0) & (x.upper > 0), 0.0, torch.minimum(*ends)), top)


def _softplus(node: Node, values: list[Value], batch: int) -> Interval:
    given = named(node, input=None, beta=1.0, threshold=20.0)
    x = substitute(given["input"], values)
    return Interval(*(F.softplus(side, given["beta"], given["threshold"]) for side in (x.lower, x.upper)))


def _clamp(node: Node, values: list[Value], batch: int) -> Interval:
    x, low, high = clamp_limits(node, values)
    return Interval(x.lower.clamp(low, high), x.upper.clamp(low, high))


def _power(node: Node, values: list[Value], batch: int) -> Interval:
    exponent = node.args[1] if len(node.args) > 1 else node.kwargs.get("exponent")
    if exponent != 2:
        raise UnsupportedOperation(f"{where(node)}: only the exponent 2 has a bound, got {exponent}.")
    return square(values[node.inputs[0]])


def square(x: Interval) -> Interval:
    """The exact range of the square: 0 is its smallest value where the interval holds 0."""
    low, high = x.lower.square(), x.upper.square()
    smallest = torch.where((x.lower <= 0) & (x.upper >= 0), 0.0, torch.minimum(low, high))
    return Interval(smallest, torch.maximum(low, high))


def _absolute(node: Node, values: list[Value], batch: int) -> Interval:
    x = values[node.inputs[0]]
    low, high = x.lower.abs(), x.upper.abs()
    return Interval(torch.where((x.lower <= 0) & (x.upper >= 0), 0.0, torch.minimum(low, high)), torch.maximum(low, high))


def _negative(node: Node, values: list[Value], batch: int) -> Interval:
    x = values[node.inputs[0]]
    return Interval(-x.upper, -x.lower)


def _add(node: Node, values: list[Value], batch: int) -> Interval:
    return _sum(*_two(node, values))


def _subtract(node: Node, values: list[Value], batch: int) -> Interval:
    first, second = _two(node, values)
    return _sum(first, _negated(second)) if node.name == "sub" else _sum(second, _negated(first))


def _sum(first: Any, second: Any) -> Interval:
    (low, high), (other_low, other_high) = _ends(first), _ends(second)
    return Interval(low + other_low, high + other_high)


def _negated(value: Any) -> Any:
    return Interval(-value.upper, -value.lower) if isinstance(value, Interval) else -value


def _multiply(node: Node, values: list[Value], batch: int) -> Interval:
    first, second = (substitute(each, values) for each in node.args[:2])
    if isinstance(first, Interval) and isinstance(second, Interval):
        if first is second:
            return square(first)
        products = torch.stack([a * b for a in (first.lower, first.upper) for b in (second.lower, second.upper)])
        return Interval(products.amin(0), products.amax(0))
    box, factor = (first, second) if isinstance(first, Interval) else (second, first)
    return scaled(box, factor)


def _divide(node: Node, values: list[Value], batch: int) -> Interval:
    box, divisor = (substitute(each, values) for each in node.args[:2])
    if isinstance(divisor, Interval):
        raise UnsupportedOperation(f"{where(node)}: dividing by what depends on the input has no bound.")
    low, high = box.lower / divisor, box.upper / divisor
    return Interval(torch.minimum(low, high), torch.maximum(low, high))


def scaled(box: Interval, factor: Any) -> Interval:
    """The exact range of a product with constants of any sign."""
    low, high = box.lower * factor, box.upper * factor
    return Interval(torch.minimum(low, high), torch.maximum(low, high))


def _each_end(node: Node, values: list[Value], batch: int) -> Interval:
    """Operations that only move values or take averages and maxima of them: their value at either end."""
    return Interval(*(node.function(*substitute(node.args, side), **substitute(node.kwargs, side)) for side in _sides(values)))


def _interpolate(node: Node, values: list[Value], batch: int) -> Interval:
    if (mode := node.kwargs.get("mode", "nearest")) not in ("nearest", "nearest-exact", "bilinear", "linear", "area"):
        raise UnsupportedOperation(f"{where(node)}: the mode {mode!r} has weights of both signs; nearest, bilinear and area have bounds.")
    return _each_end(node, values, batch)


def _pad(node: Node, values: list[Value], batch: int) -> Interval:
    padding_mode(node)
    return _each_end(node, values, batch)


def _reshape(node: Node, values: list[Value], batch: int) -> Interval:
    x = values[node.inputs[0]]
    return Interval(x.lower.reshape(batch, *node.shape), x.upper.reshape(batch, *node.shape))


def _same(node: Node, values: list[Value], batch: int) -> Interval:
    return values[node.inputs[0]]


def _two(node: Node, values: list[Value]) -> tuple[Any, Any]:
    first, second = (substitute(each, values) for each in node.args[:2])
    if (alpha := node.kwargs.get("alpha", 1)) != 1:
        second = scaled(second, alpha) if isinstance(second, Interval) else second * alpha
    return first, second


def _ends(value: Any) -> tuple[Any, Any]:
    return (value.lower, value.upper) if isinstance(value, Interval) else (value, value)


class _Side:
    """The values of all nodes, of intervals one end."""

    def __init__(self, values: list[Value], name: str):
        self.values, self.name = values, name

    def __getitem__(self, index: int) -> Tensor:
        value = self.values[index]
        return getattr(value, self.name) if isinstance(value, Interval) else value


def _sides(values: list[Value]) -> tuple[_Side, _Side]:
    return _Side(values, "lower"), _Side(values, "upper")


INTERVAL_RULES: dict[str, Rule] = {
    "linear": _linear,
    "matmul": _matmul,
    "conv2d": _convolution,
    "conv_transpose2d": _convolution,
    "batch_norm": _batch_norm,
    "relu": _increasing(torch.relu),
    "leaky_relu": _leaky_relu,
    "sigmoid": _increasing(torch.sigmoid),
    "tanh": _increasing(torch.tanh),
    "exp": _increasing(torch.exp),
    "softplus": _softplus,
    "clamp": _clamp,
    "square": lambda node, values, batch: square(values[node.inputs[0]]),
    "pow": _power,
    "abs": _absolute,
    "neg": _negative,
    "add": _add,
    "sub": _subtract,
    "rsub": _subtract,
    "mul": _multiply,
    "div": _divide,
    "cat": _each_end,
    "getitem": _each_end,
    "narrow": _each_end,
    "select": _each_end,
    "chunk": _each_end,
    "split": _each_end,
    "transpose": _each_end,
    "permute": _each_end,
    "sum": _each_end,
    "mean": _each_end,
    "avg_pool2d": _each_end,
    "adaptive_avg_pool2d": _each_end,
    "max_pool2d": _each_end,
    "adaptive_max_pool2d": _each_end,
    "interpolate": _interpolate,
    "pad": _pad,
    "reshape": _reshape,
    "same": _same,
}
