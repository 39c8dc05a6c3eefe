"""ONNX files written by hand: just enough of protocol buffers for tests, right and wrong ones."""

import struct

import torch
from torch import Tensor

ELEMENT = {torch.float32: 1, torch.int64: 7, torch.bool: 9, torch.float16: 10, torch.float64: 11, torch.int32: 6}


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def field(number: int, value: int | float | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(name: str, value: Tensor) -> bytes:
    dims = b"".join(field(1, size) for size in value.shape)
    return dims + field(2, ELEMENT[value.dtype]) + field(8, name) + field(9, value.contiguous().numpy().tobytes())


def attribute(name: str, value) -> bytes:
    kinds = {int: (3, 2), float: (2, 1), str: (4, 3), Tensor: (5, 4)}
    if isinstance(value, (list, tuple)):
        whole = all(isinstance(each, int) for each in value)
        return field(1, name) + b"".join(field(8 if whole else 7, each) for each in value) + field(20, 7 if whole else 6)
    number, kind = kinds[type(value)]
    return field(1, name) + field(number, tensor("", value) if kind == 4 else value) + field(20, kind)


def node(operation: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes) -> bytes:
    names = b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs)
    return names + field(4, operation) + b"".join(field(5, attribute(name, value)) for name, value in attributes.items()) + (field(7, domain) if domain else b"")


def value_info(name: str, shape: tuple[int | None, ...]) -> bytes:
    dims = b"".join(field(1, field(2, "n") if size is None else field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def model(nodes: list[bytes], tensors: dict[str, Tensor] | None = None, inputs=None, outputs: tuple[str, ...] = ("y",), opset: int = 18, more: bytes = b"") -> bytes:
    """A file; `more` joins the graph's fields."""
    inputs = {"x": (None, 1, 4, 4)} if inputs is None else inputs
    graph = b"".join(field(1, each) for each in nodes) + b"".join(field(5, tensor(name, value)) for name, value in (tensors or {}).items())
    graph += b"".join(field(11, value_info(name, shape)) for name, shape in inputs.items()) + b"".join(field(12, value_info(name, (None, 3))) for name in outputs)
    return field(1, 8) + field(7, graph + more) + field(8, field(1, "") + field(2, opset))


def linear(**given) -> bytes:
    """Three logits of 4×4 pixels."""
    weights = {"w": torch.linspace(-1, 1, 48).reshape(3, 16), "b": torch.tensor([0.1, 0.2, 0.3])}
    return model([node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "w", "b"], ["y"], transB=1)], weights, **given)
