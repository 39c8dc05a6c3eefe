"""Figure 3 and Table 1 for the models that the Certified VAE page shows, each as a run."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from explorer.papers.certified_vae.evaluation import AttackSettings
from explorer.runs import Run, Store
from explorer.runs.kinds import specify

from .certified_vae_link import COUNTS, Link
from .certified_vae_work import View
from .components import plain
from .elbo_runs import compare_attacks, compare_bounds
from .run_this import run_this


def show_attack_runs(link: Link, view: View) -> Link:
    """Figure 3: the ELBO under attack over its radius, on the test split."""
    st.caption("The mean ELBO of test images under an attack of growing radius, and the certified bound below it: Figure 3 of the paper, here with the box, σ0², seed and attack chosen above.")
    link = _choose_count(link, view)
    steps = link.steps or AttackSettings.steps
    parameters = {"clip": link.clip, "sigma0": view.settings.sigma0, "steps": steps, "restarts": link.restarts, "limit": link.count or None}
    _show_runs("elbo_attack", parameters, link, view, compare_attacks)
    return link


def show_bound_runs(link: Link, view: View) -> Link:
    """Table 1's columns, at the radius of each model's training."""
    st.caption("The mean ELBO and its certified bound at the radius of each model's training, over train and test split: the columns of Table 1.")
    link = _choose_count(link, view)
    _show_runs("elbo_table", {"sigma0": view.settings.sigma0, "limit": link.count or None}, link, view, compare_bounds)
    return link


def _choose_count(link: Link, view: View) -> Link:
    available = len(view.models[0].opened.images)
    counts = [count for count in COUNTS if count < available]
    names = {count: f"the first {count:,}" if count else f"all {available:,}" for count in counts}
    count = st.selectbox("Test images", counts, counts.index(link.count) if link.count in counts else len(counts) - 1, format_func=names.get, key=f"count-{view.revision}")
    return replace(link, count=count)


def _show_runs(kind: str, parameters: dict[str, Any], link: Link, view: View, compare: Callable[[dict[str, Run], str], None]) -> None:
    """Those that there are in one figure, and each on its own, to launch or to follow."""
    specifications = {each.label: specify(kind, {"checkpoint": str(each.path)}, parameters, seed=link.seed) for each in view.models}
    runs = {label: run for label, made in specifications.items() if (run := Store().same(made))}
    if len(runs) > 1:
        compare(runs, f"{kind}-together")
    for tab, (label, made) in zip(st.tabs([plain(label) for label in specifications]), specifications.items()):
        with tab:
            run_this(made, f"{kind}-{made.fingerprint}", "Measure")
