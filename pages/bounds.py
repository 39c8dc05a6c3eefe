"""Certified bounds of a classifier around one image, beside what an attack finds: drag the radius."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.figures import Provenance
from explorer.ui import bounds, links
from explorer.ui.bounds_link import PAGE, Link
from explorer.ui.bounds_live import drag, dragged_radius, warn_of_socket
from explorer.ui.bounds_panels import PANELS, View, show_pictures
from explorer.ui.components import plain, show_problems
from explorer.ui.opening import choose_panel, close_page, stop_page

st.title("Bounds")
link, problems, revision = links.opened(Link, PAGE)
folders = tuple(st.session_state.get("gallery.folders", ()))
names = [each.key for each in bounds.classifiers(folders)]
if not names:
    st.info("No checkpoint of a classifier was found. Train one with `python -m explorer.train uniform-digits`.")
    st.stop()
if link.model and link.model not in names:
    problems.append(f"The link's checkpoint {link.model[:60]!r} is not a classifier that is here. {names[0]!r} is shown instead.")

left, right = st.columns([2, 3], vertical_alignment="bottom")
try:
    with left:
        link, path = bounds.choose_classifier(link, names, folders, revision)
    link, opened, refused = bounds.open_checked(link, path)
except (ExplorerError, OSError) as error:
    st.error(plain(error, 400))
    st.stop()
with right:
    st.caption(bounds.describe(opened))
show_problems([*problems, *refused])

link, subject, refused = bounds.choose_subject(link, opened, path, revision)
show_problems(refused)
if subject is None:
    stop_page(link, PAGE, ())
if subject.note:
    st.info(plain(subject.note, 300))
link, settings = bounds.choose_methods(link, opened, subject, revision)
if settings is None:
    stop_page(link, PAGE, (), "Choose at least one method.")

place = f"{revision}-{link.model}-{subject.identity[2]}"
state = dragged_radius(link, opened, place)
warn_of_socket(state)
try:
    radius = state.radius
    link = replace(link, radius=None if radius == opened.radius else radius)
    found = bounds.study(opened, subject, settings, radius)
    control, pictures = st.columns([4, 1])
    with control:
        drag(opened, subject.image, found, radius, subject.identity, place)
    header = opened.checkpoint.header
    about = {"image": subject.name, "label": opened.class_names[subject.label], "attack_steps": link.steps, "checkpoint_revision": header.revision}
    view = View(opened, subject.image, subject.name, subject.identity, found, radius, settings.methods, Provenance(link.model, link.seed, radius, about), place)
    with pictures:
        show_pictures(view)
    link, panel = choose_panel(link, PANELS, revision)
    panel(link, view)
except ExplorerError as error:
    st.error(plain(error, 400))

close_page(link, PAGE)
