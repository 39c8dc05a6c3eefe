"""Two lines around every nonlinear function of one number: lower_slope·x + lower_offset ≤ f(x) ≤ upper_slope·x + upper_offset on an
interval (CROWN: Zhang et al., 2018; α-CROWN: Xu et al., 2021)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.errors import UnsupportedOperation

from .arguments import clamp_limits, named
from .graph import Node, where
from .interval import Interval

Slopes = Literal["adaptive", "zero", "one", "same"]
HALVINGS = 24  # of the interval in which a tangent's point is looked for


@dataclass(frozen=True, eq=False)
class Lines:
    """Slopes and offsets, shaped as the function's argument; an offset that is None is 0."""

    lower_slope: Tensor
    upper_slope: Tensor
    lower_offset: Tensor | None
    upper_offset: Tensor | None


def relu_lines(x: Interval, slopes: Slopes = "adaptive", alpha: Tensor | None = None) -> Lines:
    """Above: the chord. Below: a line through 0, whose slope is 0, 1, the chord's, or the one of 0 and 1 that leaves the smaller area
    (1 if upper > −lower); `alpha` in [0, 1] chooses it freely. The slope below is a constant: it passes no gradient on."""
    lower, upper = x.lower.clamp(max=0), x.upper.clamp(min=0)
    width = upper - lower
    chord = upper / torch.where(width > 0, width, 1.0)
    if alpha is not None:
        below = torch.where((x.lower < 0) & (x.upper > 0), alpha, (x.lower >= 0).to(chord))
    else:
        below = chord if slopes == "same" else relu_slope_below(x, slopes)
    return Lines(below, chord, None, -lower * chord)


def relu_slope_below(x: Interval, slopes: Slopes) -> Tensor:
    """The constant slope of the line below, for all rules but `same`."""
    if slopes == "zero":
        return (x.lower >= 0).to(x.lower)
    if slopes == "one":
        return (x.upper > 0).to(x.lower)
    return ((x.lower + x.upper > 0) & (x.upper > 0)).to(x.lower)


def leaky_relu_lines(x: Interval, slope: float, slopes: Slopes, alpha: Tensor | None = None) -> Lines:
    """slope·x + (1 − slope)·relu(x)."""
    relu = relu_lines(x, slopes, alpha)
    rest = 1 - slope
    return Lines(slope + rest * relu.lower_slope, slope + rest * relu.upper_slope, None, rest * relu.upper_offset)


def convex_lines(x: Interval, function: Callable[[Tensor], Tensor], derivative: Callable[[Tensor], Tensor], touch: Tensor) -> Lines:
    """Of a convex function: the chord above, below the tangent that touches at a point."""
    chord, offset = _chord(x, function, derivative(x.lower), derivative(x.upper))
    slope = derivative(touch)
    return Lines(slope, chord, function(touch) - slope * touch, offset)


def exp_lines(x: Interval) -> Lines:
    """The tangent touches at most 1 after the lower end, where it is still above 0."""
    return convex_lines(x, torch.exp, torch.exp, torch.minimum(x.center, x.lower + 1))


def softplus_lines(x: Interval, beta: float, threshold: float) -> Lines:
    return convex_lines(x, lambda t: F.softplus(t, beta, threshold), lambda t: torch.sigmoid(beta * t), x.center)


def square_lines(x: Interval) -> Lines:
    return convex_lines(x, torch.square, lambda t: 2 * t, x.center)


def absolute_lines(x: Interval) -> Lines:
    """Below: through 0 with the chord's slope."""
    chord, offset = _chord(x, torch.abs, torch.full_like(x.lower, -1.0), torch.full_like(x.lower, 1.0))
    sign = torch.where(x.lower >= 0, 1.0, torch.where(x.upper <= 0, -1.0, chord))
    return Lines(sign, chord, None, offset)


def s_shaped_lines(x: Interval, function: Callable[[Tensor], Tensor], derivative: Callable[[Tensor], Tensor], level: float) -> Lines:
    """Of a function that rises, is convex below 0, concave above and symmetric about (0, `level`): sigmoid, tanh."""
    slope, offset = _above(x.lower, x.upper, function, derivative)
    mirrored_slope, mirrored_offset = _above(-x.upper, -x.lower, function, derivative)  # f(x) = 2·level − f(−x)
    return Lines(mirrored_slope, slope, 2 * level - mirrored_offset, offset)


def sigmoid_lines(x: Interval) -> Lines:
    return s_shaped_lines(x, torch.sigmoid, _sigmoid_derivative, 0.5)


def tanh_lines(x: Interval) -> Lines:
    return s_shaped_lines(x, torch.tanh, lambda t: 1 - torch.tanh(t).square(), 0.0)


def clamp_lines(x: Interval, low: float, high: float) -> Lines:
    """Of min(max(x, low), high), where either limit may be infinite."""
    slope, offset = _above_clamp(x.lower, x.upper, low, high)
    mirrored_slope, mirrored_offset = _above_clamp(-x.upper, -x.lower, -high, -low)
    return Lines(mirrored_slope, slope, -mirrored_offset, offset)


