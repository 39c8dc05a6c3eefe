"""The gallery's cards, and adding checkpoints to it."""

from pathlib import Path

import streamlit as st

from explorer.checkpoints import describe
from explorer.errors import ExplorerError

from .checkpoint_kinds import KINDS, kind_of
from .components import plain, show_picture
from .import_form import import_form
from .library import MAXIMUM_UPLOAD_MB, Found, check_folder, forget_upload, keep_upload
from .links import link_to


def in_order(found: list[Found]) -> list[Found]:
    """By kind, as they are listed in KINDS."""
    kinds = list(KINDS)
    return sorted(found, key=lambda each: kinds.index(each.header.kind) if each.header.kind in kinds else len(kinds))


def show_card(found: Found) -> None:
    """One checkpoint: a strip of members drawn now, what it is, and the button to its page."""
    header = found.header
    kind = kind_of(header)
    label = kind.label if kind else plain(header.kind)
    with st.container(border=True, key=f"card-{found.key.replace('/', '-')}"):
        st.subheader(plain(found.key), anchor=False)
        st.caption(f"{label} · trained on {plain(header.dataset.get('name', '?'))} · {found.origin}", help=plain(header.description))
        if kind is None:
            st.info(f"No page shows checkpoints of kind {label}.")
            return
        seed = st.session_state.setdefault(f"gallery.seed.{found.key}", 0)
        try:
            sheet = kind.sheet(str(found.path), found.path.stat().st_mtime_ns, seed)
        except Exception as error:  # one card's failure must not take the others down
            st.error(f"This checkpoint cannot be shown: {plain(error, 400)}")
            return
        show_picture(sheet, kind.alt)
        with st.container(horizontal=True):
            for short, value, text in kind.facts(header):
                st.metric(short, value, help=text)
        with st.container(horizontal=True, vertical_alignment="center"):
            if query := kind.query(header, found.key):
                link_to(kind.page, "Explore →", **query)
            else:
                st.caption("No learned set of lights for pictures of its size is here to open it with.")
            if kind.also:
                link_to(*kind.also, model=found.key)
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
        problems += import_form(_use)
    if upload is not None and upload.file_id != st.session_state.get("gallery.upload_id"):
        st.session_state["gallery.upload_id"] = upload.file_id
        try:
            key = keep_upload(upload.name, upload.getvalue(), _use)
            st.session_state["gallery.upload_problem"] = None
            st.toast(f"{key} is in the gallery")
        except ExplorerError as error:
            st.session_state["gallery.upload_problem"] = str(error)
    if upload is not None and st.session_state.get("gallery.upload_problem"):
        problems.append(st.session_state["gallery.upload_problem"])
    return problems


def _use(path: Path) -> None:
    """Open a checkpoint as its page would."""
    if kind := kind_of(describe(path)):
        kind.usable(path)


def show_unreadable(found: list[Found]) -> None:
    if found:
        with st.expander(f"{len(found)} file(s) that cannot be opened"):
            for each in found:
                st.markdown(f"**{plain(each.key)}**: {plain(each.problem, 400)}")
