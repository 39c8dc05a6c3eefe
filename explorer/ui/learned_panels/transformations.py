"""How angle, scale and shift map into the latent space."""

from dataclasses import replace

import streamlit as st

from explorer.figures import pixels, strip, to_csv
from explorer.figures.transformations import sweep_curves, sweep_norms
from explorer.ui import cache
from explorer.ui.components import download, png_button, show_row
from explorer.ui.learned_sets_link import SWEEP_STEPS, Link

from .view import View


def show_transformations(link: Link, view: View) -> Link:
    """The paths of this image's encodings as one parameter moves, and one place on them: the image truly transformed, and decoded."""
    names = view.learned.pairs.parameter_names
    if not names:
        st.info("These pairs are made with noise on each pixel: there is no angle, scale or shift whose path could be followed. Open a set of rotations, such as digits-rts.")
        return link
    paths = cache.parameter_paths(view.learned, view.identity, view.subject.image, SWEEP_STEPS)
    left, middle, right = st.columns([2, 3, 3], vertical_alignment="center")
    with left:
        parameter = st.selectbox("Parameter", range(len(names)), link.parameter, format_func=lambda index: names[index], key=f"parameter-{view.revision}")
    path = paths[parameter]
    with middle:
        values = [f"{value:.3g}" if abs(value) > 1e-3 else "0" for value in path.values.tolist()]
        position = st.slider("Place on its path", 0, SWEEP_STEPS - 1, link.position, key=f"position-{view.revision}")
        st.caption(f"{names[parameter]} = {values[position]}, ‖u‖ = {float(path.delta[position].norm()):.3f}. The other parameters stay neutral.")
    real, decoded = pixels(path.perturbed), pixels(path.decoded)
    with right:
        show_row({"truly transformed": real[position], "decoded from its u": decoded[position]}, 150)
    one, two = st.columns(2)
    with one:
        st.plotly_chart(sweep_curves(paths), width="stretch", key=f"paths-{view.revision}")
        st.caption("Each line is the way of the encoding u of this image while one parameter goes from its smallest value (square) to its largest (circle). All meet where nothing is done.")
    with two:
        st.plotly_chart(sweep_norms(paths, view.learned.radius), width="stretch", key=f"path-norms-{view.revision}")
        st.caption("A set of radius r holds, up to the decoder's error, those transformations whose line lies below r.")
    rows = [
        {"parameter": each.name, "value": value, "norm": float(delta.norm()), **{f"u{j + 1}": u for j, u in enumerate(delta.tolist())}}
        for each in paths
        for value, delta in zip(each.values.tolist(), each.delta)
    ]
    with st.container(horizontal=True):
        download("Paths (CSV)", lambda: to_csv(rows, view.provenance), "paths.csv", "text/csv")
        png_button(strip(real), view.provenance, "path-real", label="Truly transformed (PNG)")
        png_button(strip(decoded), view.provenance, "path-decoded", label="Decoded (PNG)")
    return replace(link, parameter=parameter, position=position)
