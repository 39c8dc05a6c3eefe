"""The demo: `?demo=1` opens a story step by step, in large type, without anything to set up; for talks.

It goes on by the keys that a presenter's remote control sends. The step stands in the URL beside the page's own settings, so that a link
opens in the middle of the story too."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from . import links
from .story import STORY, Step

STEP, ASKED = "demo.step", "demo.asked"
SET_UP = ("model", "choice", "label", "draw", "threat", "other", "attack", "steps", "seed", "samples", "confidence", "again")  # beginnings of the keys of controls
STYLE = (
    """<style>
:root { font-size: 19px !important; }
[data-testid="stHeader"], [data-testid="stMain"] h1, [data-testid="stMain"] [data-testid="stCaptionContainer"], .st-key-copy-link { display: none; }
[data-testid="stMainBlockContainer"] { max-width: 1600px; padding-top: 1rem; }
.st-key-demo { border-left: 5px solid #0b6e70; padding: .2rem 0 .2rem .9rem; }
.st-key-demo p { font-size: 1.15rem; margin-bottom: .1rem; }
@media (max-width: 640px) { :root { font-size: 17px !important; } }
"""
    + ", ".join(f'[data-testid="stMain"] [class*="st-key-{name}-"]:not([class*="-live"])' for name in SET_UP)
    + """ { display: none; }
</style>"""
)


def running() -> bool:
    """Whether a demo goes on in this session, or the URL asks for one."""
    return STEP in st.session_state or links.DEMO in st.query_params


def direct(pages: Mapping[str, Any], page: Any) -> str | None:
    """Follow the URL and the buttons: shows another page where the step belongs to another one. Returns what is wrong with the URL."""
    state, problem = st.session_state, None
    asked = state.pop(ASKED, None)
    if asked is None and links.DEMO in st.query_params and (number := st.query_params[links.DEMO]) != str(state.get(STEP, "")):
        asked, problem = _number(number)
        if set(st.query_params) > {links.DEMO} and pages[_step(asked).page] is page:  # a link into the story, with settings of its own
            state[STEP] = asked
            return problem
    if asked is not None:
        state[STEP] = asked
        step = _step(asked)
        links.forget(step.page)
        st.switch_page(pages[step.page], query_params={**step.query, links.DEMO: str(asked)})
    return problem


def show_bar() -> None:
    """Where the story is, what to do here, and the ways on, back, to the beginning and out."""
    number = st.session_state[STEP]
    step = _step(number)
    st.html(STYLE)
    with st.container(key="demo"):
        st.markdown(f"**{number} of {len(STORY)} · {step.title}.** {step.text}")
        with st.container(horizontal=True):
            st.button("Back", key="demo.back", on_click=_go, args=(number - 1,), disabled=number == 1, shortcut="PageUp")
            last = number == len(STORY)
            st.button("From the beginning" if last else "Next", key="demo.next", on_click=_go, args=(1 if last else number + 1,), type="primary", shortcut="PageDown")
            st.button("Reset", key="demo.reset", on_click=_go, args=(number,), shortcut="Home", help="This step as it was when it opened.")
            st.button("Leave the demo", key="demo.leave", on_click=_leave, shortcut="Escape")


def _number(text: str) -> tuple[int, str | None]:
    if text.isdecimal() and 1 <= int(text) <= len(STORY):
        return int(text), None
    return 1, f"The link's demo = {text[:20]!r} is no step (expected 1 to {len(STORY)}). The first one is shown instead."


def _step(number: int) -> Step:
    return STORY[number - 1]


def _go(number: int) -> None:
    st.session_state[ASKED] = number


def _leave() -> None:
    st.session_state.pop(STEP, None)
    st.query_params.pop(links.DEMO, None)
