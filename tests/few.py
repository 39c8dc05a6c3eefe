"""Which cases of a test belong to the default run."""

from collections.abc import Iterable
from typing import Any

import pytest


def few(kept: int, cases: Iterable[Any]) -> list[Any]:
    """The first cases as they are, the others for -m slow."""
    cases = list(cases)
    return [*cases[:kept], *(pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow) for case in cases[kept:])]
