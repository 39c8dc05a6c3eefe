"""Small pieces that every page uses."""

import base64
import html
import re
from collections.abc import Callable

import numpy as np
import streamlit as st

from explorer.figures import Provenance, to_png, upscale
from explorer.hardware import describe_device, pick_device


STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 2.8rem; padding-bottom: 3rem; max-width: 1280px; }
[data-testid="stMain"] h1 { padding: 0 0 .4rem 0; }
[data-testid="stMetricValue"] { font-size: 1.35rem; font-variant-numeric: tabular-nums; }
[data-testid="stPageLink"] a { border: 1px solid rgba(128, 128, 128, .6); padding: .38rem .8rem; }
@media (max-width: 640px) {
  [class*="st-key-panel-"] [data-testid="stButtonGroup"] [role="radiogroup"] { gap: 6px; }
  [class*="st-key-panel-"] [data-testid="stButtonGroup"] button { border-radius: 6px; border-width: 1px !important; border-style: solid !important; margin: 0; }
  [class*="st-key-panel-"] [data-testid="stButtonGroup"] button[aria-checked="false"] { border-color: rgba(128, 128, 128, .35) !important; }
}
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding-top: 4rem; padding-left: .9rem; padding-right: .9rem; } }
</style>"""


def show_frame() -> None:
    """What every page has around it: spacing, and the device in the sidebar."""
    st.html(STYLE)
    with st.sidebar:
        st.caption(f"Computing on **{describe_device(pick_device())}**")


def plain(text: object, length: int = 80) -> str:
    """Text from outside, such as a file's name, without any effect as Markdown, cut to a length."""
    return re.sub(r"([\\`*_{}\[\]()<>#~$]|:(?=\w))", r"\\\1", str(text)[:length])


def show_problems(problems: list[str]) -> None:
    if problems:
        st.warning("\n\n".join(plain(problem, 500) for problem in problems))


def show_picture(picture: np.ndarray, alt: str) -> None:
    """A picture as wide as its place, with crisp pixels."""
    st.html(_image(picture, alt))


def show_png(content: bytes, alt: str) -> None:
    """A picture from a file, as wide as its place, with crisp pixels."""
    st.html(_embedded(content, alt))


def show_row(pictures: dict[str, np.ndarray], width: int, wrap: bool = True) -> None:
    """Pictures beside each other with their names below, each `width` screen pixels wide; on a narrow screen they wrap, or
    shrink where that is not wanted."""
    figures = "".join(
        f'<figure style="margin:0;width:{width}px;max-width:48%">{_image(picture, name)}'
        f'<figcaption style="font-size:.8rem;opacity:.75;line-height:1.25;padding-top:3px">{html.escape(name)}</figcaption></figure>'
        for name, picture in pictures.items()
    )
    st.html(f'<div style="display:flex;flex-wrap:{"wrap" if wrap else "nowrap"};gap:{12 if wrap else 6}px">{figures}</div>')


def _image(picture: np.ndarray, alt: str) -> str:
    return _embedded(to_png(picture), alt)


def _embedded(png: bytes, alt: str) -> str:
    data = base64.b64encode(png).decode()
    style = "width:100%;image-rendering:pixelated;display:block;border-radius:3px"
    return f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt, quote=True)}" style="{style}">'


def download(label: str, make: Callable[[], bytes], file_name: str, mime: str, key: str = "") -> None:
    """A button whose file is made when it is pressed."""
    st.download_button(label, make, file_name=file_name, mime=mime, on_click="ignore", key=key or f"download-{file_name}")


def png_button(picture: np.ndarray, provenance: Provenance, name: str, factor: int = 4, label: str = "PNG") -> None:
    download(label, lambda: to_png(upscale(picture, factor), provenance), f"{name}.png", "image/png")


_copy = st.components.v2.component(
    "explorer_copy_link",
    html='<button type="button" data-testid="copy-link">Copy link to this view</button>',
    css="""button { font: inherit; color: var(--st-text-color); background: transparent; cursor: pointer; padding: 4px 12px;
      border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, 6px); }
      button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }""",
    js="""export default function ({ parentElement }) {
      const button = parentElement.querySelector("button"), label = button.textContent
      button.onclick = async () => {
        try { await navigator.clipboard.writeText(window.location.href); button.textContent = "Copied" }
        catch { window.prompt("This view's link:", window.location.href) }
        setTimeout(() => { button.textContent = label }, 1500)
      }
    }""",
)


def show_copy_link(missing: str = "") -> None:
    """A button that copies the page's URL, which holds all settings but those that `missing` names."""
    _copy(key="copy-link")
    if missing:
        st.caption(f"The link does not hold {missing}.")
