"""Where attacks go: Disentangling adversarial robustness in directions of the data manifold, ICLR 2021 submission."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui import links
from explorer.ui.components import plain, show_copy_link, show_problems
from explorer.ui.manifold_directions import PANELS
from explorer.ui.manifold_directions_link import PAGE, Link, checked_plane

st.title("Manifold directions")
link, problems, revision = links.opened(Link, PAGE)
link, refused = checked_plane(link)
show_problems(problems + refused)
panel = st.segmented_control("Panel", list(PANELS), default=link.panel, required=True, key=f"panel-{revision}", label_visibility="collapsed")
link = replace(link, panel=panel or link.panel)
try:
    link = PANELS[link.panel](link, revision)
except ExplorerError as error:
    st.error(plain(error, 400))
links.show(link, PAGE)
show_copy_link("the uploaded picture" if link.panel == "One image" and link.choice == "Upload" else "")
