"""Navigation, page settings and the sidebar: what all pages share."""

from pathlib import Path

import streamlit as st

from explorer.ui import warm_up
from explorer.ui.components import show_frame
from explorer.ui.links import PAGES_KEY

PAGES = Path(__file__).parents[2] / "pages"
TITLES = {"gallery": "Gallery", "learned_sets": "Learned sets", "contextual_budgets": "Contextual budgets", "certified_vae": "Certified VAE", "adversarial_augmentation": "Adversarial augmentation", "manifold_directions": "Manifold directions", "attack": "Attack", "certify": "Certify", "bounds": "Bounds", "corruptions": "Corruptions", "train": "Train", "runs": "Runs", "papers": "Papers"}

st.set_page_config(page_title="Perturbation-set explorer", page_icon="🔬", layout="wide")
pages = {stem: st.Page(PAGES / f"{stem}.py", title=title, default=stem == "gallery") for stem, title in TITLES.items()}
st.session_state[PAGES_KEY] = pages
show_frame()
st.navigation(list(pages.values())).run()
warm_up.go_on()
