"""Any classifier attacked in any set: drag the radius, follow the search, count over the test images."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui.attack import choose_attack
from explorer.ui.attack_link import MAX_MODELS, PAGE, Link, checked
from explorer.ui.attack_live import drag, dragged_radius, warn_of_socket
from explorer.ui.attack_panels import PANELS
from explorer.ui.attack_work import view
from explorer.ui.classifier_choice import choose_classifiers, choose_subject, describe, known_classifiers, open_classifiers
from explorer.ui.components import plain
from explorer.ui.opening import Kind, fail_page, open_page, show_panels, stop_page
from explorer.ui.threat_choice import choose_threat

page = open_page(
    "Attack", Link, PAGE, Kind("classifier", "uniform-digits"), known_classifiers, lambda link, known, revision: choose_classifiers(link, known, MAX_MODELS, revision),
    open_classifiers, lambda link, opened: checked(link, opened[0]), describe,
)  # fmt: skip
link, models, revision = page.link, page.models, page.revision
link, subject, refused = choose_subject(link, models, revision, PAGE, "in the counts below it is not attacked, for it is wrong already.")
if subject is None:
    stop_page(link, PAGE, page.problems + refused)
problems = refused
left, right = st.columns([1, 1], gap="medium")
with left:
    link, threat, refused = choose_threat(link, models[0].opened, page.folders, revision)
with right:
    link, attack = choose_attack(link, models, revision)
problems = page.show_problems(*problems, *refused)
if subject.note:
    st.info(plain(subject.note, 300))
if threat is None:
    stop_page(link, PAGE, ())

revised = f"{revision}-{link.model[0]}-{subject.identity[2]}-{threat.name}-{threat.key}"
try:
    state = dragged_radius(link, models[0].opened, threat, revised)
    warn_of_socket(state)
    link = replace(link, radius=None if state.radius == threat.usual(models[0].opened) else state.radius)
    shown = view(link, models, subject, threat, state.radius, attack, revised)
    drag(shown)
except ExplorerError as error:
    fail_page(link, PAGE, error)
show_panels(link, PAGE, PANELS, shown, shown.search, revision, problems)
