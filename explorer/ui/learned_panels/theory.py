"""What the theorems promise of this set, beside what is measured."""

import math
from dataclasses import asdict, replace

import numpy as np
import streamlit as st
import torch

from explorer.evaluation import theorem1
from explorer.figures import to_csv
from explorer.figures.theory import counterexample, epsilon_delta
from explorer.papers.learned_sets.theory_report import DRAWS, TheoryReport, promises, theory_report
from explorer.types import Progress
from explorer.ui.components import download
from explorer.ui.learned_sets_link import ALPHAS, HEIGHTS, Link

from .counts import choose_count
from .view import View, work_in_background

CURVE = torch.cat([torch.logspace(-3, -1, 9), torch.linspace(0.15, 0.95, 17)]).double()


def show_theory(link: Link, view: View) -> Link:
    """Theorem 1's ε and δ over α, Theorem 2's bound, Corollary 2, and Figure 4's counterexample."""
    left, right = st.columns(2)
    with left:
        link = choose_count(link, view)
    with right:
        options = sorted({*np.round(np.concatenate([np.geomspace(*ALPHAS, 40), np.linspace(0.05, 0.95, 19)]), 4).tolist(), round(link.alpha, 4)})
        alpha = st.select_slider("α, probability left outside the radius r", options, round(link.alpha, 4), key=f"alpha-{view.revision}")
    link = replace(link, alpha=alpha)
    count = link.count or len(view.learned.pairs)

    def work(progress: Progress):
        return theory_report(view.learned, count, link.seed, progress)

    work_in_background(("theory", view.identity, count, link.seed), work, lambda report: _draw(report, alpha, view))
    st.markdown("**Why a small expected error does not keep the set small** (Appendix A.3, Figure 4)")
    height = st.slider("a, the height of the peak", *HEIGHTS, link.height, 0.1, key=f"height-{view.revision}")
    st.caption("An error δₐ(z) over a one-dimensional latent: the taller its peak, the narrower, and the smaller its mean under N(0, 1). So what the CVAE minimises says nothing about the farthest member.")
    st.plotly_chart(counterexample(height), width="stretch", key=f"counterexample-{view.revision}")
    return replace(link, height=height)


def _draw(report: TheoryReport, alpha: float, view: View) -> None:
    made = promises(report, alpha)
    pairs = len(report.expected_error)
    left, right = st.columns([3, 2])
    with left:
        st.plotly_chart(epsilon_delta(theorem1(report.objective, CURVE), report.measured), width="stretch", key=f"trade-off-{view.revision}")
    with right:
        rows = [
            ("r, radius that holds 1 − α", f"{made.radius:.3f}", ""),
            ("B", f"{made.factor:.3f}", ""),
            ("ΣK, twice the divergence", f"{made.divergence:.2f}", ""),
            ("Theorem 1: ε", f"{made.epsilon:.2f}", f"{made.measured_norm:.2f}"),
            ("Theorem 1: δ", f"{made.delta:.2f}", f"{made.measured_error:.2f}"),
            ("Theorem 2: H", _power(made.log_h), ""),
            ("Theorem 2: expected error", _power(made.log_bound), f"{made.expected_error:.1f}"),
            ("Corollary 2: log-likelihood ≥", f"−10^{(made.log_bound - math.log(2)) / math.log(10):.0f}", f"{made.log_likelihood_bound:.1f}"),
            ("Definition 2: log-likelihood", "", f"{made.log_likelihood:.1f}"),
        ]
        st.dataframe([{"quantity": a, "promised": b, "measured": c} for a, b, c in rows], hide_index=True, width="stretch")
        st.caption(
            f"Medians over {pairs} test pairs at α = {alpha:g}; dashed lines are measured: the norm of the encoding, the closest member found no farther out, "
            f"the mean error of {DRAWS} drawn members and the bound that follows from it, and their likelihood by Monte Carlo "
            f"({made.effective_draws:.1f} effective draws in the median: an estimate from below). Theorem 1 holds on {100 * made.kept:.4g} % of these pairs. "
            "Errors are squared, summed over the pixels; likelihoods are in nats. Theorem 2's bound is vacuous: H grows like an exponential of an exponential."
        )
        measured = replace(view.over_test_pairs, settings={**view.over_test_pairs.settings, "pairs": pairs})
        download("Over α (CSV)", lambda: to_csv([asdict(promises(report, float(each))) for each in CURVE], measured), "theory.csv", "text/csv")


def _power(logarithm: float) -> str:
    """e to that power, in decimal."""
    return f"10^{logarithm / math.log(10):.0f}" if logarithm > math.log(1e6) else f"{math.exp(logarithm):.4g}"
