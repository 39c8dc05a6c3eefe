"""The measurements of Tables 1 to 4 and Figures 2 to 6 for the classifiers that the Contextual budgets page shows, each as a run."""

from dataclasses import replace

import streamlit as st

from .budget_runs import compare_errors, compare_followed, compare_volumes
from .contextual_budgets_link import Link, generates
from .contextual_budgets_work import View
from .run_each import choose_count, run_each

KINDS = {"errors": "Errors", "volumes": "Largest volumes", "followed": "What budgets follow"}


def show_test_set(link: Link, shown: View) -> Link:
    """Over the test split, at the committed volume."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    measure = left.segmented_control("Measure", list(KINDS), default=link.measure, required=True, format_func=KINDS.get, key=f"measure-{shown.revision}", label_visibility="collapsed") or link.measure
    with right:
        count = choose_count(link.count, len(shown.models[0].opened.images), f"count-{shown.revision}")
    link, limit, volume = replace(link, measure=measure, count=count), count or None, shown.state.volume
    if measure == "errors":
        st.caption(f"Clean, attacked and verified errors at ε0 = {volume:.4g}, for learned budgets in the range of the training and for uniform ones: the columns of Tables 1 to 4.")
        run_each("budget_errors", shown.models, {"volume": volume, "limit": limit}, link.seed, compare_errors)
    elif measure == "volumes":
        st.caption(f"The share of images that Liu et al. (2019) cannot certify at ε0 = {volume:.4g}, and quantiles of the largest certified volume: Table 1's column.")
        run_each("budget_volumes", shown.models, {"targets": [volume], "whole": True, "limit": limit}, link.seed, compare_volumes)
    else:
        models = [each for each in shown.models if generates(each.opened)]
        st.caption(f"Mean budgets of the parts of the images at ε0 = {volume:.4g}, and what they correlate with; images above their budgets as in Figures 2 to 6.")
        if models:
            run_each("budget_followed", models, {"volume": volume, "limit": limit}, link.seed, compare_followed)
        else:
            st.info("This needs a classifier with a generator: experiments named budgets-….")
    return link