def _above_clamp(lower: Tensor, upper: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
    """The line above."""
    bottom, top = lower.clamp(low, high), upper.clamp(low, high)
    end = upper.clamp(max=high)  # where it stops to rise
    width = end - lower
    rising = (lower < low) & (width > 0)
    chord = torch.where(rising, (top - bottom) / torch.where(rising, width, 1.0), 0.0)
    identity = (lower >= low) & ((upper <= high) | (high - lower > upper - high)) & (lower < high)
    slope = torch.where(rising, chord, identity.to(lower))
    at = torch.where(rising, lower, torch.zeros_like(lower))
    value = torch.where(rising, bottom, torch.where(identity, torch.zeros_like(top), top))
    return slope, value - slope * at


def _above(lower: Tensor, upper: Tensor, function, derivative) -> tuple[Tensor, Tensor]:
    """The line above an S: the chord where the function bends upwards, a tangent where it bends downwards, and where it does both the
    tangent through the lower end, or the chord where that would touch beyond the upper end."""
    middle = (lower + upper) / 2
    with torch.no_grad():
        left, right = torch.zeros_like(lower), upper.clamp(min=0)
        value = function(lower)
        for _ in range(HALVINGS):
            at = (left + right) / 2
            beyond = derivative(at) * (at - lower) <= function(at) - value  # a tangent at or after the one through the lower end
            left, right = torch.where(beyond, left, at), torch.where(beyond, at, right)
        reaches = derivative(right) * (right - lower) <= function(right) - value
    chord, chord_offset = _chord(Interval(lower, upper), function, torch.zeros_like(lower), derivative(_nearest_to_zero(lower, upper)))
    touch = torch.where(lower >= 0, middle, _through(lower, right, function, derivative))
    slope = derivative(touch)
    offset = function(touch) - slope * touch
    tangent = (lower >= 0) | (reaches & (upper > 0))
    return torch.where(tangent, slope, chord), torch.where(tangent, offset, chord_offset)


def _through(lower: Tensor, touch: Tensor, function, derivative) -> Tensor:
    """The touching point, with the gradient that it has as a function of the lower end, by the implicit function theorem."""
    if not lower.requires_grad:
        return touch
    with torch.enable_grad():
        point = touch.detach().requires_grad_()
        gap = derivative(point) * (point - lower.detach()) - function(point) + function(lower.detach())
        (steepness,) = torch.autograd.grad(gap.sum(), point)
    inner = steepness.abs() > 1e-6
    at_lower = derivative(touch) * (touch - lower) - function(touch) + function(lower)
    moved = -at_lower / torch.where(inner, steepness, 1.0)
    return touch + torch.where(inner, moved - moved.detach(), 0.0)


def _chord(x: Interval, function, least: Tensor, most: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and offset of the line through both ends; the slope is kept in the range of the function's own, which rounding may leave."""
    width = x.upper - x.lower
    wide = width > 0
    at_lower = function(x.lower)
    slope = torch.where(wide, (function(x.upper) - at_lower) / torch.where(wide, width, 1.0), least)
    slope = torch.minimum(torch.maximum(slope, least), most)
    return slope, at_lower - slope * x.lower


def _nearest_to_zero(lower: Tensor, upper: Tensor) -> Tensor:
    return torch.where(lower > 0, lower, torch.where(upper < 0, upper, 0.0))


def _sigmoid_derivative(t: Tensor) -> Tensor:
    value = torch.sigmoid(t)
    return value * (1 - value)


def lines(node: Node, x: Interval, slopes: Slopes, alpha: Tensor | None, values) -> Lines:
    """Those of a node's function on the interval of its argument."""
    return RELAXATIONS[node.name](node, x, slopes, alpha, values)


def _leaky(node, x, slopes, alpha, values):
    slope = named(node, input=None, negative_slope=0.01)["negative_slope"]
    if not 0 <= slope <= 1:
        raise UnsupportedOperation(f"{where(node)}: a negative slope of {slope} has interval bounds only; expected 0 to 1.")
    return leaky_relu_lines(x, slope, slopes, alpha)


def _softplus(node, x, slopes, alpha, values):
    given = named(node, input=None, beta=1.0, threshold=20.0)
    return softplus_lines(x, given["beta"], given["threshold"])


def _clamp(node, x, slopes, alpha, values):
    return clamp_lines(x, *clamp_limits(node, values)[1:])


KINKED = ("relu", "leaky_relu")  # exact wherever their argument keeps its sign; their lower slope is free
RELAXATIONS: dict[str, Callable[..., Lines]] = {
    "relu": lambda node, x, slopes, alpha, values: relu_lines(x, slopes, alpha),
    "leaky_relu": _leaky,
    "sigmoid": lambda node, x, *_: sigmoid_lines(x),
    "tanh": lambda node, x, *_: tanh_lines(x),
    "exp": lambda node, x, *_: exp_lines(x),
    "softplus": _softplus,
    "square": lambda node, x, *_: square_lines(x),
    "pow": lambda node, x, *_: square_lines(x),
    "abs": lambda node, x, *_: absolute_lines(x),
    "clamp": _clamp,
}

