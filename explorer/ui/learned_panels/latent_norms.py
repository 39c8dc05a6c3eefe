"""How far out real perturbations lie, by class and by what was done to the image."""

import streamlit as st

from explorer.evaluation import LatentNorms
from explorer.figures import to_csv
from explorer.figures.latent_norms import held_by_type, norm_densities, norms_by_class, norms_by_parameter, norms_by_type
from explorer.papers.learned_sets.latent_norms import latent_norms
from explorer.types import Progress
from explorer.ui.components import download
from explorer.ui.learned_sets_link import Link

from .view import View, work_in_background

ALL, NONE = 0.95, 0.05  # shares that count as all and as none
ENOUGH = 2400  # pairs, where there are several of each image


def show_latent_norms(link: Link, view: View) -> Link:
    """The distribution of ‖u‖ over the test pairs."""
    st.caption("Test pairs are encoded: ‖u‖ says how far from the centre a set must reach to hold it.")

    def work(progress: Progress):
        return latent_norms(view.learned, min(len(view.learned.pairs), max(len(view.learned.images), ENOUGH)), progress)

    work_in_background(("latent norms", view.identity), work, lambda found: _draw(found, view))
    return link


def _draw(found: LatentNorms, view: View) -> None:
    radius = view.learned.radius
    typed = len(found.type_names) > 1
    shown = [*([norms_by_type(found, view.radius), norm_densities(found, view.radius)] if typed else []), norms_by_class(found, radius), *(norms_by_parameter(found, name, radius) for name in found.parameters)]
    for index, figure in enumerate(shown):
        if index % 2 == 0:
            columns = st.columns(2)  # row by row, as a narrow screen puts whole columns below each other
        with columns[index % 2]:
            st.plotly_chart(figure, width="stretch", key=f"norms-{index}-{view.revision}")
    if typed:
        st.markdown(_held(held_by_type(found, view.radius), view.radius))
    inside = float((found.norms <= radius).float().mean())
    st.caption(f"Boxes: quartiles and extremes. Lines: median and middle 80 %. {100 * inside:.2f} % of {len(found.norms)} test pairs have their encoding within ε = {radius:.3f}, which was chosen on validation pairs.")
    if found.read_out:
        values = "; ".join(f"{name} {max(value, 0):.2f}" for name, value in found.read_out.items())
        st.caption(f"Share of each parameter's variance that a linear function of u explains (R² on pairs it was not fitted on): {values}.")
    rows = [
        {"pair": index, "class": found.class_names[label], **({"type": found.type_names[int(found.types[index])]} if typed else {}), "norm": norm, **{name: float(values[index]) for name, values in found.parameters.items()}}
        for index, (label, norm) in enumerate(zip(found.labels.tolist(), found.norms.tolist()))
    ]
    download("Norms (CSV)", lambda: to_csv(rows, view.over_test_pairs), "latent-norms.csv", "text/csv")


def _held(shares: dict[str, float], radius: float) -> str:
    """What a set of that radius holds, in words."""
    whole, nothing = ([name for name, share in shares.items() if test(share)] for test in (lambda share: share >= ALL, lambda share: share <= NONE))
    parts = [f"{name} {100 * share:.0f} %" for name, share in shares.items() if NONE < share < ALL]
    said = [f"all of {', '.join(whole)}" if whole else "", f"none of {', '.join(nothing)}" if nothing else "", f"of the others: {', '.join(parts)}" if parts else ""]
    return f"At the chosen radius {radius:.3g} the set holds {'; '.join(text for text in said if text)}. (All: {100 * ALL:.0f} % or more of the encodings; none: {100 * NONE:.0f} % or fewer.)"
