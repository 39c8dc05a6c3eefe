"""Train an experiment: its configuration beside the paper's, launched as a run, watched as it learns."""

import streamlit as st

from explorer.ui import links
from explorer.ui.components import show_copy_link, show_problems
from explorer.ui.own_upload import choose_pictures
from explorer.ui.run_this import run_this
from explorer.ui.train import PAGE, Link, checked, choose_experiment, dry_run, edit_fields, specification

st.title("Train")
link, problems, revision = links.opened(Link, PAGE)
link, refused = checked(link)
show_problems([*problems, *refused])
link = choose_experiment(link, revision)
if link.experiment == "pairs":
    link = choose_pictures(link, revision)
with st.expander("Configuration", expanded=True):
    link = edit_fields(link, revision)

made, problems = specification(link)
show_problems(problems)
if made is not None:
    with st.expander("Dry run"):
        dry_run(link, made)
    run_this(made, f"train-{made.fingerprint}", "Train")

links.show(link, PAGE)
show_copy_link()
