"""A radius to drag with the logits and the picture of the attacked image: rows of `live_intervals`, one for each class, and above them the
image, what one step of the attack makes of it, and their difference. The scene's values hold, beside bars and marks, "pictures": {name:
RGB bytes in base64}; the committed values also "about": {"unit", "fraction", "size": [height, width]}."""

import base64
from pathlib import Path

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from .live_intervals import FOLDER as SHARED
from .live_intervals import MODULES

FOLDER = Path(__file__).parent / "live_attack"
FIGURES = "".join(f'<figure data-testid="attack-{name}"><canvas></canvas><figcaption></figcaption></figure>' for name in ("clean", "attacked", "difference"))


def _text(*paths: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


live_attack = st.components.v2.component(
    "explorer_live_attack",
    html=f'<div class="attack">{FIGURES}{_text(SHARED / "intervals.html")}</div>',
    css=_text(SHARED / "intervals.css", FOLDER / "live_attack.css"),
    js=_text(*MODULES, FOLDER / "live_attack.js"),
)


def packed(picture: UInt8[np.ndarray, "height width 3"]) -> str:
    return base64.b64encode(np.ascontiguousarray(picture).tobytes()).decode()
