"""Long work: everything that was launched, how far it is, and what came of it."""

from dataclasses import replace

import streamlit as st

from explorer.errors import ExplorerError
from explorer.ui import links
from explorer.ui.components import plain, show_copy_link, show_problems
from explorer.ui.run_this import PROBLEM
from explorer.ui.runs import PAGE, Link, choose_filters, download_table, known_runs, show_comparison, show_details, show_table

st.title("Runs")
link, problems, revision = links.opened(Link, PAGE)
if problem := st.session_state.pop(PROBLEM, None):
    problems.append(problem)
try:
    runs, refused = known_runs(link)
    show_problems([*problems, *refused])
    link = replace(link, run=tuple(run.name for run in runs))
    kind, state = choose_filters(link, revision)
    link = replace(link, kind=kind, state=state)
    show_table(link, revision)
    if len(runs) > 1:
        show_comparison(runs)
    for run in runs if len(runs) == 1 else []:
        show_details(run, link)
    download_table()
except ExplorerError as error:
    st.error(plain(error, 500))

links.show(link, PAGE)
show_copy_link()
