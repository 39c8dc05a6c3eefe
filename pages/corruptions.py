"""Common corruptions: one image under all of them with any classifier's verdict, errors over the test images, severity curves."""

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui.classifier_choice import choose_subject, describe, known_classifiers, open_classifiers
from explorer.ui.components import plain
from explorer.ui.corruptions import PANELS, choose_models
from explorer.ui.corruptions_gallery import choose_gallery, view
from explorer.ui.corruptions_link import PAGE, Link, checked
from explorer.ui.opening import Kind, fail_page, open_page, show_panels, stop_page

page = open_page("Corruptions", Link, PAGE, Kind("classifier", "nominal-scenes"), known_classifiers, choose_models, open_classifiers, checked, describe)
link, models, revision = page.link, page.models, page.revision
link, subject, refused = choose_subject(link, models, revision, PAGE, "so each tile that keeps that class is marked wrong.")
if subject is None:
    stop_page(link, PAGE, page.problems + refused)
problems = page.show_problems(*refused)
if subject.note:
    st.info(plain(subject.note, 300))

try:
    link = choose_gallery(link, models, revision)
    shown = view(link, models, subject, f"{revision}-{link.model[0]}-{subject.identity[2]}")
except ExplorerError as error:
    fail_page(link, PAGE, error)
show_panels(link, PAGE, PANELS, shown, shown.search, revision, problems)
