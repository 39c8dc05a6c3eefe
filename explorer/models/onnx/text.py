"""A network's operations as lines of text, as a checkpoint's header keeps them: `v3 = Conv(v1, t0, t1, strides=[2, 2])`.

v0 is the image, t0 and further are tensors, _ is an input left out; numbers stand for themselves."""

import math
import re
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.errors import InvalidInput

LONGEST = 300_000  # characters of a line: a literal of 65,536 small numbers
LINE = re.compile(r"(v\d{1,6}(?:, v\d{1,6}){0,255}) = ([A-Z][A-Za-z]{0,40})\((.*)\)")
ITEM = re.compile(r"(?:([a-z][a-zA-Z_]{0,30})=)?(\[[^\[\]]*\]|[^\[\],= ]+)")
NAME, WORD, INTEGER = re.compile(r"[vt]\d{1,6}"), re.compile(r"[A-Za-z][A-Za-z_0-9]{0,40}"), re.compile(r"-?\d{1,19}")
Number = int | float
Attribute = Number | str | tuple[Number, ...]


@dataclass(frozen=True, eq=False)
class Name:
    """A value by its name."""

    name: str


Argument = Name | Tensor | float | None  # integers are int64 tensors on the CPU, none a missing input


@dataclass(frozen=True, eq=False)
class Line:
    """One operation."""

    outputs: tuple[str, ...]
    operation: str
    arguments: tuple[Argument, ...]
    attributes: dict[str, Attribute]

    @property
    def names(self) -> tuple[str, ...]:
        """The values it takes."""
        return tuple(each.name for each in self.arguments if isinstance(each, Name))


def written(line: Line) -> str:
    items = [_argument_text(each) for each in line.arguments] + [f"{key}={_text(value)}" for key, value in line.attributes.items()]
    return f"{', '.join(line.outputs)} = {line.operation}({', '.join(items)})"


def parsed(text: str) -> Line:
    """Raises InvalidInput for what `written` does not write."""
    found = LINE.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise InvalidInput(f"{text[:60]!r} is no operation: expected a line such as v1 = Relu(v0)")
    arguments, attributes = [], {}
    rest = found[3]
    place = 0
    while place < len(rest):
        item = ITEM.match(rest, place)
        if item is None or not (rest[item.end() : item.end() + 2] == ", " or item.end() == len(rest)):
            raise InvalidInput(f"{text[:60]!r} cannot be read at {rest[place : place + 20]!r}")
        place = item.end() + 2
        if item[1] is None and attributes or item[1] in attributes:
            raise InvalidInput(f"{text[:60]!r}: inputs come before attributes, each once")
        value = _value(item[2], text)
        if item[1] is None:
            arguments.append(_argument(value, text))
        else:
            attributes[item[1]] = value
    return Line(tuple(found[1].split(", ")), found[2], tuple(arguments), attributes)


def is_small(tensor: Tensor) -> bool:
    """Whether a constant is written as a number, or a list of integers, instead of kept as a tensor."""
    return tensor.ndim == 0 and not tensor.isnan() or tensor.ndim == 1 and not tensor.is_floating_point()


def literal(tensor: Tensor) -> Argument:
    """A small constant as an argument."""
    return float(tensor) if tensor.is_floating_point() else tensor.to(torch.int64)


def _value(text: str, line: str) -> Attribute:
    if text.startswith("["):
        inner = [part for part in text[1:-1].split(", ") if part]
        return tuple(_number(part, line) for part in inner)
    return text if WORD.fullmatch(text) and text != "inf" or text == "_" else _number(text, line)


def _number(text: str, line: str) -> Number:
    try:
        value = int(text) if INTEGER.fullmatch(text) else float(text) if len(text) < 40 else math.nan
    except ValueError:
        value = math.nan
    if value != value or isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise InvalidInput(f"{line[:60]!r}: {text[:30]!r} is no number")
    return value


def _argument(value: Attribute, line: str) -> Argument:
    if value == "_":
        return None
    if isinstance(value, str):
        if not NAME.fullmatch(value):
            raise InvalidInput(f"{line[:60]!r}: {value!r} is no value")
        return Name(value)
    if isinstance(value, tuple) and not all(isinstance(each, int) for each in value):
        raise InvalidInput(f"{line[:60]!r}: a list of inputs holds integers")
    return value if isinstance(value, float) else torch.tensor(value, dtype=torch.int64, device="cpu")


def _argument_text(argument: Argument) -> str:
    if argument is None:
        return "_"
    if isinstance(argument, Name):
        return argument.name
    return _text(tuple(argument.tolist()) if isinstance(argument, Tensor) and argument.ndim else argument.item() if isinstance(argument, Tensor) else argument)


def _text(value: Attribute) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_text, value))}]"
    return str(np.float32(value)) if isinstance(value, float) else str(value)
