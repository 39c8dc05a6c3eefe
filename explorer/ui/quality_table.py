"""The six metrics of a set as a table."""

import streamlit as st

from explorer.papers.learned_sets.quality import HEADINGS, QualityTable
from explorer.papers.learned_sets.report import DISTANCE_NAMES, FORMATS, caveat, paper_row

from .components import download

MEANINGS = {
    "encoder AE": "the pair's own encoding, projected onto the ball",
    "PGD AE": "the closest member that {} steps of PGD find: an upper bound of the approximation error",
    "expected AE": "mean of 5 members drawn from the truncated normal",
    "over AE": "the farthest member that {} steps of PGD find: a lower bound",
    "reconstruction": "one draw from the posterior",
    "KL (nats)": "of the posterior from the prior",
}
FILES = {"csv": ("CSV", "text/csv"), "json": ("JSON", "application/json"), "latex": ("LaTeX", "text/plain")}


def show_quality_table(table: QualityTable) -> None:
    """Appendix B's metrics beside the paper's row, where it has one, and files of them."""
    name, paper = paper_row(table)
    rows = []
    for index, (heading, mean, error) in enumerate(zip(HEADINGS, table.means, table.standard_errors)):
        row = {"metric": heading, "measured": f"{mean:.4f}" if heading != HEADINGS[-1] else f"{mean:.2f}", "± s. e.": f"{error:.4f}"}
        if paper:
            row["paper"] = f"{paper[1 + index]:g}"
        rows.append(row | {"of what": MEANINGS[heading].format(table.settings["steps"])})
    st.dataframe(rows, hide_index=True, width="stretch")
    beside = f" The paper's row is {name} (Table 4) at radius {paper[0]:g}.{caveat(table)}" if paper else ""
    st.caption(
        f"Estimates over {table.pairs} pairs of the test split at radius {table.radius:.3f}; errors are the {DISTANCE_NAMES[table.settings['distance']]}."
        + beside
    )
    with st.container(horizontal=True):
        for form, (label, mime) in FILES.items():
            download(label, lambda form=form: FORMATS[form](table).encode(), f"quality.{'tex' if form == 'latex' else form}", mime)
