"""Linear bounds propagated from an output back to the input (CROWN: Zhang et al., 2018): A·node + bias ≤ rows of a specification.

Only lower bounds are propagated: an upper bound of C·f is the negative of the lower bound of −C·f."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from explorer.errors import UnsupportedOperation

from . import rounding
from .arguments import affine_of_batch_norm, convolution, named, pair
from .fused import BackThroughRelu
from .graph import Graph, Node, substitute, where
from .interval import Ball, Interval
from .relaxations import KINKED, RELAXATIONS, Lines, Slopes, lines, relu_slope_below

Rows = Float[Tensor, "examples rows ..."]  # `examples` is 1 where all examples have the same


@dataclass
class Pass:
    """What a propagation back needs: the graph with the intervals of its nodes, the input set, how slopes are chosen. The lines of a
    node are made once and kept."""

    graph: Graph
    values: list[Any]
    given: Interval | Ball
    slopes: Slopes = "adaptive"
    alpha: dict[int, Tensor] = field(default_factory=dict)  # (examples, rows, *shape) for each node whose lower slopes are free
    outward: bool = False
    kept: dict[int, Lines] = field(default_factory=dict)

    @property
    def batch(self) -> int:
        return len(self.values[0].lower)

    def lines(self, node: Node) -> Lines:
        if node.index not in self.kept:
            x = self.values[node.inputs[0]]
            if node.index in self.alpha:
                x = Interval(x.lower.unsqueeze(1), x.upper.unsqueeze(1))
            self.kept[node.index] = lines(node, x, self.slopes, self.alpha.get(node.index), self.values)
        return self.kept[node.index]


def lower_bound(run: Pass, start: int, rows: Rows) -> Float[Tensor, "batch rows"]:
    """A lower bound of each row's inner product with the value of node `start`, over the input set."""
    pending: dict[int, Tensor] = {start: rows}
    bias: Any = 0.0
    for index in range(start, 0, -1):
        coefficients = pending.pop(index, None)
        node = run.graph.nodes[index]
        if coefficients is None:
            continue
        if run.outward:
            bias = bias - rounding.lost_backwards(node, coefficients, run.values)
        given, offset = LINEAR_RULES[node.name](run, node, coefficients)
        bias = bias if offset is None else bias + offset
        for place, value in given.items():
            pending[place] = pending[place] + value if place in pending else value
    return concretised(run, pending[0]) + bias if 0 in pending else bias.expand(run.batch, rows.shape[1])


def concretised(run: Pass, rows: Rows) -> Float[Tensor, "batch rows"]:
    """The smallest value of rows·x over the input set: ℓ1 is dual to the box's norm, ℓ2 to the ball's."""
    flat = rows.flatten(2)
    if isinstance(run.given, Ball):
        smallest = _products(flat, run.given.center.flatten(1)) - flat.norm(dim=2) * run.given.radius[:, None]
    else:
        smallest = _products(flat, run.given.center.flatten(1)) - _products(flat.abs(), run.given.radius.flatten(1))
    return smallest - rounding.lost_at_input(flat, run.values[0]) if run.outward else smallest


Taken = tuple[dict[int, Tensor], Any]


def _linear(run: Pass, node: Node, rows: Tensor) -> Taken:
    given = named(node, input=None, weight=None, bias=None)
    weight, bias = (substitute(given[name], run.values) for name in ("weight", "bias"))
    return {given["input"].index: rows @ weight}, None if bias is None else _offset(rows, bias)


def _matmul(run: Pass, node: Node, rows: Tensor) -> Taken:
    x, weight = node.args[:2]
    return {x.index: rows @ substitute(weight, run.values).T}, None


def _convolution(run: Pass, node: Node, rows: Tensor) -> Taken:
    _, weight, bias, options = convolution(node, run.values)
    source = node.inputs[0] if run.graph.nodes[node.inputs[0]].varies else None
    shape = run.graph.nodes[source].shape
    folded = rows.flatten(0, 1)
    if node.name == "conv2d":
        spans = [(size - 1) * s - 2 * p + d * (k - 1) + 1 for size, s, p, d, k in zip(rows.shape[3:], options["stride"], options["padding"], options["dilation"], weight.shape[2:])]
        extra = [have - span for have, span in zip(shape[1:], spans)]
        back = F.conv_transpose2d(folded, weight, None, options["stride"], options["padding"], extra, options["groups"], options["dilation"])
    else:
        back = F.conv2d(folded, weight, None, options["stride"], options["padding"], options["dilation"], options["groups"])[..., : shape[1], : shape[2]]
    offset = None if bias is None else rows.sum((3, 4)) @ bias
    return {source: back.unflatten(0, rows.shape[:2])}, offset


