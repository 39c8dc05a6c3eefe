"""The control that is dragged: sliders, a pad and a picture in the page, decoded over the WebSocket of `live.py`.

The browser keeps the point while it is dragged and commits it once, on release. Files under `live_control/` are joined into one
module; data reach it only as the component's data, never as text inside the script.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from explorer.errors import InvalidInput

from .live_scenes import SCENES, VIEWS, SceneExpired

FOLDER = Path(__file__).parent / "live_control"
MODULES = (
    "vectors", "socket", "picture", "sliders", "pad", "player", "point", "control", "gestures", "display", "frames", "main",
)  # fmt: skip
SOCKET_STATES = ("open", "unavailable", "expired")

_component = st.components.v2.component(
    "explorer_live_control",
    html=(FOLDER / "live_control.html").read_text(encoding="utf-8"),
    css=(FOLDER / "live_control.css").read_text(encoding="utf-8"),
    js="\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in MODULES),
)


@dataclass(frozen=True)
class LiveState:
    """What was committed last. `socket` is "unavailable" where the page should offer st.slider instead, and "expired" where
    it should register the scene again (which a rerun does)."""

    delta: tuple[float, ...]
    radius: float
    view: str = "one"
    axes: tuple[int, int] = (0, 1)
    socket: str = "open"


def live_control(
    *,
    token: str,
    latent_dim: int,
    epsilon: float,
    percentiles: Mapping[str, float],
    directions: Sequence[Mapping],
    examples: Sequence[Mapping],
    delta: Sequence[float],
    radius: float,
    revision: int | str,
    image_shape: tuple[int, int, int],
    key: str,
    view: str = "one",
    axes: tuple[int, int] = (0, 1),
    caption: str = "",
    path: str = "/live",
) -> LiveState:
    """Mounts the control and returns its committed state.

    `directions` are orthonormal {"name", "vector", "extent", "share"} in order of variance, `examples` are {"name", "delta"}.
    `delta`, `radius`, `view` and `axes` are taken over at the first mount and whenever `revision` changes (a deep link, another
    image); in between the control keeps its own. `image_shape` is channels, height, width."""
    given = {"delta": [float(value) for value in delta], "radius": float(radius), "view": view, "axes": list(axes)}
    pushed = clean_state(given, latent_dim, epsilon)
    if pushed is None or radius > epsilon * (1 + 1e-9):
        raise InvalidInput(f"expected delta of {latent_dim} finite numbers and a radius from 0 to {epsilon:g}")
    current = committed_state(st.session_state.get(key), revision, latent_dim, epsilon) or pushed
    data = {
        "token": token,
        "latent_dim": latent_dim,
        "epsilon": float(epsilon),
        "percentiles": {str(name): float(r) for name, r in percentiles.items()},
        "directions": [{"name": d["name"], "extent": float(d["extent"]), "share": float(d["share"])} for d in directions],
        "direction_vectors": _pack([_unit(d["vector"]) for d in directions], latent_dim),
        "examples": [example["name"] for example in examples],
        "example_vectors": _pack([example["delta"] for example in examples], latent_dim),
        "delta": list(current.delta),
        "radius": current.radius,
        "view": current.view,
        "axes": list(current.axes),
        "revision": revision,
        "views": _views(token),
        "caption": caption,
        "path": path,
        "image_shape": list(image_shape),
    }
    result = _component(key=key, data=data, on_state_change=lambda: None)
    return committed_state(result, revision, latent_dim, epsilon) or pushed


def committed_state(result, revision: int | str, latent_dim: int, epsilon: float) -> LiveState | None:
    """The state that the browser committed; None where it has not yet, or did so for an earlier revision."""
    state = result.get("state") if isinstance(result, Mapping) else None
    if not isinstance(state, Mapping) or state.get("revision") != revision:
        return None
    return clean_state(state, latent_dim, epsilon)


def clean_state(state: Mapping, latent_dim: int, epsilon: float) -> LiveState | None:
    """A browser can send anything: None for what cannot be a point of this set. The radius is cut to ε, and the point
    projected onto its ball."""
    delta, radius, axes = state.get("delta"), state.get("radius"), state.get("axes")
    if not isinstance(delta, list) or len(delta) != latent_dim or not all(map(_finite, [*delta, radius])) or radius < 0:
        return None
    radius = min(float(radius), float(epsilon))
    norm = math.hypot(*delta)
    scale = radius / norm if norm > radius else 1.0
    valid_axes = isinstance(axes, list) and len(axes) == 2 and all(type(a) is int and 0 <= a < latent_dim for a in axes)
    return LiveState(
        delta=tuple(float(value) * scale for value in delta),
        radius=radius,
        view=state.get("view") if state.get("view") in VIEWS else "one",
        axes=tuple(axes) if valid_axes else (0, 1),
        socket=state.get("socket") if state.get("socket") in SOCKET_STATES else "open",
    )


def _finite(value) -> bool:
    return type(value) in (int, float) and abs(value) <= 1e6  # false for NaN


def _unit(vector) -> np.ndarray:
    vector = np.asarray(vector, dtype=np.float64)
    return vector / (np.linalg.norm(vector) or 1.0)


def _pack(vectors: Sequence, latent_dim: int) -> str:
    """count × latent_dim float32 numbers, little-endian, in base64: a seventh of the same as JSON."""
    if any(len(vector) != latent_dim for vector in vectors):
        raise InvalidInput(f"each direction and example has {latent_dim} numbers, got {sorted({len(v) for v in vectors})}")
    return base64.b64encode(np.asarray(vectors, dtype="<f4").tobytes()).decode("ascii")


def _views(token: str) -> dict[str, dict]:
    """How many pictures each view has; a view without any is disabled and says why."""
    try:
        tiles = SCENES.find(token).tiles
    except SceneExpired:
        tiles = dict.fromkeys(VIEWS, 1)
    reasons = {"members": "no random members were drawn for this image", "images": "no other clean images were given"}
    return {view: {"count": tiles[view], "reason": reasons.get(view, "")} for view in VIEWS}
