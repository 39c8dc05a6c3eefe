"""What a run has written so far."""

import json
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.runs import Run


def read_table(run: Run, name: str) -> Any:
    """A table that the run has written, None where there is none yet."""
    return _read(run.results / f"{name}.json")


def read_history(run: Run) -> list[dict[str, Any]]:
    """What a training measured after each epoch."""
    return _read(run.output / "history.json") or []


def _read(path: Path) -> Any:
    try:
        return _parsed(str(path), path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@st.cache_data(max_entries=256, show_spinner=False)
def _parsed(path: str, modified: int) -> Any:
    """`modified` tells versions of the file apart; a leading underscore would keep it out of the key."""
    return json.loads(Path(path).read_bytes())
