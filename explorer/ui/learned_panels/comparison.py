"""Two checkpoints side by side on the same image and the same u."""

from dataclasses import replace

import numpy as np
import streamlit as st

from explorer.errors import ExplorerError
from explorer.figures import difference, pixels, strip, to_csv
from explorer.papers.learned_sets import LearnedSet, Settings, explore, members
from explorer.ui import cache
from explorer.ui.components import download, plain, png_button, show_picture, show_row
from explorer.ui.learned_sets_link import Link
from explorer.ui.library import checkpoint_path

from .view import View

DRAWN = 12


def show_comparison(link: Link, view: View) -> Link:
    """The member at u, the centre, the pair's own encoding and random members of both sets, each framed as its model takes it."""
    if not view.others:
        st.info("There is no other checkpoint to compare with. Train one with `python -m explorer.train`, and add its folder in the gallery.")
        return link
    if link.other and link.other not in view.others:
        st.warning(f"The link's other checkpoint {plain(link.other)} is not here.")
    index = view.others.index(link.other) if link.other in view.others else 0
    other = st.selectbox("Beside it", view.others, index, key=f"other-{view.revision}")
    link = replace(link, other=other)
    try:
        path = checkpoint_path(other, view.folders)
        second = cache.learned_set(path)
    except (ExplorerError, OSError) as error:
        st.error(plain(error, 400))
        return link
    image = view.subject.image
    framed, taken = second.pairs.image_shape(tuple(image.shape[1:])), second.checkpoint.model.image_shape
    if framed != taken:
        st.info(f"{plain(other)} takes images of {taken}, this image would be {framed}. Choose an image of the size it was trained on.")
        return link
    same_latents = second.latent_dim == view.learned.latent_dim
    if not same_latents:
        st.caption(f"Both points u cannot be the same: {view.learned.latent_dim} and {second.latent_dim} latents. The second set is shown at its centre and at its own encoding.")
    delta = tuple(view.result.delta.tolist()) if same_latents else ()
    rows = []
    for name, learned, point in ((view.provenance.checkpoint, view.learned, tuple(view.result.delta.tolist())), (other, second, delta)):
        rows.append(_show(name, learned, point, view, f"{path}:{path.stat().st_mtime_ns}" if learned is second else view.identity))
    provenance = replace(view.provenance, settings={**view.provenance.settings, "other": other})
    download("Both sets (CSV)", lambda: to_csv(rows, provenance), "comparison.csv", "text/csv")
    return link


def _show(name: str, learned: LearnedSet, point: tuple[float, ...], view: View, identity: str) -> dict:
    """One set: its pictures; returns its row of the table."""
    radius = min(view.radius, learned.radius)
    clean = learned.pairs.clean(view.subject.image).to(learned.device)
    real = cache.real_pairs(learned, identity, view.subject.key, view.subject.image)
    at_u, centre = (explore(learned, clean, Settings(radius, delta)) for delta in (point, ()))
    encoded = explore(learned, clean, Settings(learned.radius, tuple(real.delta[0].tolist())))
    error = float((encoded.perturbed - real.perturbed[:1]).square().mean())
    st.markdown(f"**{plain(name)}** · ε = {learned.radius:.3f}, {learned.latent_dim} latents · shown at radius {radius:.3f}")
    pictures = {
        f"member, ‖u‖ = {at_u.norm:.2f}": pixels(at_u.perturbed)[0],
        "centre, u = 0": pixels(centre.perturbed)[0],
        "member − clean": difference(at_u.perturbed, clean, 1)[0],
        f"real pair: {real.names[0]}": pixels(real.perturbed[:1])[0],
        f"its encoding, ‖u‖ = {float(real.delta[0].norm()):.2f}": pixels(encoded.perturbed)[0],
    }
    show_row(pictures, 150)
    drawn = members(learned, clean, Settings(radius, seed=view.provenance.seed, members=DRAWN))
    sheet = strip(pixels(drawn.frames))
    show_picture(sheet, f"{DRAWN} random members of {name}")
    st.caption(f"{DRAWN} random members at that radius, seed {view.provenance.seed}. Squared error of the encoding per pixel: {error:.5f}.")
    png_button(strip(np.stack(list(pictures.values()))), view.provenance, f"comparison-{name.replace('/', '-')}", label="These five (PNG)")
    return {
        "checkpoint": name, "latents": learned.latent_dim, "epsilon": learned.radius, "radius": radius, "norm_of_u": at_u.norm,
        "norm_of_encoding": float(real.delta[0].norm()), "squared_error_of_encoding": error,
    }  # fmt: skip
