"""Worst-case corruptions: an image, an image-to-image network whose weights change by at most ν, and a classifier that is fooled (AdA)."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.papers.adversarial_augmentation.opening import PAPERS_RADIUS
from explorer.ui import links
from explorer.ui.adversarial_augmentation import (
    choose_network,
    choose_search,
    classifiers_for,
    describe_network,
    fit_problem,
    known_networks,
    told_apart,
)
from explorer.ui.adversarial_augmentation_link import MAX_MODELS, PAGE, Link, checked
from explorer.ui.adversarial_augmentation_live import drag, dragged_radius, warn_of_loss
from explorer.ui.adversarial_augmentation_panels import PANELS
from explorer.ui.adversarial_augmentation_work import view
from explorer.ui.attack_live import warn_of_socket
from explorer.ui.classifier_choice import choose_classifiers, choose_subject, describe, open_classifiers
from explorer.ui.components import plain, show_problems
from explorer.ui.following import kept_problems
from explorer.ui.opening import fail_page, show_panels, stop_page

st.title("Adversarial augmentation")
link, problems, revision = links.opened(Link, PAGE)
problems = kept_problems(PAGE) or problems
folders = tuple(st.session_state.get("gallery.folders", ()))
networks = st.session_state["augmentation.networks"] = known_networks(folders)
link = told_apart(link, networks)
known = classifiers_for(link, folders, networks)
if not known:
    show_problems(problems)
    st.info("No checkpoint of a classifier was found. Train one with `python -m explorer.train nominal-scenes`, then add the folder `runs` in the gallery.")
    st.stop()

link, refused = choose_classifiers(link, known, MAX_MODELS, revision)
models, failed = open_classifiers(link.model, known)
problems += refused + failed
if not models:
    stop_page(link, PAGE, problems, "Choose at least one classifier." if not failed else "None of the chosen classifiers can be shown. Choose another.")
link, refused = checked(link, models[0].opened)
problems += refused
network = None
left, right = st.columns([1, 1], gap="medium")
try:
    with left:
        link, network, refused = choose_network(link, networks, models[0].opened, revision)
    problems += refused
except (ExplorerError, OSError) as error:
    st.error(plain(error, 400))
with right:
    link = choose_search(link, revision)
st.caption(" · ".join([describe(models), *([describe_network(network)] if network else [])]))
place = st.empty()
link, subject, refused = choose_subject(link, models, revision, PAGE, "what follows makes it no worse.")
problems += refused
with place.container():
    show_problems(list(dict.fromkeys(problems)))
if impossible := fit_problem(models[0].opened):
    st.error(plain(impossible, 400))
if subject is None or network is None or impossible:
    stop_page(link, PAGE, ())
if subject.note:
    st.info(plain(subject.note, 300))

revised = f"{revision}-{link.model[0]}-{subject.identity[2]}-{network.key}"
try:
    state = dragged_radius(link, revised)
    warn_of_socket(state)
    link = replace(link, radius=None if state.radius in (0, PAPERS_RADIUS) else state.radius)
    shown = view(link, models, subject, network, state.radius, revised)
    drag(shown)
    warn_of_loss(shown)
except ExplorerError as error:
    fail_page(link, PAGE, error)
show_panels(link, PAGE, PANELS, shown, shown.search, revision, problems)
