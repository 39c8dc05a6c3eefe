"""The gallery's cards, and adding checkpoints to it."""

import streamlit as st

from explorer.errors import ExplorerError
from explorer.papers.learned_sets import KIND, open_learned_set

from . import cache
from .components import plain, show_picture
from .library import MAXIMUM_UPLOAD_MB, Found, check_folder, forget_upload, keep_upload
from .links import link_to

KINDS = {KIND: ("learned set (CVAE)", "learned_sets")}
METRICS = {
    "squared_error_per_pixel": ("reconstruction", "mean squared error per pixel, test split"),
    "kl_nats": ("KL", "divergence of posterior and prior in nats, test split"),
}


def show_card(found: Found) -> None:
    """One checkpoint: a strip of members drawn now, what it is, and the button to its page."""
    header = found.header
    label, page = KINDS.get(header.kind, (plain(header.kind), None))
    with st.container(border=True, key=f"card-{found.key.replace('/', '-')}"):
        st.subheader(plain(found.key), anchor=False)
        st.caption(f"{label} · trained on {plain(header.dataset.get('name', '?'))} · {found.origin}", help=plain(header.description))
        if page is None:
            st.info(f"No page shows checkpoints of kind {label}.")
            return
        seed = st.session_state.setdefault(f"gallery.seed.{found.key}", 0)
        try:
            sheet = cache.sample_strip(str(found.path), found.path.stat().st_mtime_ns, 3 + seed, 9, seed)
        except Exception as error:  # one card's failure must not take the others down
            st.error(f"This checkpoint cannot be shown: {plain(error, 400)}")
            return
        show_picture(sheet, "a clean image, then random members of its perturbation set")
        facts = [("radius ε", f"{header.radius:.2f}", "the largest latent norm of a real pair, validation split")]
        facts += [(short, f"{header.metrics[key]:.3g}", text) for key, (short, text) in METRICS.items() if key in header.metrics]
        with st.container(horizontal=True):
            for short, value, text in facts:
                st.metric(short, value, help=text)
        with st.container(horizontal=True, vertical_alignment="center"):
            link_to(page, "Explore →", model=found.key)
            if st.button("Other samples", key=f"again-{found.key}"):
                st.session_state[f"gallery.seed.{found.key}"] += 1
                st.rerun()
            if found.origin == "uploaded" and st.button("Remove", key=f"remove-{found.key}"):
                forget_upload(found.key)
                st.rerun()


def add_checkpoints() -> list[str]:
    """Controls for a folder and an upload; returns what went wrong with them."""
    problems: list[str] = []
    with st.expander("Add checkpoints"):
        left, right = st.columns(2)
        folder = left.text_input("A folder on this machine", placeholder="runs", key="gallery.folder")
        upload = right.file_uploader("A .safetensors file", type=["safetensors"], max_upload_size=MAXIMUM_UPLOAD_MB, key="gallery.upload")
        folders = st.session_state.get("gallery.folders")
        if folders and left.button(f"Forget {plain(', '.join(folders))}"):
            st.session_state["gallery.folders"] = []
            folder = ""
        if folder:
            try:
                checked = check_folder(folder)
                st.session_state["gallery.folders"] = sorted({*st.session_state.get("gallery.folders", ()), checked})
            except ExplorerError as error:
                problems.append(str(error))
    if upload is not None and upload.file_id != st.session_state.get("gallery.upload_id"):
        st.session_state["gallery.upload_id"] = upload.file_id
        try:
            key = keep_upload(upload.name, upload.getvalue(), lambda path: open_learned_set(path).directions)
            st.session_state["gallery.upload_problem"] = None
            st.toast(f"{key} is in the gallery")
        except ExplorerError as error:
            st.session_state["gallery.upload_problem"] = str(error)
    if upload is not None and st.session_state.get("gallery.upload_problem"):
        problems.append(st.session_state["gallery.upload_problem"])
    return problems


def show_unreadable(found: list[Found]) -> None:
    if found:
        with st.expander(f"{len(found)} file(s) that cannot be opened"):
            for each in found:
                st.markdown(f"**{plain(each.key)}**: {plain(each.problem, 400)}")
