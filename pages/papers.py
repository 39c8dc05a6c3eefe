"""Every table and figure of the five papers: what is measured of it, how, and what is not."""

from dataclasses import replace

import streamlit as st

from explorer.papers import PAPERS
from explorer.papers.report import summary
from explorer.ui import links
from explorer.ui.components import show_copy_link, show_problems
from explorer.ui.papers import ALL, MARKS, Link, checked, key_of, known_results, overview, show_item, show_overview, title_of

PAGE = "papers"

st.title("Papers")
link, problems, revision = links.opened(Link, PAGE)
link, refused = checked(link)
results = known_results()
show_problems([*problems, *refused, *results.problems])
st.markdown(
    f"{summary(PAPERS, results)}. Numbers are read from results files that `python -m explorer.evaluate` wrote; "
    "a row counts as done only at the paper's settings, over the whole test split."
)

left, right = st.columns(2)
with left:
    papers = [ALL, *PAPERS]
    names = {ALL: "all five", **{stem: paper.short_name for stem, paper in PAPERS.items()}}
    paper = st.selectbox("Paper", papers, papers.index(link.paper), format_func=names.get, key=f"paper-{revision}")
with right:
    states = [ALL, *MARKS]
    state = st.selectbox("Status", states, states.index(link.state), format_func=lambda each: MARKS.get(each, each), key=f"state-{revision}")
link = replace(link, paper=paper, state=state)

rows = overview(link, results)
if rows:
    show_overview(rows)
    items = {key_of(stem, item): (stem, item) for stem, item, *_ in rows}
    best = next((key for wanted in ("done", "short run") for key, row in zip(items, rows) if row[2] == wanted), next(iter(items)))
    shown = link.item if link.item in items else best
    chosen = st.selectbox("In detail", list(items), list(items).index(shown), format_func=lambda key: title_of(*items[key]), key=f"item-{revision}-{paper}-{state}")
    link = replace(link, item=chosen, height=show_item(*items[chosen], results, link.height, revision))
else:
    st.info("Nothing has this status yet.")

links.show(link, PAGE)
show_copy_link()
