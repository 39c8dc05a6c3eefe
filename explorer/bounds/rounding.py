"""Intervals that hold the exact value whatever the rounding: computed in float64, widened by what each operation may have lost, and
rounded outwards at the end.

A sum of n products, in any order, is off by at most γₙ = n·u/(1 − n·u) times the sum of their sizes (Higham, Accuracy and Stability of
Numerical Algorithms, §3.1); u is half a unit in the last place. Elementary functions are taken to be right within ULPS units."""

from typing import Any

import torch
from torch import Tensor

from .arguments import affine_of_batch_norm, convolution, named
from .graph import Node, substitute
from .interval import Interval

UNIT = torch.finfo(torch.float64).eps / 2
ULPS, PASSES = 8, 4  # the centre, the radius, their sum, and a reserve
SMALLEST = 1e-300
EXACT = {"relu", "clamp", "abs", "neg", "cat", "getitem", "narrow", "select", "chunk", "split", "transpose", "permute", "max_pool2d", "adaptive_max_pool2d", "pad", "reshape", "same", "input"}
AVERAGES = {"sum", "mean", "avg_pool2d", "adaptive_avg_pool2d", "interpolate"}


def widened(node: Node, interval: Interval, values: list[Any]) -> Interval:
    """The interval of a node with room for what its own operation has lost."""
    if node.name in EXACT:
        return interval
    lost = PASSES * _gamma(_terms(node, values)) * _sizes(node, interval, values) + SMALLEST
    return Interval(interval.lower - lost, interval.upper + lost)


def lost_backwards(node: Node, rows: Tensor, values: list[Any]) -> Tensor:
    """What a step back through a node may have put wrong in its bound: (batch, rows)."""
    if node.name in ("reshape", "same", "input"):
        return rows.new_zeros(())
    sizes = _sizes(node, values[node.index], values)
    weight = PASSES * _gamma(_terms(node, values) + sizes[0].numel())
    return weight * torch.einsum("brn,bn->br", rows.abs().flatten(2).expand(len(sizes), -1, -1), sizes.flatten(1)) + SMALLEST


def lost_at_input(rows: Tensor, box: Interval) -> Tensor:
    """What the last inner product may have lost: (batch, rows)."""
    sizes = _largest(box).flatten(1)
    return PASSES * _gamma(sizes.shape[1] + ULPS) * torch.einsum("brn,bn->br", rows.abs().expand(len(sizes), -1, -1), sizes) + SMALLEST


def rounded_outwards(interval: Interval, dtype: torch.dtype) -> Interval:
    """The same interval in a shorter type, never narrower."""
    lower, upper = interval.lower.to(dtype), interval.upper.to(dtype)
    down, up = torch.full_like(lower, -torch.inf), torch.full_like(upper, torch.inf)
    lower = torch.where(lower.double() > interval.lower, torch.nextafter(lower, down), lower)
    return Interval(lower, torch.where(upper.double() < interval.upper, torch.nextafter(upper, up), upper))


def _gamma(terms: int) -> float:
    return terms * UNIT / (1 - terms * UNIT)


def _terms(node: Node, values: list[Any]) -> int:
    """How many products are summed for one element."""
    if node.name in ("conv2d", "conv_transpose2d"):
        _, weight, _, _ = convolution(node, values)
        return weight[0].numel() * (weight.shape[0] if node.name == "conv_transpose2d" else 1) + ULPS
    if node.name in ("linear", "matmul"):
        weight = substitute(node.args[1] if len(node.args) > 1 else node.kwargs["weight"], values)
        return max(weight.shape) + ULPS
    if node.name in AVERAGES:
        return _largest(values[node.inputs[0]])[0].numel() + ULPS
    return ULPS


def _sizes(node: Node, interval: Interval, values: list[Any]) -> Tensor:
    """For each element the sum of the sizes of what it is made of."""
    inputs = [_largest(values[index]) for index in node.inputs if isinstance(values[index], Interval)]
    if node.name in ("conv2d", "conv_transpose2d"):
        _, weight, bias, options = convolution(node, values)
        apply = torch.nn.functional.conv2d if node.name == "conv2d" else torch.nn.functional.conv_transpose2d
        return apply(inputs[0], weight.abs(), None if bias is None else bias.abs(), **options)
    if node.name == "linear":
        given = named(node, input=None, weight=None, bias=None)
        weight, bias = (substitute(given[name], values) for name in ("weight", "bias"))
        return torch.nn.functional.linear(inputs[0], weight.abs(), None if bias is None else bias.abs())
    if node.name == "matmul":
        return inputs[0] @ substitute(node.args[1], values).abs()
    if node.name == "batch_norm":
        _, scale, shift = affine_of_batch_norm(node, values)
        return inputs[0] * scale.abs() + shift.abs()
    own = _largest(interval)
    if node.name in AVERAGES:
        (source,) = [index for index in node.inputs if isinstance(values[index], Interval)]
        return node.function(*substitute(node.args, {source: inputs[0]}), **substitute(node.kwargs, {source: inputs[0]}))
    if node.name in ("add", "sub", "rsub", "mul", "div", "cat", "max_pool2d", "getitem", "narrow", "select", "chunk", "split", "transpose", "permute", "pad", "neg"):
        return own + _largest_of_sum(node, own, inputs, values)
    steepest = own if node.name == "exp" else 2 * inputs[0] if node.name in ("square", "pow") else torch.ones_like(own)
    return 2 * (own + 2 * steepest * inputs[0])


def _largest_of_sum(node: Node, own: Tensor, inputs: list[Tensor], values: list[Any]) -> Tensor | float:
    """Sums may cancel: the sizes of their parts count too."""
    if node.name not in ("add", "sub", "rsub"):
        return 0.0
    parts = [substitute(part, values) for part in node.args[:2]]
    return sum(_largest(part) if isinstance(part, Interval) else torch.as_tensor(part, dtype=own.dtype, device=own.device).abs() for part in parts)


def _largest(interval: Interval) -> Tensor:
    return torch.maximum(interval.lower.abs(), interval.upper.abs())
