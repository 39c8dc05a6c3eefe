"""ONNX operators that work on each number, and products of matrices, as torch computes them. Numbers that a network computes from shapes are
integers on the CPU; a float written in the graph is a Python number."""

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.errors import UnsupportedOperation

Number = Tensor | float
FLOATS, BOOL = (1, 10, 11, 16), 9  # element types in onnx.proto


def paired(first: Number, second: Number) -> tuple[Number, Number]:
    """Both on one device: numbers computed from shapes live on the CPU."""
    if isinstance(first, Tensor) and isinstance(second, Tensor) and first.device != second.device:
        return (first.to(second.device), second) if first.device.type == "cpu" else (first, second.to(first.device))
    return first, second


def add(first: Number, second: Number) -> Number:
    first, second = paired(first, second)
    return first + second


def subtract(first: Number, second: Number) -> Number:
    first, second = paired(first, second)
    return first - second


def multiply(first: Number, second: Number) -> Number:
    first, second = paired(first, second)
    return first * second


def divide(first: Number, second: Number) -> Number:
    """Integers are cut towards 0."""
    first, second = paired(first, second)
    whole = all(isinstance(each, Tensor) and not each.is_floating_point() for each in (first, second))
    return torch.div(first, second, rounding_mode="trunc") if whole else first / second


def modulo(first: Number, second: Number, fmod: int = 0) -> Number:
    first, second = paired(first, second)
    return torch.fmod(first, second) if fmod else torch.remainder(first, second)


def power(base: Number, exponent: Number) -> Number:
    base, exponent = paired(base, exponent)
    return torch.pow(base, int(exponent) if isinstance(exponent, float) and exponent.is_integer() else exponent)


def smallest(*values: Number) -> Number:
    return _folded(lambda one, other: one.clamp(max=other), values)


def largest(*values: Number) -> Number:
    return _folded(lambda one, other: one.clamp(min=other), values)


def total(*values: Number) -> Number:
    return _folded(lambda one, other: one + other, values)


def _folded(join, values: tuple[Number, ...]) -> Number:
    found, *others = sorted(values, key=lambda value: not isinstance(value, Tensor))
    for other in others:
        found = join(*paired(found, other))
    return found


def clip(x: Tensor, low: Number | None = None, high: Number | None = None, min: float | None = None, max: float | None = None) -> Tensor:  # noqa: A002
    low, high = (given if given is not None else named for given, named in ((low, min), (high, max)))
    low, high = (value.item() if isinstance(value, Tensor) and value.device.type == "cpu" else value for value in (low, high))
    return x if low is None and high is None else torch.clamp(x, low, high)


def where(condition: Tensor, first: Number, second: Number) -> Tensor:
    first, second = paired(first, second)
    device = next((each.device for each in (first, second) if isinstance(each, Tensor)), condition.device)
    return torch.where(condition.bool().to(device), first, second)


def equal(first: Number, second: Number) -> Tensor:
    return torch.eq(*paired(first, second))


def cast(x: Number, to: int, saturate: int = 1, round_mode: str = "up") -> Tensor:
    """Floats are float32 here, integers int64."""
    x = x if isinstance(x, Tensor) else torch.tensor(x, device="cpu")
    if to in FLOATS:
        return x if x.is_floating_point() else x.float()
    if to == BOOL:
        return x.bool()
    if to in (6, 7):
        return x.to(torch.int64)
    raise UnsupportedOperation(f"Cast to the element type {to}: known are floats, int32, int64 and bool.")


def identity(x: Number) -> Number:
    return x


def dropout(x: Tensor, ratio: Number | None = None, training: Number | None = None, seed: int = 0, **old: float) -> Tensor:
    """The identity. Raises UnsupportedOperation for a network exported in training."""
    if training is not None and bool(training):
        raise UnsupportedOperation("Dropout in training mode: export with model.eval().")
    return x


def hard_sigmoid(x: Tensor, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    return (x * alpha + beta).clamp(0, 1)


def hard_swish(x: Tensor) -> Tensor:
    return x * (x / 6 + 0.5).clamp(0, 1)


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    return F.gelu(x, approximate=approximate)


def leaky_relu(x: Tensor, alpha: float = 0.01) -> Tensor:
    return F.leaky_relu(x, alpha)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    return F.elu(x, alpha)


def parametric_relu(x: Tensor, slope: Tensor) -> Tensor:
    return torch.where(x < 0, x * slope, x)


def softmax(x: Tensor, axis: int = -1, flattened: int = 0) -> Tensor:
    """`flattened`: over all dimensions from the axis on, as it was before version 13."""
    return F.softmax(x.flatten(axis), -1).reshape(x.shape) if flattened else F.softmax(x, axis)


def log_softmax(x: Tensor, axis: int = -1, flattened: int = 0) -> Tensor:
    return F.log_softmax(x.flatten(axis), -1).reshape(x.shape) if flattened else F.log_softmax(x, axis)


def product(first: Tensor, second: Tensor) -> Tensor:
    return torch.matmul(first, second)


def linear(x: Tensor, weight: Tensor, bias: Number | None = None, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0) -> Tensor:  # noqa: N803
    """Gemm: alpha·A·B + beta·C."""
    x, weight = x.T if transA else x, weight if transB else weight.T
    if alpha == 1 and (bias is None or beta == 1 and isinstance(bias, Tensor) and bias.shape == weight.shape[:1]):
        return F.linear(x, weight, bias)
    found = F.linear(x, weight) * alpha
    return found if bias is None else found + bias * beta
