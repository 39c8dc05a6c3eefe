"""How many test pairs to measure on."""

from dataclasses import replace

import streamlit as st

from explorer.ui.learned_sets_link import COUNTS, Link

from .view import View


def choose_count(link: Link, view: View) -> Link:
    """The first so many pairs of the test split, or all of them."""
    total = len(view.learned.pairs)
    options = [count for count in COUNTS if count < total]
    index = options.index(link.count) if link.count in options else len(options) - 1
    count = st.selectbox("Test pairs", options, index, format_func=lambda count: f"first {count}" if count else f"all {total}", key=f"count-{view.revision}")
    return replace(link, count=count)
