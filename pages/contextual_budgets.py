"""How much each pixel may change: Learning contextual perturbation budgets for training robust neural networks, ICLR 2021 submission."""

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui.components import plain
from explorer.ui.contextual_budgets import choose_models, choose_settings, choose_subject, describe, known_models, open_models
from explorer.ui.contextual_budgets_link import PAGE, Link, checked, with_state
from explorer.ui.contextual_budgets_live import drag, dragged, warn_of_socket
from explorer.ui.contextual_budgets_panels import PANELS
from explorer.ui.contextual_budgets_work import view
from explorer.ui.opening import Kind, fail_page, open_page, show_panels, stop_page

page = open_page("Contextual budgets", Link, PAGE, Kind("classifier", "budgets-digits"), known_models, choose_models, open_models, checked, describe)
link, models, revision = page.link, page.models, page.revision
link, subject, refused = choose_subject(link, models, revision)
if subject is None:
    stop_page(link, PAGE, page.problems + refused)
problems = refused
link, refused = choose_settings(link, models, revision)
problems = page.show_problems(*problems, *refused)
if subject.note:
    st.info(plain(subject.note, 300))

revised = f"{revision}-{'-'.join(link.model)}-{subject.identity[2]}"
try:
    state = dragged(link, models, revised)
    warn_of_socket(state)
    link = with_state(link, state, [each.opened for each in models])
    shown = view(link, models, subject, state, revised)
    drag(link, shown)
except ExplorerError as error:
    fail_page(link, PAGE, error)
show_panels(link, PAGE, PANELS, shown, shown.attack, revision, problems)
