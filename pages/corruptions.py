"""Common corruptions: one image under all of them with any classifier's verdict, errors over the test images, severity curves."""

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui.classifier_choice import choose_subject, describe, known_classifiers, open_classifiers
from explorer.ui.components import plain
from explorer.ui.corruptions import PANELS, choose_models
from explorer.ui.corruptions_gallery import choose_gallery, view
from explorer.ui.corruptions_link import PAGE, Link, checked
from explorer.ui.following import await_end, show_ended
from explorer.ui.opening import Kind, choose_panel, close_page, open_page, stop_page

page = open_page("Corruptions", Link, PAGE, Kind("classifier", "nominal-scenes"), known_classifiers, choose_models, open_classifiers, checked, describe)
link, models, revision = page.link, page.models, page.revision
link, subject, refused = choose_subject(link, models, revision, PAGE, "so each tile that keeps that class is marked wrong.")
if subject is None:
    stop_page(link, PAGE, page.problems + refused)
problems = page.show_problems(*refused)
if subject.note:
    st.info(plain(subject.note, 300))

shown = None
try:
    link = choose_gallery(link, models, revision)
    shown = view(link, models, subject, f"{revision}-{link.model[0]}-{subject.identity[2]}")
    show_ended(PAGE, shown.search)
    progress = st.empty()
    link, panel = choose_panel(link, PANELS, revision)
    link = panel(link, shown)
except ExplorerError as error:
    shown = None
    st.error(plain(error, 400))

close_page(link, PAGE)
if shown:
    await_end(PAGE, shown.search, progress, problems)