def _batch_norm(run: Pass, node: Node, rows: Tensor) -> Taken:
    _, scale, shift = affine_of_batch_norm(node, run.values)
    return {node.inputs[0]: rows * scale}, _offset(rows, shift.expand(node.shape))


def _relaxed(run: Pass, node: Node, rows: Tensor) -> Taken:
    """Where a coefficient is negative the line above counts, else the line below."""
    x = run.values[node.inputs[0]]
    if node.name == "relu" and torch.is_grad_enabled() and run.slopes != "same" and not run.alpha and len(rows) == len(x.lower):
        back, offset = BackThroughRelu.apply(rows, x.lower, x.upper, relu_slope_below(x, run.slopes))
        return {node.inputs[0]: back}, offset
    found = run.lines(node)
    free = node.index in run.alpha
    below, above, below_offset, above_offset = (
        each if each is None or (free and each.ndim == rows.ndim) else each.unsqueeze(1)
        for each in (found.lower_slope, found.upper_slope, found.lower_offset, found.upper_offset)
    )
    negative = rows.clamp(max=0)
    back, step = rows * below, above - below
    back = torch.addcmul(back, negative, step) if torch.is_grad_enabled() else back.addcmul_(negative, step)
    offset = None
    if above_offset is not None:
        offset = _weighted(negative, above_offset)
    if below_offset is not None:
        offset = _weighted(rows - negative, below_offset) + (0.0 if offset is None else offset)
    return {node.inputs[0]: back}, offset


def _add(run: Pass, node: Node, rows: Tensor) -> Taken:
    second_sign = -1.0 if node.name == "sub" else 1.0
    signs = (-1.0, 1.0) if node.name == "rsub" else (1.0, second_sign)
    alpha = node.kwargs.get("alpha", 1)
    taken, offset = {}, None
    for place, (part, sign) in enumerate(zip(node.args[:2], signs)):
        factor = sign * (alpha if place == (0 if node.name == "rsub" else 1) else 1)
        if _varies(run, part):
            _check_shape(run, node, part)
            value = rows if factor == 1 else rows * factor
            taken[part.index] = taken[part.index] + value if part.index in taken else value
        else:
            constant = factor * _constant(run, part, node)
            added = _offset_of_batch(rows, constant)
            offset = added if offset is None else offset + added
    return taken, offset


def _negative(run: Pass, node: Node, rows: Tensor) -> Taken:
    return {node.inputs[0]: -rows}, None


def _multiply(run: Pass, node: Node, rows: Tensor) -> Taken:
    first, second = node.args[:2]
    if _varies(run, first) and _varies(run, second):
        return _product(run, node, rows, first.index, second.index)
    part, factor = (first, second) if _varies(run, first) else (second, first)
    _check_shape(run, node, part)
    return {part.index: rows * _per_row(_constant(run, factor, node))}, None


def _product(run: Pass, node: Node, rows: Tensor, first: int, second: int) -> Taken:
    """McCormick's planes through a corner of the box of both factors."""
    x, y = run.values[first], run.values[second]
    if first == second:
        return _relaxed_as("square", run, node, rows)
    negative = rows.clamp(max=0)
    positive = rows - negative
    to_x = positive * y.lower.unsqueeze(1) + negative * y.upper.unsqueeze(1)
    to_y = rows * x.lower.unsqueeze(1)
    offset = -_weighted(positive, (x.lower * y.lower).unsqueeze(1)) - _weighted(negative, (x.lower * y.upper).unsqueeze(1))
    return {first: to_x, second: to_y}, offset


def _relaxed_as(name: str, run: Pass, node: Node, rows: Tensor) -> Taken:
    if node.index not in run.kept:
        run.kept[node.index] = RELAXATIONS[name](node, run.values[node.inputs[0]], run.slopes, None, run.values)
    return _relaxed(run, node, rows)


