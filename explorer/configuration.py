"""Frozen dataclasses from dictionaries and from text, with every problem reported at once."""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from .errors import ConfigurationError

Config = TypeVar("Config")


def from_mapping(kind: type[Config], values: Mapping[str, Any], where: str) -> Config:
    """Build `kind` from plain JSON values. Raises ConfigurationError for unknown, missing and wrongly typed fields."""
    if not isinstance(values, Mapping):
        raise ConfigurationError([f"{where}: expected an object of fields, got {type(values).__name__}"])
    hints = typing.get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}
    problems = [f"{where}: unknown field {str(name)[:60]!r}. Known: {', '.join(known)}" for name in values if name not in known]
    converted = {}
    for name, field in known.items():
        if name in values:
            try:
                converted[name] = convert(values[name], hints[name])
            except (TypeError, ValueError) as error:
                problems.append(f"{where}: {name} = {str(values[name])[:60]}: {error}")
        elif field.default is MISSING and field.default_factory is MISSING:
            problems.append(f"{where}: {name} is missing")
    if problems:
        raise ConfigurationError(problems)
    return kind(**converted)


def out_of_range(config: Any, **limits: tuple[int, int]) -> list[str]:
    """A sentence for each field outside its (lowest, highest) value; of a tuple every member counts."""
    problems = []
    for name, (low, high) in limits.items():
        value = getattr(config, name)
        members = value if isinstance(value, tuple) else (value,)
        if not members or not all(low <= member <= high for member in members):
            problems.append(f"{name} = {value}: expected {low} to {high}")
    return problems


def limit_problems(config: Any, of: str = "images") -> list[str]:
    """What is wrong with the field `limit`, which keeps the first images, or others, of a split."""
    return [] if config.limit is None or config.limit >= 1 else [f"limit = {config.limit}: expected a number of {of}, at least 1, or none"]


def convert(value: Any, hint: Any) -> Any:
    """A JSON value as the annotated type; lists become tuples. Raises ValueError naming what was expected."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return convert(value, next(each for each in arguments if each is not type(None)))
    if origin is typing.Literal:
        if value not in arguments:
            raise ValueError(f"expected one of {', '.join(map(str, arguments))}")
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise ValueError("expected a list")
        inner = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(inner) != len(value):
            raise ValueError(f"expected {len(inner)} values, got {len(value)}")
        if all(kind is float for kind in inner) and all(type(each) in (int, float) and abs(each) < 1e300 for each in value):
            return tuple(map(float, value))  # at once: results files hold thousands
        return tuple(convert(each, kind) for each, kind in zip(value, inner))
    if hint is float and type(value) in (int, float):
        if not abs(value) < 1e300:
            raise ValueError("expected a finite number")
        return float(value)
    if type(value) is not hint:
        raise ValueError(f"expected {getattr(hint, '__name__', hint)}, got {type(value).__name__}")
    return value


def parse(text: str, hint: Any) -> Any:
    """A command-line option as the annotated type: `512,128` for a tuple, `0:0,40:0.0008` for a tuple of pairs."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if text.lower() in ("none", "null"):
            return None
        return parse(text, next(each for each in arguments if each is not type(None)))
    if origin is tuple:
        nested = typing.get_origin(arguments[0]) is tuple
        parts = [part for part in text.split(",") if part.strip()]
        if nested:
            pair = arguments[0]
            number = int if set(typing.get_args(pair)) == {int} else float
            return convert([[number(piece) for piece in part.split(":")] for part in parts], tuple[pair, ...])
        kinds = [arguments[0]] * len(parts) if arguments[-1] is Ellipsis else arguments
        return convert([parse(part, kind) for part, kind in zip(parts, kinds, strict=True)], hint)
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("expected true or false")
        return text.lower() == "true"
    if hint in (int, float):
        return convert(hint(text), hint)
    return convert(text, hint)
