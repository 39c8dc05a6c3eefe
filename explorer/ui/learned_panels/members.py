"""What was committed, in detail; the way between real perturbations; random members."""

from dataclasses import replace

import numpy as np
import streamlit as st
import torch

from explorer.figures import difference, pixels, strip, tile, to_csv, to_gif, to_json, upscale
from explorer.papers.learned_sets import Settings, interpolate, members

from explorer.ui.components import download, png_button, show_picture, show_row
from explorer.ui.learned_sets import GRID
from explorer.ui.learned_sets_link import AMPLIFY, STEPS, Link

from .view import View

FILM_STEPS = 24
LAWS = {
    "normal": "normal, truncated to the ball (the paper's probabilistic set)",
    "uniform": "uniform in the ball",
    "uniform-norm": "uniform length, random direction",
}


def show_difference(link: Link, view: View) -> Link:
    """The committed member, the clean image, the real pair, and the signed difference with its factor."""
    result, subject, provenance, revision = view.result, view.subject, view.provenance, view.revision
    left, right = st.columns([1, 3], vertical_alignment="center")
    with left:
        amplify = st.select_slider("Amplification", AMPLIFY, link.amplify, format_func=lambda a: f"×{a}", key=f"amplify-{revision}")
    with right:
        st.caption(f"‖u‖ = {result.norm:.3f}. Difference: member − clean, ×{amplify}; teal is darker, grey equal, brown lighter.")
    pictures = {
        "clean": pixels(result.clean)[0],
        "member": pixels(result.perturbed)[0],
        f"difference ×{amplify}": difference(result.perturbed, result.clean, amplify)[0],
        f"a real pair: {subject.real.names[0]}": pixels(subject.real.perturbed[:1])[0],
    }
    show_row(pictures, 210)
    sheet = strip(np.stack(list(pictures.values())))
    with st.container(horizontal=True):
        png_button(pictures["member"], provenance, "member", 8, "Member (PNG)")
        png_button(sheet, provenance, "comparison", 8, "All four (PNG)")
        download("Point u (JSON)", lambda: to_json({"norm": result.norm, "u": result.delta.tolist()}, provenance), "member.json", "application/json")
        rows = [{"coordinate": index + 1, "u": value} for index, value in enumerate(result.delta.tolist())]
        download("Point u (CSV)", lambda: to_csv(rows, provenance), "member.csv", "text/csv")
    return replace(link, amplify=amplify)


def show_interpolation(link: Link, view: View) -> Link:
    """Between two or three real perturbations of this image: film strip, one frame by slider, GIF."""
    learned, clean, radius, subject = view.learned, view.clean, view.radius, view.subject
    provenance, revision = view.provenance, view.revision
    options = [-1, *range(len(subject.real.names))]
    names = ["clean: u = 0", *subject.real.names]
    chosen = st.multiselect(
        "From, over, to: two or three real perturbations of this image, by what was done to it",
        options,
        list(link.stops),
        format_func=lambda stop: names[stop + 1],
        max_selections=3,
        key=f"stops-{revision}",
    )
    if len(chosen) < 2:
        st.info("Choose two or three perturbations to interpolate between.")
        return link
    points = torch.stack([torch.zeros(learned.latent_dim) if stop < 0 else subject.real.delta[stop].cpu() for stop in chosen])
    result = interpolate(learned, clean, points, radius, STEPS)
    frames = pixels(result.frames)
    last = len(frames) - 1
    show_picture(strip(frames), "members along the line between the chosen perturbations")
    norms = result.delta.norm(dim=1).tolist()
    left, right = st.columns([1, 3], vertical_alignment="center")
    with right:
        frame = st.slider("Frame", 0, last, min(link.frame, last), key=f"frame-{revision}-{last}")
        st.caption(f"‖u‖ = {norms[frame]:.3f} · points outside the radius are projected onto the ball first")
    with left:
        show_row({f"frame {frame} of {last}": frames[frame]}, 210)
    rows = [{"frame": i, "norm": norm} for i, norm in enumerate(norms)]

    def film() -> bytes:
        return to_gif(upscale(pixels(interpolate(learned, clean, points, radius, FILM_STEPS).frames), 4), provenance)

    with st.container(horizontal=True):
        download("Film (GIF)", film, "interpolation.gif", "image/gif")
        png_button(strip(frames), provenance, "film-strip", label="Film strip (PNG)")
        download("‖u‖ by frame (CSV)", lambda: to_csv(rows, provenance), "interpolation.csv", "text/csv")
    return replace(link, stops=tuple(chosen), frame=frame)


def show_members(link: Link, view: View) -> Link:
    """A grid of random members at the committed radius, with its seed."""
    learned, clean, radius, provenance, revision = view.learned, view.clean, view.radius, view.provenance, view.revision
    left, middle, right = st.columns([3, 1, 1], vertical_alignment="bottom")
    with left:
        law = st.selectbox("Law", list(LAWS), list(LAWS).index(link.law), format_func=LAWS.get, key=f"law-{revision}")
    with middle:
        seed = st.number_input("Seed", 0, 10**9, link.seed, key=f"seed-{revision}")
    link = replace(link, law=law, seed=int(seed))
    result = members(learned, clean, Settings(radius=radius, seed=link.seed, law=law, members=GRID))
    sheet = tile(pixels(result.frames), 16)
    show_picture(sheet, f"{GRID} random members at radius {radius:.3f}")
    norms = result.delta.norm(dim=1).tolist()
    st.caption(f"{GRID} members at radius {radius:.3f}, seed {link.seed}. ‖u‖ from {min(norms):.2f} to {max(norms):.2f}. The same seed draws the same members.")
    named = replace(provenance, seed=link.seed, settings={**provenance.settings, "law": law})
    rows = [{"member": i, "norm": norm, **{f"u{j + 1}": value for j, value in enumerate(point)}} for i, (norm, point) in enumerate(zip(norms, result.delta.tolist()))]
    with st.container(horizontal=True):
        png_button(sheet, named, "members", label="Grid (PNG)")
        download("Members (CSV)", lambda: to_csv(rows, named), "members.csv", "text/csv")
    return link