def _divide(run: Pass, node: Node, rows: Tensor) -> Taken:
    return {node.args[0].index: rows / _per_row(_constant(run, node.args[1], node))}, None


def _max_pool(run: Pass, node: Node, rows: Tensor) -> Taken:
    """Below: the element with the largest lower end. Above: the same where no other can be larger, else the largest upper end."""
    x = run.values[node.inputs[0]]
    given = named(node, input=None, kernel_size=None, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False)
    sizes = {name: given[name] for name in ("kernel_size", "stride", "padding", "dilation", "ceil_mode")}
    sizes["stride"] = sizes["stride"] or sizes["kernel_size"]
    _, chosen = F.max_pool2d(x.lower.detach(), **sizes, return_indices=True)
    upper = F.max_pool2d(x.upper, **sizes)
    flat_chosen = chosen.flatten(2)
    others = _second_largest(x.upper.detach(), chosen, sizes)
    certain = (x.lower.flatten(2).gather(2, flat_chosen).view_as(chosen) >= others).to(rows)
    negative = rows.clamp(max=0)
    to_chosen = (rows - negative) + negative * certain.unsqueeze(1)
    target = rows.new_zeros(len(to_chosen), rows.shape[1], x.lower.shape[1], x.lower[0, 0].numel())
    index = chosen.flatten(2).unsqueeze(1).expand(-1, rows.shape[1], -1, -1)
    back = target.scatter_add(3, index, to_chosen.flatten(3)).unflatten(3, x.lower.shape[2:])
    return {node.inputs[0]: back}, _weighted(negative, (upper * (1 - certain)).unsqueeze(1))


def _second_largest(upper: Tensor, chosen: Tensor, sizes: dict[str, Any]) -> Tensor:
    """The largest upper end of each window without the chosen element."""
    kernel, stride, padding, dilation = (pair(sizes[name]) for name in ("kernel_size", "stride", "padding", "dilation"))
    height, width = upper.shape[2:]
    numbers = torch.arange(height * width, dtype=torch.float64, device=upper.device).view(1, 1, height, width)
    span = [max(0, (out - 1) * s + d * (k - 1) + 1 - size - p) for out, s, d, k, size, p in zip(chosen.shape[2:], stride, dilation, kernel, (height, width), padding)]
    edges = (padding[1], span[1], padding[0], span[0])
    windows = F.unfold(F.pad(upper, edges, value=-torch.inf).flatten(0, 1).unsqueeze(1), kernel, dilation, 0, stride)
    places = F.unfold(F.pad(numbers, edges, value=-1.0), kernel, dilation, 0, stride)
    count = chosen[0, 0].numel()
    at = places[..., :count] == chosen.flatten(0, 1).flatten(1).unsqueeze(1)
    return windows[..., :count].masked_fill(at, -torch.inf).amax(1).view_as(chosen)


def _reshape(run: Pass, node: Node, rows: Tensor) -> Taken:
    source = node.inputs[0]
    return {source: rows.reshape(*rows.shape[:2], *run.graph.nodes[source].shape)}, None


def _same(run: Pass, node: Node, rows: Tensor) -> Taken:
    return {node.inputs[0]: rows}, None


def _cat(run: Pass, node: Node, rows: Tensor) -> Taken:
    parts, axis = node.args[0], node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
    axis = axis if axis >= 0 else axis + len(node.shape) + 1
    taken, offset, first = {}, None, 0
    for part in parts:
        shape = run.graph.nodes[part.index].shape if _varies(run, part) else tuple(_constant(run, part, node).shape[1:])
        piece = rows.narrow(axis + 1, first, shape[axis - 1])
        first += shape[axis - 1]
        if _varies(run, part):
            taken[part.index] = taken[part.index] + piece if part.index in taken else piece
        else:
            added = _weighted(piece, _constant(run, part, node).unsqueeze(1))
            offset = added if offset is None else offset + added
    return taken, offset


def _transposed(run: Pass, node: Node, rows: Tensor) -> Taken:
    """Of any linear operation that treats examples alike: its transpose, by differentiation."""
    (source,) = [index for index in node.inputs if run.graph.nodes[index].varies]
    with torch.enable_grad():
        x = rows.new_zeros(rows.shape[0] * rows.shape[1], *run.graph.nodes[source].shape, requires_grad=True)
        values = {source: x}
        y = node.function(*substitute(node.args, values), **substitute(node.kwargs, values))
        (back,) = torch.autograd.grad(y, x, rows.flatten(0, 1), create_graph=rows.requires_grad)
    return {source: back.unflatten(0, rows.shape[:2])}, None


