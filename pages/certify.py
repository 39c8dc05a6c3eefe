"""Any classifier, smoothed: votes as they come in, and what they certify; over the test images for several σ."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui import links
from explorer.ui.certify import View, choose_smoothing
from explorer.ui.certify_link import MAX_MODELS, NOISY, PAGE, Link, checked
from explorer.ui.certify_panels import PANELS
from explorer.ui.classifier_choice import choose_classifiers, choose_subject, describe, known_classifiers, open_classifiers
from explorer.ui.components import plain, show_copy_link, show_problems
from explorer.ui.threat_choice import choose_threat

st.title("Certify")
link, problems, revision = links.opened(Link, PAGE)
folders = tuple(st.session_state.get("gallery.folders", ()))
known = known_classifiers(folders)
if not known:
    show_problems(problems)
    st.info("No checkpoint of a classifier was found. Train one with `python -m explorer.train uniform-digits`, then add the folder `runs` in the gallery.")
    st.stop()

link, refused = choose_classifiers(link, known, MAX_MODELS, revision, sigma=None)
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

link, subject, refused = choose_subject(link, models, revision, PAGE, "what is certified here is a wrong class.")
problems += refused
if subject is None:
    show_problems(problems)
    links.show(link, PAGE)
    st.stop()
before = link.threat
link, threat, refused = choose_threat(link, models[0].opened, folders, revision, NOISY, "Noise in")
if link.threat != before:
    link = replace(link, sigma=None)
link, sigma = choose_smoothing(link, revision)
problems = list(dict.fromkeys(problems + refused))
with place.container():
    show_problems(problems)
if subject.note:
    st.info(plain(subject.note, 300))

if threat is not None:
    revised = f"{revision}-{link.model[0]}-{subject.identity[2]}-{threat.name}-{threat.key}"
    panel = st.segmented_control("Panel", list(PANELS), default=link.panel, required=True, key=f"panel-{revision}", label_visibility="collapsed")
    try:
        link = PANELS[panel or link.panel](replace(link, panel=panel or link.panel), View(models, subject, threat, sigma, revised))
    except ExplorerError as error:
        st.error(plain(error, 400))

links.show(link, PAGE)
show_copy_link("the uploaded picture" if link.choice == "Upload" else "")
