"""Interval bound propagation: a box for every operation from the boxes before it (Gowal et al., 2018; proVAE, §3.1.1)."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.errors import InvalidInput, UnsupportedOperation

from . import rounding
from .arguments import affine_of_batch_norm, clamp_limits, convolution, named, padding_mode
from .fused import AbsoluteLinear, Ends, Halves
from .graph import Graph, Node, evaluate_node, substitute, where
from .interval import Interval

Value = Interval | Tensor | None  # of a node that varies, or of one that does not; None where it was given up
LARGE = 1 << 18  # elements: a megabyte
FRESH = ("linear", "conv2d", "conv_transpose2d", "batch_norm")  # share no memory with anything
VIEWS = ("reshape", "same", "getitem", "narrow", "select", "chunk", "split", "transpose", "permute")  # may share their input's memory
Rule = Callable[[Node, list[Value], int], Interval]


def propagate(graph: Graph, box: Interval, outward: bool = False, keep: bool = True) -> list[Value]:
    """The interval of every node that varies, the value of every other. With `outward` each interval is widened by what the rounding of
    its own operation may have cost. Without `keep` intervals are given up after their last use, for all but the output and what it is
    made of."""
    values: list[Value] = []
    last = {} if keep else _last_uses(graph)
    overwrite = not keep and not torch.is_grad_enabled()
    for node in graph.nodes:
        if node.index and overwrite and node.name == "relu" and last[node.index] == node.inputs and graph.nodes[node.inputs[0]].name in FRESH:
            x = values[node.inputs[0]]
            values.append(Interval(x.lower.relu_(), x.upper.relu_()))
        else:
            values.append(box if node.index == 0 else _value(node, values, box, outward))
        for index in last.get(node.index, ()):
            values[index] = None
    return values


def propagate_from(graph: Graph, values: list[Value], index: int, interval: Interval, outward: bool = False) -> list[Value]:
    """The same intervals with another one for one node, and what follows from it; no interval becomes wider."""
    known = list(values)
    known[index] = interval
    changed = {index}
    for node in graph.nodes[index + 1 :]:
        if node.varies and changed & set(node.inputs):
            known[node.index] = _value(node, known, known[0], outward) & values[node.index]
            changed.add(node.index)
    return known


def _value(node: Node, values: list[Value], box: Interval, outward: bool) -> Value:
    if not node.varies:
        return _in_type(evaluate_node(node, values, 0), box)
    interval = INTERVAL_RULES[node.name](node, values, len(box.lower))
    return rounding.widened(node, interval, values) if outward else interval


def _last_uses(graph: Graph) -> dict[int, list[int]]:
    """For each node the ones that vary and that nothing after it needs. A node that only hands its input on keeps it in use."""
    last: dict[int, int] = {}
    for node in graph.nodes:
        last.update(dict.fromkeys(node.inputs, node.index))
    for node in reversed(graph.nodes):
        if node.name in VIEWS and node.index in last:
            last.update({index: max(last[index], last[node.index]) for index in node.inputs})
    needed = {graph.output, *graph.nodes[graph.output].inputs, 0}
    found: dict[int, list[int]] = {node.index: [] for node in graph.nodes}
    for index, by in last.items():
        if graph.nodes[index].varies and index not in needed and not needed & _handed_on(graph, index):
            found[by].append(index)
    return found


def _handed_on(graph: Graph, index: int) -> set[int]:
    """The nodes that may share this one's memory."""
    return {node.index for node in graph.nodes if node.name in VIEWS and index in node.inputs}


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
    apply = {"conv2d": F.conv2d, "conv_transpose2d": F.conv_transpose2d}[node.name]
    return affine(x, lambda c: apply(c, weight, bias, **options), lambda r: apply(r, weight.abs(), None, **options))


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


def _in_type(value: Any, box: Interval) -> Any:
    return value.to(box.lower.dtype) if isinstance(value, Tensor) and value.is_floating_point() else value


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


def check_rules(graph: Graph, rules: dict[str, Any], table: str) -> None:
    """Raise UnsupportedOperation naming every operation without a rule, before anything is computed."""
    missing = [node for node in graph.nodes if node.varies and node.index and node.name not in rules]
    if missing:
        named_ones = "; ".join(dict.fromkeys(where(node) for node in missing))
        raise UnsupportedOperation(f"no bound is known for {named_ones}. A rule for it would be a line in {table} (explorer/bounds).")
    for node in graph.nodes:
        if node.name == "batch_norm" and node.varies and named(node, input=None, running_mean=None, running_var=None, weight=None, bias=None, training=False)["training"]:
            raise InvalidInput(f"{where(node)} is in training mode, where the examples of a batch depend on each other. Call network.eval() first.")
