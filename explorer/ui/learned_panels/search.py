"""The closest and the farthest member by PGD, with the path of the search as frames."""

from dataclasses import replace
from typing import get_args

import streamlit as st

from explorer.evaluation.approximation import STEPS, Distance
from explorer.figures import pixels, strip, to_csv, to_gif, upscale
from explorer.figures.searches import distance_curve
from explorer.papers.learned_sets.report import DISTANCE_NAMES
from explorer.papers.learned_sets.searches import SearchSettings, Sense, Start
from explorer.runs.kinds import specify
from explorer.ui import cache, links
from explorer.ui.components import download, png_button, show_picture, show_row
from explorer.ui.learned_sets_link import LINKABLE_COORDINATES, PAGE, Link, encode_point
from explorer.ui.run_this import run_this

from .view import View, batch_of_a_run

EVERY = 5
STARTS = {"encoding": "the pair's own encoding", "centre": "the centre, u = 0", "random": "a random point"}
SENSES = {"closest": "closest to the real pair", "farthest": "farthest from the real pair"}
UNITS = {"cross_entropy": "cross-entropy per pixel", "squared_error": "squared error per pixel"}
MEANING = {
    "closest": "An upper bound of the approximation error: some member may be closer still.",
    "farthest": "A lower bound of the over-approximation: some member may be farther still.",
}


def show_search(link: Link, view: View) -> Link:
    """What is searched for and from where, the film of every fifth iterate, one iterate by slider, the curve, and files."""
    revision = view.revision
    first, second, third = st.columns(3)
    with first:
        sense = st.selectbox("Member", get_args(Sense), get_args(Sense).index(link.sense), format_func=SENSES.get, key=f"sense-{revision}")
    with second:
        start = st.selectbox("Search from", get_args(Start), get_args(Start).index(link.start), format_func=STARTS.get, key=f"start-{revision}")
    with third:
        distances = get_args(Distance)
        distance = st.selectbox("Distance", distances, distances.index(link.distance), format_func=DISTANCE_NAMES.get, key=f"distance-{revision}")
    link = replace(link, sense=sense, start=start, distance=distance)
    target = view.subject.real.perturbed[:1]
    settings = SearchSettings(view.radius, sense, start, distance, link.seed)
    found = cache.found_member(view.learned, view.identity, view.clean, target, settings)
    frames = pixels(found.frames)
    show_picture(strip(frames[::EVERY]), f"every {EVERY}th iterate of the search, the start first")
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        iterate = st.slider("Iterate", 0, STEPS, link.iterate, key=f"iterate-{revision}", help=f"0 is the start; iterate {found.best} is the best, which the search returns.")
        show_row({f"iterate {iterate}": frames[iterate], f"best: iterate {found.best}": frames[found.best], "the real pair": pixels(target)[0]}, 108)
        for name, number, meaning in ((f"Iterate {iterate}", iterate, ""), ("Best", found.best, f". {MEANING[sense]}")):
            st.caption(f"{name}: ‖u‖ = {float(found.delta[number].norm()):.3f} of at most {view.radius:.3f}, distance {float(found.distance[number]):.4f}{meaning}")
    with right:
        st.plotly_chart(distance_curve(found.distance, found.best, iterate, UNITS[distance]), width="stretch", key=f"search-curve-{revision}")
    provenance = replace(view.provenance, settings={**view.provenance.settings, "search": vars(settings)})
    norms = found.delta.norm(dim=1).tolist()
    rows = [{"iterate": i, "distance": value, "norm": norm} for i, (value, norm) in enumerate(zip(found.distance.tolist(), norms))]
    with st.container(horizontal=True):
        download("Film (GIF)", lambda: to_gif(upscale(frames, 4), provenance), "search.gif", "image/gif")
        png_button(strip(frames[::EVERY]), provenance, "search-strip", label="Film strip (PNG)")
        download("Distance by iterate (CSV)", lambda: to_csv(rows, provenance), "search.csv", "text/csv")
        point = tuple(found.delta[iterate].tolist())
        too_long = len(point) > LINKABLE_COORDINATES
        st.button(
            "Put this u into the control", key=f"push-{revision}", on_click=links.push, args=(replace(link, iterate=iterate, u=encode_point(point)), PAGE),
            disabled=too_long, help=f"{len(point)} coordinates are too many for the page's address." if too_long else None,
        )  # fmt: skip
    with st.expander("The closest and the farthest member of every test pair"):
        radius = None if view.radius >= view.learned.radius else view.radius
        made = specify("extremes", {"checkpoint": str(view.path)}, {"distance": distance, "radius": radius, "batch_size": batch_of_a_run(view)}, seed=link.seed)
        st.caption(f"All {len(view.learned.pairs):,} pairs at radius {view.radius:.3f}, {STEPS} steps each way.")
        run_this(made, f"extremes-{made.fingerprint}", "Search all")
    return replace(link, iterate=iterate)
