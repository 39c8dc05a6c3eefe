"""Figure 3 and Table 1 for the models that the Certified VAE page shows, each as a run."""

from dataclasses import replace

import streamlit as st

from explorer.papers.certified_vae.evaluation import AttackSettings

from .certified_vae_link import Link
from .certified_vae_work import View
from .elbo_runs import compare_attacks, compare_bounds
from .run_each import choose_count, run_each


def show_attack_runs(link: Link, view: View) -> Link:
    """Figure 3: the ELBO under attack over its radius, on the test split."""
    st.caption("The mean ELBO of test images under an attack of growing radius, and the certified bound below it: Figure 3 of the paper, here with the box, σ0², seed and attack chosen above.")
    link = _choose_count(link, view)
    steps = link.steps or AttackSettings.steps
    parameters = {"clip": link.clip, "sigma0": view.settings.sigma0, "steps": steps, "restarts": link.restarts, "limit": link.count or None}
    run_each("elbo_attack", view.models, parameters, link.seed, compare_attacks)
    return link


def show_bound_runs(link: Link, view: View) -> Link:
    """Table 1's columns, at the radius of each model's training."""
    st.caption("The mean ELBO and its certified bound at the radius of each model's training, over train and test split: the columns of Table 1.")
    link = _choose_count(link, view)
    run_each("elbo_table", view.models, {"sigma0": view.settings.sigma0, "limit": link.count or None}, link.seed, compare_bounds)
    return link


def _choose_count(link: Link, view: View) -> Link:
    return replace(link, count=choose_count(link.count, len(view.models[0].opened.images), f"count-{view.revision}"))
