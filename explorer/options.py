"""The fields of a frozen dataclass as command-line options, and back."""

import argparse
import dataclasses
import re
import typing
from collections.abc import Mapping, Sequence

from explorer.configuration import parse
from explorer.errors import ConfigurationError


def add_fields(parser: argparse._ActionsContainer, config: typing.Any, without: Sequence[str] = ()) -> None:
    """An option for each field of a configuration, which shows its value; of a class, its default."""
    for field in dataclasses.fields(config):
        if field.name not in without:
            value = field.default if isinstance(config, type) else getattr(config, field.name)
            shown = "required" if value is dataclasses.MISSING else option_text(value)
            parser.add_argument(f"--{field.name.replace('_', '-')}", metavar="VALUE", help=f"({shown})")


def given(config: typing.Any, options: Mapping[str, typing.Any], without: Sequence[str] = ()) -> tuple[dict[str, typing.Any], list[str]]:
    """The fields that the options change, as their types, and a sentence for each that cannot be read."""
    hints = typing.get_type_hints(config if isinstance(config, type) else type(config))
    changes, problems = {}, []
    for field in dataclasses.fields(config):
        text = None if field.name in without else options.get(field.name)
        if text is not None:
            try:
                changes[field.name] = parse(text, hints[field.name])
            except (TypeError, ValueError) as error:
                problems.append(f"--{field.name.replace('_', '-')} {text}: {error}")
    return changes, problems


def changed(config: typing.Any, options: Mapping[str, typing.Any], without: Sequence[str] = ()) -> dict[str, typing.Any]:
    """The fields that the options change. Raises ConfigurationError with every problem."""
    changes, problems = given(config, options, without)
    if problems:
        raise ConfigurationError(problems)
    return changes


def joined(arguments: Sequence[str]) -> list[str]:
    """`--log-var-bounds -14,5` as one word: argparse takes a value that begins with a minus for an option."""
    words: list[str] = []
    for word in arguments:
        if words and words[-1].startswith("--") and "=" not in words[-1] and re.match(r"-[\d.]", word):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


def option_text(value: typing.Any) -> str:
    """A value as an option's text, as `configuration.parse` reads it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    if isinstance(value, (list, tuple)):
        nested = len(value) > 0 and isinstance(value[0], (list, tuple))
        return ",".join(":".join(map(option_text, each)) if nested else option_text(each) for each in value)
    return str(value)
