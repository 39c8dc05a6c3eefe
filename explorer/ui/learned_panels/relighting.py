"""One scene under a light of one's choice, beside what the learned set makes of it."""

from dataclasses import replace

import numpy as np
import streamlit as st
import torch

from explorer.data.illumination_pairs import NEUTRAL
from explorer.figures import difference, pixels, strip, to_csv
from explorer.figures.materials import light_pad
from explorer.papers.learned_sets import LearnedSet
from explorer.papers.learned_sets.illumination_exploration import STEPS, Relit, light_places, lit, relight, resolutions
from explorer.ui import links
from explorer.ui.components import download, png_button, show_row
from explorer.ui.learned_sets_link import LINKABLE_COORDINATES, PAGE, Link, encode_point

from .view import View

WIDTH = 150


def own_scene(view: View) -> bool:
    """Whether the picture is one of the test scenes, which there are other lights of."""
    images = view.learned.images.images
    return view.subject.key < len(images) and torch.equal(view.subject.image, images[view.subject.key : view.subject.key + 1])


def of_own_scene(view: View, no_lights: str, uploaded: str) -> bool:
    """Whether there are other lights and materials of the picture; where not, the text that says so is shown."""
    text = no_lights if not lit(view.learned) else uploaded if not own_scene(view) else ""
    if text:
        st.info(text)
    return not text


def show_relighting(link: Link, view: View) -> Link:
    """The pad of lights, the real picture, the set's members for it, and the same at another resolution."""
    learned, revision = view.learned, view.revision
    lights = "This set is not one of lights. Open one that scenes under several lights have taught, such as scenes-lighting."
    if not of_own_scene(view, lights, "An uploaded picture has a single light. Choose a scene to see it under the others."):
        return link
    key, sizes = f"light-{revision}", resolutions(learned)
    left, right = st.columns([2, 5], vertical_alignment="center")
    with left:
        light = st.selectbox("Light", range(len(learned.pairs.type_names)), link.light, format_func=lambda number: f"{number}, the neutral one" if number == NEUTRAL else str(number), key=key)
        st.plotly_chart(light_pad(light_places(learned), light, NEUTRAL), width="stretch", key=f"pad-{revision}", on_select=lambda: _chosen(f"pad-{revision}", key), config={"displayModeBar": False})
        factor = link.resolution if link.resolution in sizes else 1
        if len(sizes) > 1:
            factor = st.segmented_control("Resolution", list(sizes), default=factor, required=True, format_func=lambda each: f"{sizes[each][0]}×{sizes[each][1]}", key=f"resolution-{revision}")
    link = replace(link, light=light, resolution=factor or 1)
    made = _relit(learned, view.identity, view.subject.key, light, view.radius, link.resolution)
    shown = {
        "neutral light": pixels(made.neutral)[0],
        f"light {light}, real": pixels(made.real)[0],
        f"closest member, ‖u‖ = {made.closest_norm:.2f}": pixels(made.closest)[0],
        f"at its encoding, ‖u‖ = {made.encoding_norm:.2f}": pixels(made.encoded)[0],
        "closest − real": difference(made.closest, made.real, 1)[0],
    }
    with right:
        show_row(shown, WIDTH)
        st.caption(
            f"Squared error a pixel of the closest member that {STEPS} steps of PGD find at radius {view.radius:.2f}: {made.closest_error:.5f}, an upper bound of the approximation error; "
            f"at the encoding, projected onto the ball, {made.encoded_error:.5f}; of the neutral light itself {made.unchanged_error:.5f}."
        )
        if link.resolution > 1:
            st.caption("The same weights at another resolution than they were trained at: adaptive pooling brings every size to the same latents. No fine-tuning was done.")
        provenance = replace(view.provenance, settings={**view.provenance.settings, "light": light, "resolution": list(sizes[link.resolution])})
        with st.container(horizontal=True):
            png_button(strip(np.stack(list(shown.values()))), provenance, f"light-{light}", factor=1 if link.resolution > 1 else 3, label="These five (PNG)")
            row = {"light": light, "closest_error": made.closest_error, "encoded_error": made.encoded_error, "unchanged_error": made.unchanged_error, "encoding_norm": made.encoding_norm}
            download("Errors (CSV)", lambda: to_csv([row], provenance), "relighting.csv", "text/csv")
            point = tuple(made.delta.tolist())
            too_long = len(point) > LINKABLE_COORDINATES
            st.button("Put this u into the control", key=f"push-light-{revision}", on_click=links.push, args=(replace(link, u=encode_point(point)), PAGE), disabled=too_long,
                      help=f"{len(point)} coordinates are too many for the page's address." if too_long else None)  # fmt: skip
    return link


@st.cache_data(max_entries=256, show_spinner="Searching the closest member …")
def _relit(_learned: LearnedSet, identity: str, scene: int, light: int, radius: float, factor: int) -> Relit:
    """`identity` says which version of which checkpoint it is."""
    return relight(_learned, scene, light, radius, factor)


def _chosen(pad: str, light: str) -> None:
    """What was clicked becomes the chosen light."""
    points = st.session_state[pad]["selection"]["points"]
    if points:
        st.session_state[light] = int(points[0]["point_index"])
