"""Where attacks go: Disentangling adversarial robustness in directions of the data manifold, ICLR 2021 submission."""

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui import links
from explorer.ui.components import plain, show_problems
from explorer.ui.opening import choose_panel, close_page
from explorer.ui.manifold_directions import PANELS
from explorer.ui.manifold_directions_link import PAGE, Link, checked_plane

st.title("Manifold directions")
link, problems, revision = links.opened(Link, PAGE)
link, refused = checked_plane(link)
show_problems(problems + refused)
link, panel = choose_panel(link, PANELS, revision)
try:
    link = panel(link, revision)
except ExplorerError as error:
    st.error(plain(error, 400))
close_page(link, PAGE, "the uploaded picture" if link.panel == "One image" and link.choice == "Upload" else "")
