"""Any classifier attacked in any set: drag the radius, follow the search, count over the test images."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui import links
from explorer.ui.attack import choose_attack
from explorer.ui.attack_link import MAX_MODELS, PAGE, Link, checked
from explorer.ui.attack_live import drag, dragged_radius, warn_of_socket
from explorer.ui.attack_panels import PANELS
from explorer.ui.attack_work import view
from explorer.ui.classifier_choice import choose_classifiers, choose_subject, describe, known_classifiers, open_classifiers
from explorer.ui.components import plain, show_copy_link, show_problems
from explorer.ui.following import await_end, kept_problems, show_ended
from explorer.ui.threat_choice import choose_threat

st.title("Attack")
link, problems, revision = links.opened(Link, PAGE)
problems = kept_problems(PAGE) or problems
folders = tuple(st.session_state.get("gallery.folders", ()))
known = known_classifiers(folders)
if not known:
    show_problems(problems)
    st.info("No checkpoint of a classifier was found. Train one with `python -m explorer.train uniform-digits`, then add the folder `runs` in the gallery.")
    st.stop()

link, refused = choose_classifiers(link, known, MAX_MODELS, revision)
models, failed = open_classifiers(link.model, known)
problems += refused + failed
if not models:
    show_problems(problems)
    st.info("Choose at least one classifier." if not failed else "None of the chosen classifiers can be shown. Choose another.")
    links.show(link, PAGE)
    st.stop()
link, refused = checked(link, models[0].opened)
problems += refused
st.caption(describe(models))
place = st.empty()

link, subject, refused = choose_subject(link, models, revision, PAGE, "in the counts below it is not attacked, for it is wrong already.")
problems += refused
if subject is None:
    show_problems(problems)
    links.show(link, PAGE)
    st.stop()
left, right = st.columns([1, 1], gap="medium")
with left:
    link, threat, refused = choose_threat(link, models[0].opened, folders, revision)
with right:
    link, attack = choose_attack(link, models, revision)
problems = list(dict.fromkeys(problems + refused))
with place.container():
    show_problems(problems)
if subject.note:
    st.info(plain(subject.note, 300))
if threat is None:
    links.show(link, PAGE)
    st.stop()

revised = f"{revision}-{link.model[0]}-{subject.identity[2]}-{threat.name}-{threat.key}"
shown = None
try:
    state = dragged_radius(link, models[0].opened, threat, revised)
    warn_of_socket(state)
    link = replace(link, radius=None if state.radius == threat.usual(models[0].opened) else state.radius)
    shown = view(link, models, subject, threat, state.radius, attack, revised)
    drag(shown)
    show_ended(PAGE, shown.search)
    progress = st.empty()
    panel = st.segmented_control("Panel", list(PANELS), default=link.panel, required=True, key=f"panel-{revision}", label_visibility="collapsed")
    link = PANELS[panel or link.panel](replace(link, panel=panel or link.panel), shown)
except ExplorerError as error:
    shown = None
    st.error(plain(error, 400))

links.show(link, PAGE)
show_copy_link("the uploaded picture" if link.choice == "Upload" else "")
if shown:
    await_end(PAGE, shown.search, progress, problems)
