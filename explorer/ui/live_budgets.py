"""Volume and range of budgets to drag, budgets to draw by hand, and for each kind of budgets their map, the two ends of the box, the verdict
and every margin, computed over the WebSocket of `live.py`.

The browser keeps what is dragged or drawn and commits it once, on release. Data reach the script only as the component's data, never as
text inside it."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Float

from .live_control import SOCKET_STATES
from .live_intervals import BELOW
from .live_intervals import FOLDER as SHARED

FOLDER = Path(__file__).parent / "live_budgets"
MODULES = [*BELOW, *(FOLDER / f"{name}.js" for name in ("maps", "drawing", "lane", "control", "show"))]
SCALES = ("range", "absolute", "paper")
STEPS_AT_MOST = 16  # half octaves, up or down


def _text(*paths: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


_component = st.components.v2.component(
    "explorer_live_budgets",
    html=_text(FOLDER / "live_budgets.html"),
    css=_text(SHARED / "intervals.css", FOLDER / "live_budgets.css"),
    js=_text(*MODULES),
)


@dataclass(frozen=True)
class Slider:
    """One that is dragged: `key` is volume, alpha or alpha_bar; `disabled` says why, where it is."""

    key: str
    name: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    logarithmic: bool = True
    step: float = 0.001
    unit: str = ""
    disabled: str = ""
    help: str = ""


@dataclass(frozen=True)
class Lane:
    """One kind of budgets of one model, and the margins of the image itself."""

    key: str
    title: str
    model: str
    clean: Sequence[float]
    drawn: bool = False


@dataclass(frozen=True)
class BudgetState:
    """What is dragged, drawn and looked at. `steps` are the half octaves of a drawing, b"" for none; `scale` is one of SCALES; `channel` 0
    for the mean over the channels, else its number from 1. `socket` as in LiveRadius."""

    volume: float
    alpha: float
    alpha_bar: float
    steps: bytes = b""
    base: str = "learned"
    keep: bool = True
    scale: str = "range"
    channel: int = 0
    socket: str = "open"


def committed_budgets(key: str, revision: int | str, given: BudgetState, sliders: Sequence[Slider], pixels: int, channels: int) -> BudgetState:
    """What the browser committed; the given one where it has not yet, did so for an earlier revision, or sent what cannot be."""
    result = st.session_state.get(key)
    state = result.get("state") if isinstance(result, Mapping) else None
    if not isinstance(state, Mapping) or state.get("revision") != revision:
        return given
    values = {each.key: state.get(each.key) for each in sliders}
    steps = _steps(state.get("drawing"), pixels)
    known = type(state.get("keep")) is bool and state.get("base") in ("learned", "uniform") and state.get("scale") in SCALES
    channel = state.get("channel")
    possible = all(type(values[each.key]) in (int, float) and each.low <= values[each.key] <= each.high for each in sliders)
    if not possible or steps is None or not known or type(channel) is not int or not 0 <= channel <= (channels if channels > 1 else 0):
        return given
    socket = state.get("socket") if state.get("socket") in SOCKET_STATES else "open"
    numbers = {name: float(value) for name, value in values.items()}
    return BudgetState(**numbers, steps=steps, base=state["base"], keep=state["keep"], scale=state["scale"], channel=channel, socket=socket)


def octaves(steps: bytes, height: int, width: int) -> Float[np.ndarray, "height width"]:
    """The drawing's factors in octaves; zeros for none."""
    drawn = np.frombuffer(steps, np.int8) if steps else np.zeros(height * width, np.int8)
    return drawn.reshape(height, width).astype(np.float32) / 2


def live_budgets(
    *,
    token: str,
    revision: int | str,
    state: BudgetState,
    sliders: Sequence[Slider],
    lanes: Sequence[Lane],
    rows: Sequence[str],
    axis: tuple[float, float],
    image: Float[np.ndarray, "channels height width"],
    subject: str,
    committed: Sequence[Mapping[str, Any]],
    note: str,
    colours: Sequence[str],
    colour: str,
    found_colour: str,
    darkest: float,
    generates: bool,
    key: str,
    path: str = "/live",
) -> None:
    """Mounts the control. `committed` holds what the page knows of each lane: {"budgets": float32 in base64, "certified", "found", "volume",
    "verdict", "method", "how"}, and the scene behind `token` answers {"lanes"} in the same form; `note` says what of it is still to come.
    `rows` are the other classes, `subject` names the image, `darkest` is the lower end of the absolute colours. The state is taken over at
    the first mount and whenever `revision` changes."""
    data = {
        "token": token,
        "revision": revision,
        "shape": list(image.shape),
        "image": pack(image),
        "subject": subject,
        "controls": [asdict(each) | {"ticks": [{"at": at, "text": text} for at, text in each.ticks]} for each in sliders],
        "settings": {"volume": state.volume, "alpha": state.alpha, "alpha_bar": state.alpha_bar},
        "drawing": {"steps": base64.b64encode(state.steps).decode(), "base": state.base, "keep": state.keep},
        "view": {"scale": state.scale, "channel": state.channel},
        "lanes": [asdict(each) for each in lanes],
        "rows": list(rows),
        "axis": list(axis),
        "committed": {
            "settings": {
                "volume": state.volume, "alpha": state.alpha, "alpha_bar": state.alpha_bar,
                "drawing": base64.b64encode(state.steps).decode(), "base": state.base, "keep": state.keep,
            },
            "lanes": [dict(each) for each in committed],
            "note": note,
        },
        "colours": list(colours),
        "colour": colour,
        "found_colour": found_colour,
        "darkest": darkest,
        "generates": generates,
        "path": path,
    }  # fmt: skip
    _component(key=key, data=data, on_state_change=lambda: None)


def pack(values: np.ndarray) -> str:
    """Little-endian float32 numbers in base64."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")


def _steps(text: Any, pixels: int) -> bytes | None:
    """A drawing of so many pixels that the browser sent, b"" for none; None for what is no drawing."""
    if not isinstance(text, str) or len(text) > 4 * pixels:
        return None
    try:
        steps = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return steps if not steps or is_drawing(steps, pixels) else None


def is_drawing(steps: bytes, pixels: int) -> bool:
    """Whether these are factors for so many pixels, none beyond what can be drawn."""
    return len(steps) == pixels and int(np.abs(np.frombuffer(steps, np.int8).astype(int)).max(initial=0)) <= STEPS_AT_MOST
