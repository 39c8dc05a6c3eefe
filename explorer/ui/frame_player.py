"""The path of a search as a film: play, pause, single steps, and beside each frame the logits that it has."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from explorer.figures import tile, to_png

from .live_control import FOLDER as VECTORS
from .live_intervals import FOLDER as ROWS

FOLDER = Path(__file__).parent / "frame_player"
COLUMNS = 20


def _text(*paths: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


_component = st.components.v2.component(
    "explorer_frame_player",
    html=_text(FOLDER / "frame_player.html"),
    css=_text(ROWS / "intervals.css", FOLDER / "frame_player.css"),
    js=_text(VECTORS / "vectors.js", ROWS / "plot.js", FOLDER / "frame_player.js"),
)


@dataclass(frozen=True)
class Film:
    """Frames with a text each, and the logits of each beside those of the image itself. `factor` is what the differences are amplified by."""

    frames: UInt8[np.ndarray, "n height width 3"]
    differences: UInt8[np.ndarray, "n height width 3"]
    texts: Sequence[str]
    logits: Sequence[Sequence[float]]
    clean: Sequence[float]
    names: Sequence[str]
    best: int
    factor: float


def frame_player(film: Film, colour: str, key: str) -> None:
    """Mount the film at its strongest frame. Nothing moves until Play is pressed."""
    extent = max(1e-3, max(abs(value) for row in [film.clean, *film.logits] for value in row))
    data = {
        "frames": _sheet(film.frames), "differences": _sheet(film.differences), "columns": min(COLUMNS, len(film.frames)), "size": list(film.frames.shape[1:3]),
        "texts": list(film.texts), "logits": [[float(f"{value:.5g}") for value in row] for row in film.logits], "clean": [float(f"{value:.5g}") for value in film.clean],
        "names": list(film.names), "best": film.best, "axis": [-1.05 * extent, 1.05 * extent], "colour": colour, "factor": film.factor,
    }  # fmt: skip
    _component(key=key, data=data)


def _sheet(frames: UInt8[np.ndarray, "n height width 3"]) -> str:
    return "data:image/png;base64," + base64.b64encode(to_png(tile(frames, min(COLUMNS, len(frames)), 0))).decode()
