"""Any classifier, smoothed: votes as they come in, and what they certify; over the test images for several σ."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui.certify import View, choose_smoothing
from explorer.ui.certify_link import MAX_MODELS, NOISY, PAGE, Link, checked
from explorer.ui.certify_panels import PANELS
from explorer.ui.classifier_choice import choose_classifiers, choose_subject, describe, known_classifiers, open_classifiers
from explorer.ui.components import plain
from explorer.ui.opening import Kind, choose_panel, close_page, open_page, stop_page
from explorer.ui.threat_choice import choose_threat

page = open_page(
    "Certify", Link, PAGE, Kind("classifier", "uniform-digits"), known_classifiers, lambda link, known, revision: choose_classifiers(link, known, MAX_MODELS, revision, sigma=None),
    open_classifiers, lambda link, opened: checked(link, opened[0]), describe,
)  # fmt: skip
link, models, revision = page.link, page.models, page.revision
link, subject, refused = choose_subject(link, models, revision, PAGE, "what is certified here is a wrong class.")
if subject is None:
    stop_page(link, PAGE, page.problems + refused)
problems = refused
before = link.threat
link, threat, refused = choose_threat(link, models[0].opened, page.folders, revision, NOISY, "Noise in")
if link.threat != before:
    link = replace(link, sigma=None)
link, sigma = choose_smoothing(link, revision)
page.show_problems(*problems, *refused)
if subject.note:
    st.info(plain(subject.note, 300))

if threat is not None:
    revised = f"{revision}-{link.model[0]}-{subject.identity[2]}-{threat.name}-{threat.key}"
    link, panel = choose_panel(link, PANELS, revision)
    try:
        link = panel(link, View(models, subject, threat, sigma, revised))
    except ExplorerError as error:
        st.error(plain(error, 400))

close_page(link, PAGE)
