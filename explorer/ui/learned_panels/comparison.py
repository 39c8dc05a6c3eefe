"""Two checkpoints side by side on the same image and the same u."""

from dataclasses import replace

import numpy as np
import streamlit as st

from explorer.errors import ExplorerError
from explorer.figures import Provenance, difference, pixels, tile, to_csv
from explorer.papers.learned_sets import Settings, members
from explorer.ui import cache
from explorer.ui.components import download, plain, png_button, show_picture, show_row
from explorer.ui.learned_sets_link import Link
from explorer.ui.library import checkpoint_path

from .side_by_side import Side, both_sides, same_latents
from .view import View

DRAWN, WIDTH = 12, 112


def show_comparison(link: Link, view: View) -> Link:
    """Both sets in columns, each framed as its model takes it: member, centre, the pair's encoding, random members; the difference."""
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
    image, key = view.subject.image, view.subject.key
    framed, taken = second.pairs.image_shape(tuple(image.shape[1:])), second.checkpoint.model.image_shape
    if framed != taken:
        st.info(f"{plain(other)} takes images of {_size(taken)}, this image would be {_size(framed)}. Choose a checkpoint for images of this size.")
        return link
    real = cache.real_pairs(second, f"{path}:{path.stat().st_mtime_ns}", key, image)
    point = tuple(view.result.delta.tolist())
    one, two = both_sides(view.learned, second, image, (view.subject.real, real), point, view.radius)
    st.caption(_how(one, two, other, view.result.norm))
    rows = [
        _show(side, name, view, column)
        for side, name, column in zip((one, two), (view.provenance.checkpoint, other), st.columns(2, gap="medium"))
    ]
    if one.member.perturbed.shape == two.member.perturbed.shape:
        st.markdown("**Difference**, the second set − the first; teal is darker, grey equal, brown lighter")
        shown = {"of the members": "member", "of the centres": "centre", "of the encodings": "encoded"}
        show_row({text: difference(*(getattr(side, part).perturbed for side in (two, one)), 1)[0] for text, part in shown.items()}, WIDTH)
    else:
        st.caption("Their frames differ in size, so no difference is drawn.")
    provenance = replace(view.provenance, settings={**view.provenance.settings, "other": other})
    download("Both sets (CSV)", lambda: to_csv(rows, provenance), "comparison.csv", "text/csv")
    return link


def _how(one: Side, two: Side, other: str, norm: float) -> str:
    """What the two members have in common."""
    if not same_latents(one.learned, two.learned):
        share = one.radius / one.learned.radius if one.learned.radius else 1.0
        return (
            f"The sets have {one.learned.latent_dim} and {two.learned.latent_dim} latents, so they cannot share u. "
            f"Both are shown at the same real pair's encoding, in balls of {share:.2f} ε."
        )
    if norm > two.radius:
        return f"Both at the same u. Its norm {norm:.3f} is beyond the ε of {plain(other)}, which shows its projection."
    return "Both at the same u and the same image."


def _show(side: Side, name: str, view: View, column) -> dict:
    """One set: its pictures; returns its row of the table."""
    learned, real = side.learned, side.real
    norm = float(real.delta[0].norm())
    pictures = {
        f"member, ‖u‖ = {side.member.norm:.2f}": pixels(side.member.perturbed)[0],
        "centre, u = 0": pixels(side.centre.perturbed)[0],
        "member − clean": difference(side.member.perturbed, side.member.clean, 1)[0],
        f"real pair: {real.names[0]}": pixels(real.perturbed[:1])[0],
        f"its encoding, ‖u‖ = {norm:.2f}": pixels(side.encoded.perturbed)[0],
        "encoding − real pair": difference(side.encoded.perturbed, real.perturbed[:1], 1)[0],
    }
    with column:
        st.markdown(f"**{plain(name)}**  \nε = {learned.radius:.3f}, {learned.latent_dim} latents, shown at radius {side.radius:.3f}")
        show_row(pictures, WIDTH)
        drawn = members(learned, side.member.clean, Settings(side.radius, seed=view.provenance.seed, members=DRAWN))
        show_picture(tile(pixels(drawn.frames), DRAWN // 2), f"{DRAWN} random members of {name}")
        st.caption(f"{DRAWN} random members at that radius, seed {view.provenance.seed}. Squared error of the encoding: {side.error:.5f} per pixel.")
        file = f"comparison-{name.replace('/', '-')}"
        png_button(tile(np.stack(list(pictures.values())), 3), _provenance(side, name, view), file, label="These six (PNG)")
    return {
        "checkpoint": name, "latents": learned.latent_dim, "epsilon": learned.radius, "radius": side.radius, "norm_of_u": side.member.norm,
        "norm_of_encoding": norm, "squared_error_of_encoding": side.error,
    }  # fmt: skip


def _provenance(side: Side, name: str, view: View) -> Provenance:
    settings = {"image": view.subject.name, "u": side.member.delta.tolist(), "checkpoint_revision": side.learned.checkpoint.header.revision}
    return Provenance(name, view.provenance.seed, side.radius, settings)


def _size(shape: tuple[int, int, int]) -> str:
    return "×".join(map(str, shape[1:])) + (" grey" if shape[0] == 1 else " colour") + " pixels"
