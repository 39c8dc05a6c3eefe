"""Variances and radii of a two-dimensional Gaussian to drag, with Figure 1 of Manifold directions, computed over the WebSocket of `live.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import streamlit as st

from .live_budgets import Slider
from .live_control import SOCKET_STATES
from .live_intervals import BELOW
from .live_intervals import FOLDER as SHARED

FOLDER = Path(__file__).parent / "live_gaussian"


def _text(*paths: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


_component = st.components.v2.component(
    "explorer_live_gaussian",
    html=_text(FOLDER / "live_gaussian.html"),
    css=_text(SHARED / "intervals.css", FOLDER / "live_gaussian.css"),
    js=_text(*BELOW, FOLDER / "control.js"),
)


def committed_numbers(key: str, revision: int | str, given: Mapping[str, float], sliders: Sequence[Slider]) -> tuple[dict[str, float], str]:
    """What the browser committed, and the state of its socket; the given numbers where it has not yet, did so for an earlier revision, or sent
    what cannot be."""
    result = st.session_state.get(key)
    state = result.get("state") if isinstance(result, Mapping) else None
    if not isinstance(state, Mapping) or state.get("revision") != revision:
        return dict(given), "open"
    values = {each.key: state.get(each.key) for each in sliders}
    socket = state.get("socket") if state.get("socket") in SOCKET_STATES else "open"
    if not all(type(value) in (int, float) and each.low <= value <= each.high for each, value in zip(sliders, values.values())):
        return dict(given), socket
    return {name: float(value) for name, value in values.items()}, socket


def live_gaussian(*, token: str, revision: int | str, settings: Mapping[str, float], sliders: Sequence[Slider], committed: Mapping[str, Any], key: str, path: str = "/live") -> None:
    """Mounts the control. `committed` is what the page knows at these settings, {"panels": [{"title", "caption", "svg"}], "rows"}, and the scene behind `token` answers in the
    same form; it is given the settings in the order of the sliders. They are taken over whenever `revision` changes."""
    controls = [asdict(each) | {"ticks": [{"at": at, "text": text} for at, text in each.ticks]} for each in sliders]
    data = {"token": token, "revision": revision, "settings": dict(settings), "controls": controls, "committed": dict(committed), "path": path}
    _component(key=key, data=data, on_state_change=lambda: None)
