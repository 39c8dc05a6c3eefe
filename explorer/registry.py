"""Look-up by name in a visible table, with an error that helps."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from .errors import UnknownName

Value = TypeVar("Value")


def look_up(table: Mapping[str, Value], name: str, noun: str) -> Value:
    """The table's entry of that name. `noun` says in the error what kind of thing was looked for."""
    if isinstance(name, str) and name in table:
        return table[name]
    close = get_close_matches(str(name), table, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UnknownName(f"unknown {noun} {name!r}.{hint} Known: {', '.join(sorted(table))}")
