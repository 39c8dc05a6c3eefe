"""How much each pixel may change: Learning contextual perturbation budgets for training robust neural networks, ICLR 2021 submission."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui import links
from explorer.ui.components import plain, show_copy_link, show_problems
from explorer.ui.contextual_budgets import choose_models, choose_settings, choose_subject, describe, known_models, open_models
from explorer.ui.contextual_budgets_link import PAGE, Link, checked, with_state
from explorer.ui.contextual_budgets_live import drag, dragged, warn_of_socket
from explorer.ui.contextual_budgets_panels import PANELS
from explorer.ui.contextual_budgets_work import view
from explorer.ui.following import await_end, kept_problems, show_ended

st.title("Contextual budgets")
link, problems, revision = links.opened(Link, PAGE)
problems = kept_problems(PAGE) or problems
known = known_models(tuple(st.session_state.get("gallery.folders", ())))
if not known:
    show_problems(problems)
    st.info("No checkpoint of a classifier was found. Train one with `python -m explorer.train budgets-digits`, then add the folder `runs` in the gallery.")
    st.stop()

link, refused = choose_models(link, known, revision)
models, failed = open_models(link.model, known)
problems += refused + failed
if not models:
    show_problems(problems)
    st.info("Choose at least one classifier." if not failed else "None of the chosen classifiers can be shown. Choose another.")
    links.show(link, PAGE)
    st.stop()
opened = [each.opened for each in models]
link, refused = checked(link, opened)
problems += refused
st.caption(describe(models))
place = st.empty()

link, subject, refused = choose_subject(link, models, revision)
problems += refused
if subject is None:
    show_problems(problems)
    links.show(link, PAGE)
    st.stop()
link, refused = choose_settings(link, models, revision)
problems = list(dict.fromkeys(problems + refused))
with place.container():
    show_problems(problems)
if subject.note:
    st.info(plain(subject.note, 300))

revised = f"{revision}-{'-'.join(link.model)}-{subject.identity[2]}"
shown = None
try:
    state = dragged(link, models, revised)
    warn_of_socket(state)
    link = with_state(link, state, opened)
    shown = view(link, models, subject, state, revised)
    drag(link, shown)
    show_ended(PAGE, shown.attack)
    progress = st.empty()
    panel = st.segmented_control("Panel", list(PANELS), default=link.panel, required=True, key=f"panel-{revision}", label_visibility="collapsed")
    link = PANELS[panel or link.panel](replace(link, panel=panel or link.panel), shown)
except ExplorerError as error:
    shown = None
    st.error(plain(error, 400))

links.show(link, PAGE)
show_copy_link("the uploaded picture" if link.choice == "Upload" else "")
if shown:
    await_end(PAGE, shown.attack, progress, problems)
