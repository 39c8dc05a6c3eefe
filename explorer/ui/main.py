"""Navigation, page settings and the sidebar: what all pages share."""

from pathlib import Path

import streamlit as st

from explorer.ui import demo, warm_up
from explorer.ui.components import show_frame, show_problems
from explorer.ui.links import PAGES_KEY

PAGES = Path(__file__).parents[2] / "pages"
SECTIONS = {
    "": {"gallery": "Gallery"},
    "Five papers": {
        "learned_sets": "Learned sets", "contextual_budgets": "Contextual budgets", "certified_vae": "Certified VAE",
        "adversarial_augmentation": "Adversarial augmentation", "manifold_directions": "Manifold directions",
    },
    "Any classifier": {"attack": "Attack", "certify": "Certify", "bounds": "Bounds", "corruptions": "Corruptions"},
    "Work": {"train": "Train", "runs": "Runs", "papers": "Papers"},
}  # fmt: skip

st.set_page_config(page_title="Perturbation-set explorer", page_icon="🔬", layout="wide", initial_sidebar_state="collapsed" if demo.running() else "auto")
sections = {name: {stem: st.Page(PAGES / f"{stem}.py", title=title, default=stem == "gallery") for stem, title in titles.items()} for name, titles in SECTIONS.items()}
st.session_state[PAGES_KEY] = {stem: page for pages in sections.values() for stem, page in pages.items()}
show_frame()
page = st.navigation({name: list(pages.values()) for name, pages in sections.items()}, expanded=True)
if demo.running():
    wrong = demo.direct(st.session_state[PAGES_KEY], page)
    demo.show_bar()
    show_problems([wrong] if wrong else [])
page.run()
warm_up.go_on()
