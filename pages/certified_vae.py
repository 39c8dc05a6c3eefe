"""VAEs trained on a certified bound of their ELBO: Condessa & Kolter, Provably robust deep generative models, 2020."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui import links
from explorer.ui.certified_vae import choose_models, choose_settings, choose_subject, describe, known_models, open_models
from explorer.ui.certified_vae_link import PAGE, Link, checked, own_radius
from explorer.ui.certified_vae_live import drag, dragged_radius, plain_slider
from explorer.ui.certified_vae_panels import PANELS
from explorer.ui.certified_vae_work import view
from explorer.ui.components import plain, show_copy_link, show_problems
from explorer.ui.following import await_end, kept_problems, show_ended

st.title("Certified VAE")
link, problems, revision = links.opened(Link, PAGE)
problems = kept_problems(PAGE) or problems
known = known_models(tuple(st.session_state.get("gallery.folders", ())))
if not known:
    show_problems(problems)
    st.info("No certified VAE was found. Train one with `python -m explorer.train provae-digits-0.1`, then add the folder `runs` in the gallery.")
    st.stop()

link, refused = choose_models(link, known, revision)
models, failed = open_models(link.model, known)
problems += refused + failed
if not models:
    show_problems(problems)
    st.info("Choose at least one model." if not failed else "None of the chosen models can be shown. Choose another.")
    links.show(link, PAGE)
    st.stop()
link, refused = checked(link, [each.opened for each in models])
problems += refused
st.caption(describe(models))
show_problems(list(dict.fromkeys(problems)))

link, subject, refused = choose_subject(link, models, revision)
show_problems(refused)
if subject is None:
    links.show(link, PAGE)
    st.stop()
link = choose_settings(link, revision)

place = f"{revision}-{'-'.join(link.model)}-{subject.key}"
try:
    state = dragged_radius(link, models, place)
    radius = plain_slider(models, state.radius, place) if state.socket == "unavailable" else state.radius
    link = replace(link, radius=None if radius == own_radius([each.opened for each in models]) else radius)
    shown = view(link, models, subject, radius, place)
    drag(link, shown)
    show_ended(PAGE, shown.attack)
    progress = st.empty()
    panel = st.segmented_control("Panel", list(PANELS), default=link.panel, required=True, key=f"panel-{revision}", label_visibility="collapsed")
    link = replace(link, panel=panel or link.panel)
    link = PANELS[link.panel](link, shown)
except ExplorerError as error:
    shown = None
    st.error(plain(error, 400))

links.show(link, PAGE)
show_copy_link("the uploaded picture" if link.choice == "Upload" else "")
if shown:
    await_end(PAGE, shown.attack, progress, problems)
