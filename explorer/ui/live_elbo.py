"""A radius to drag with the ELBOs of several models: their brackets as rows of `live_intervals`, and below them what more is known: every
number in a table, and the intervals of the latents by dimension. The scene's values hold, beside bars and marks, "latents": for each
model {"width": [of the mean's interval], "sigma": [lower, upper]}."""

from pathlib import Path

import streamlit as st

from .live_intervals import FOLDER as SHARED
from .live_intervals import MODULES

FOLDER = Path(__file__).parent / "live_elbo"
BESIDE = """<div class="scroll"><table data-beside="numbers" data-testid="elbo-numbers"></table></div>
<div class="latents" data-beside="latents"></div>"""


def _text(*paths: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


live_elbo = st.components.v2.component(
    "explorer_live_elbo",
    html=f'<div class="elbo">{_text(SHARED / "intervals.html")}{BESIDE}</div>',
    css=_text(SHARED / "intervals.css", FOLDER / "live_elbo.css"),
    js=_text(*MODULES, FOLDER / "live_elbo.js"),
)
