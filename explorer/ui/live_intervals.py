"""A radius to drag with the intervals that follow it: rows of nested bars, computed over the WebSocket of `live.py`.

The browser keeps the radius while it is dragged and commits it once, on release; what is too slow to follow stays pale until then. Data
reach the script only as the component's data, never as text inside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from .live_control import FOLDER as SHARED
from .live_control import SOCKET_STATES

FOLDER = Path(__file__).parent / "live_intervals"
BELOW = [SHARED / f"{name}.js" for name in ("vectors", "socket", "sliders")] + [FOLDER / f"{name}.js" for name in ("connection", "plot", "dragged")]  # also other controls'
MODULES = BELOW + [FOLDER / f"{name}.js" for name in ("control", "show")]

_component = st.components.v2.component(
    "explorer_live_intervals",
    html=(FOLDER / "intervals.html").read_text(encoding="utf-8"),
    css=(FOLDER / "intervals.css").read_text(encoding="utf-8"),
    js="\n".join(path.read_text(encoding="utf-8") for path in MODULES),
)


@dataclass(frozen=True)
class Series:
    """A bar or a mark in every row. `fixed` marks do not depend on the radius; `shape` is circle or diamond for marks."""

    key: str
    name: str
    colour: str
    shape: str = ""
    fixed: bool = False


@dataclass(frozen=True)
class LiveRadius:
    """What was committed last. `socket` is "unavailable" where no connection can be opened: the radius then comes on release only;
    "expired" where the page should register the scene again (which a rerun does)."""

    radius: float
    socket: str = "open"


def committed_radius(key: str, revision: int | str, given: float, reach: float) -> LiveRadius:
    """The radius that the browser committed; the given one where it has not yet, or did so for an earlier revision."""
    result = st.session_state.get(key)
    state = result.get("state") if isinstance(result, Mapping) else None
    if not isinstance(state, Mapping) or state.get("revision") != revision:
        return LiveRadius(given)
    radius, socket = state.get("radius"), state.get("socket")
    if type(radius) not in (int, float) or not 0 <= radius <= reach:  # a browser can send anything
        radius = given
    return LiveRadius(float(radius), socket if socket in SOCKET_STATES else "open")


def live_intervals(
    *,
    token: str,
    radius: float,
    reach: float,
    ticks: Sequence[tuple[float, str]],
    axis: tuple[float, float],
    rows: Sequence[str],
    bars: Sequence[Series],
    marks: Sequence[Series],
    unit: str,
    number: str,
    committed: Mapping[str, Any],
    revision: int | str,
    key: str,
    step: float = 0.001,
    path: str = "/live",
    component: Callable[..., Any] = _component,
) -> None:
    """Mounts the control. `committed` holds what the page knows at its radius: {"radius", "bars": {key: [lower, upper]}, "marks": {key:
    values}, "notes": {key: {"text", "good"}}}, and the scene behind `token` answers in the same form. `number` is the bar whose lower
    ends are written out, `unit` what the axis counts. The radius is taken over at the first mount and whenever `revision` changes. A
    `component` of one's own can show more of the values."""
    data = {
        "token": token,
        "radius": radius,
        "reach": reach,
        "step": step,
        "ticks": [{"radius": at, "text": text} for at, text in ticks],
        "axis": list(axis),
        "rows": list(rows),
        "bars": [asdict(each) for each in bars],
        "marks": [asdict(each) for each in marks],
        "unit": unit,
        "number": number,
        "committed": dict(committed),
        "revision": revision,
        "path": path,
    }
    component(key=key, data=data, on_state_change=lambda: None)
