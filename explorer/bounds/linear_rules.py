"""Each operation taken backwards: coefficients of its value become coefficients of its arguments, and something is added to the bound."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.errors import UnsupportedOperation

from .arguments import affine_of_batch_norm, convolution, named
from .fused import BackThroughRelu
from .graph import Node, substitute, where
from .linear_pass import Pass, weighted
from .pooling import max_pool_back
from .relaxations import RELAXATIONS, relu_slope_below
from .transposed import transposed_convolution

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
        back = transposed_convolution(folded, weight, size=shape[1:], **options)
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
        offset = weighted(negative, above_offset)
    if below_offset is not None:
        offset = weighted(rows - negative, below_offset) + (0.0 if offset is None else offset)
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
    offset = -weighted(positive, (x.lower * y.lower).unsqueeze(1)) - weighted(negative, (x.lower * y.upper).unsqueeze(1))
    return {first: to_x, second: to_y}, offset


def _relaxed_as(name: str, run: Pass, node: Node, rows: Tensor) -> Taken:
    if node.index not in run.kept:
        run.kept[node.index] = RELAXATIONS[name](node, run.values[node.inputs[0]], run.slopes, None, run.values)
    return _relaxed(run, node, rows)


def _divide(run: Pass, node: Node, rows: Tensor) -> Taken:
    return {node.args[0].index: rows / _per_row(_constant(run, node.args[1], node))}, None


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
            added = weighted(piece, _constant(run, part, node).unsqueeze(1))
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
    return weighted(rows, constant.unsqueeze(1)) if len(constant) > 1 else rows.flatten(2) @ constant.flatten()


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
    "max_pool2d": max_pool_back,
    "interpolate": _transposed,
    "pad": _pad,
    "reshape": _reshape,
    "same": _same,
}