def _pad(run: Pass, node: Node, rows: Tensor) -> Taken:
    given = named(node, input=None, pad=None, mode="constant", value=None)
    if given["mode"] == "constant" and given["value"]:
        raise UnsupportedOperation(f"{where(node)}: padding with {given['value']} instead of 0 has interval bounds only.")
    return _transposed(run, node, rows)


def _offset(rows: Tensor, constant: Tensor) -> Tensor:
    """rows·constant, the same for all examples."""
    return rows.flatten(2) @ constant.flatten()


def _offset_of_batch(rows: Tensor, constant: Tensor) -> Tensor:
    return _weighted(rows, constant.unsqueeze(1)) if len(constant) > 1 else rows.flatten(2) @ constant.flatten()


def _weighted(rows: Tensor, weights: Tensor) -> Tensor:
    """Inner products of rows with one weight for each example, or one for each example and row."""
    if weights.shape[1] == 1:
        return _products(rows.flatten(2), weights.flatten(2).squeeze(1))
    return (rows * weights).flatten(2).sum(2)


def _products(rows: Tensor, points: Tensor) -> Tensor:
    """(examples|1, rows, n) and (batch|1, n) -> (batch, rows)."""
    if len(rows) == 1:
        return points @ rows[0].T
    if len(points) == 1:
        return rows @ points[0]
    if rows.shape[1] == 1:
        return torch.linalg.vecdot(rows, points.unsqueeze(1))
    return torch.bmm(rows, points.unsqueeze(2)).squeeze(2)


def _varies(run: Pass, part: Any) -> bool:
    return hasattr(part, "index") and not isinstance(part, tuple | list) and run.graph.nodes[part.index].varies


def _constant(run: Pass, part: Any, node: Node) -> Tensor:
    """A constant argument, in the shape (1 | batch, *shape of the node)."""
    like = run.values[0].lower
    value = torch.as_tensor(substitute(part, run.values), dtype=like.dtype, device=like.device)
    dims = len(node.shape)
    if value.ndim <= dims:
        return value.expand(node.shape).unsqueeze(0)
    return value.expand(len(value), *node.shape)


def _per_row(constant: Tensor) -> Tensor:
    return constant.unsqueeze(1)


def _check_shape(run: Pass, node: Node, part: Any) -> None:
    if run.graph.nodes[part.index].shape != node.shape:
        raise UnsupportedOperation(f"{where(node)}: the input of shape {run.graph.nodes[part.index].shape} is repeated to {node.shape}: this has interval bounds only.")


LINEAR_RULES: dict[str, Callable[[Pass, Node, Tensor], Taken]] = {
    "linear": _linear,
    "matmul": _matmul,
    "conv2d": _convolution,
    "conv_transpose2d": _convolution,
    "batch_norm": _batch_norm,
    **dict.fromkeys(RELAXATIONS, _relaxed),
    "neg": _negative,
    "add": _add,
    "sub": _add,
    "rsub": _add,
    "mul": _multiply,
    "div": _divide,
    "cat": _cat,
    "getitem": _transposed,
    "narrow": _transposed,
    "select": _transposed,
    "chunk": _transposed,
    "split": _transposed,
    "transpose": _transposed,
    "permute": _transposed,
    "sum": _transposed,
    "mean": _transposed,
    "avg_pool2d": _transposed,
    "adaptive_avg_pool2d": _transposed,
    "max_pool2d": _max_pool,
    "interpolate": _transposed,
    "pad": _pad,
    "reshape": _reshape,
    "same": _same,
}
NONLINEAR = {*RELAXATIONS, "max_pool2d"}


def is_relaxed(graph: Graph, node: Node) -> bool:
    """Whether bounds of its inputs are needed."""
    product = node.name == "mul" and all(hasattr(part, "index") and graph.nodes[part.index].varies for part in node.args[:2])
    return node.varies and (node.name in NONLINEAR or product)


def is_kinked(node: Node) -> bool:
    return node.name in KINKED
