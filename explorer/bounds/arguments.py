"""The arguments of recorded operations, by name."""

import inspect
import math
from typing import Any

import torch
from torch import Tensor

from explorer.errors import UnsupportedOperation

from .graph import Node, substitute, where

CONVOLUTION = {
    "conv2d": {"input": None, "weight": None, "bias": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "conv_transpose2d": {"input": None, "weight": None, "bias": None, "stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "dilation": 1},
}
BATCH_NORM = {"input": None, "running_mean": None, "running_var": None, "weight": None, "bias": None, "training": False, "momentum": 0.1, "eps": 1e-5}
MONOTONE_PADDING = ("constant", "reflect", "replicate", "circular")


def named(node: Node, **defaults: Any) -> dict[str, Any]:
    """A node's arguments by name, in the order of the defaults, which stand where nothing was given."""
    found = dict(defaults)
    found.update(zip(defaults, node.args))
    return found | {name: value for name, value in node.kwargs.items() if name in defaults}


def convolution(node: Node, values) -> tuple[Any, Tensor, Tensor | None, dict[str, Any]]:
    """Input, weight, bias and the remaining options of a convolution."""
    given = named(node, **CONVOLUTION[node.name])
    x, weight, bias = (substitute(given.pop(name), values) for name in ("input", "weight", "bias"))
    if isinstance(given["padding"], str):
        given["padding"] = _padding(node, given["padding"], weight, given["dilation"])
    return x, weight, bias, {name: pair(value) if name != "groups" else value for name, value in given.items()}


def affine_of_batch_norm(node: Node, values) -> tuple[Any, Tensor, Tensor]:
    """Input, scale and shift of a batch norm in evaluation mode, shaped for its input."""
    given = {name: substitute(value, values) for name, value in named(node, **BATCH_NORM).items()}
    scale = (given["running_var"] + given["eps"]).rsqrt()
    scale = scale if given["weight"] is None else scale * given["weight"]
    shift = -given["running_mean"] * scale
    shift = shift if given["bias"] is None else shift + given["bias"]
    shape = (-1, *[1] * (len(node.shape) - 1))
    return given["input"], scale.view(shape), shift.view(shape)


def clamp_limits(node: Node, values) -> tuple[Any, float, float]:
    """Input and the limits of a clamp by numbers, ±∞ where there is none."""
    function = getattr(node.function, "__name__", "")
    names = {"clamp_min": ("min",), "clamp_min_": ("min",), "clamp_max": ("max",), "clamp_max_": ("max",), "hardtanh": ("min_val", "max_val")}
    order = names.get(function.rstrip("_"), ("min", "max"))
    given = dict(zip(order, node.args[1:])) | node.kwargs
    if function.startswith("hardtanh"):
        low, high = given.get("min_val", -1.0), given.get("max_val", 1.0)
    elif function.startswith("relu6"):
        low, high = 0.0, 6.0
    else:
        low, high = given.get("min"), given.get("max")
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    if not all(isinstance(each, int | float) for each in (low, high)):
        raise UnsupportedOperation(f"{where(node)}: limits that are tensors have no bound yet; use numbers.")
    return substitute(node.args[0] if node.args else node.kwargs["input"], values), float(low), float(high)


def padding_mode(node: Node) -> str:
    """How a pad fills. Raises UnsupportedOperation for what does not exist."""
    mode = named(node, input=None, pad=None, mode="constant", value=None)["mode"]
    if mode not in MONOTONE_PADDING:
        raise UnsupportedOperation(f"{where(node)}: the mode {mode!r} has no bound. Known: {', '.join(MONOTONE_PADDING)}")
    return mode


def pair(value: Any) -> Any:
    """One number for height and width, or two."""
    return tuple(value) if isinstance(value, tuple | list) and len(value) == 2 else (value[0],) * 2 if isinstance(value, tuple | list) else (value,) * 2


def positional(node: Node, name: str) -> Any:
    """One argument of a Python function, by its signature."""
    try:
        bound = inspect.signature(node.function).bind_partial(*node.args, **node.kwargs)
    except (TypeError, ValueError):
        return node.kwargs.get(name)
    return bound.arguments.get(name)


def _padding(node: Node, padding: str, weight: Tensor, dilation: Any) -> tuple[int, int]:
    if padding == "valid":
        return (0, 0)
    spans = [d * (k - 1) for d, k in zip(pair(dilation), weight.shape[2:])]
    if any(span % 2 for span in spans):
        raise UnsupportedOperation(f"{where(node)}: padding 'same' of an even kernel is not symmetric. Pad before the convolution.")
    return tuple(span // 2 for span in spans)


def as_tensor(value: Any, like: Tensor) -> Tensor:
    return value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=like.dtype, device=like.device)
