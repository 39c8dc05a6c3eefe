"""Thumbnails in a row; clicking one chooses it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from explorer.figures import strip, to_png

FOLDER = Path(__file__).parent / "image_strip"

_component = st.components.v2.component(
    "explorer_image_strip",
    html='<div class="strip" role="listbox" aria-label="Test images"></div>',
    css=(FOLDER / "image_strip.css").read_text(encoding="utf-8"),
    js=(FOLDER / "image_strip.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Thumbnails:
    """What the strip shows: pictures, and the number and name of each."""

    pictures: UInt8[np.ndarray, "n height width 3"]
    numbers: Sequence[int]
    names: Sequence[str]


def image_strip(thumbnails: Thumbnails, selected: int, key: str) -> int:
    """Mount the strip and return the chosen number, which stays `selected` until one is clicked."""
    sheet = to_png(strip(thumbnails.pictures, gap=0))
    numbers = [int(number) for number in thumbnails.numbers]
    data = {
        "sheet": "data:image/png;base64," + base64.b64encode(sheet).decode(),
        "numbers": numbers,
        "names": list(thumbnails.names),
        "selected": selected,
    }
    result = _component(key=key, data=data, on_chosen_change=lambda: None)
    chosen = result.get("chosen")
    return chosen if type(chosen) is int and chosen in numbers else selected
