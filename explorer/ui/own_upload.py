"""The user's own pairs on the Train page: the path of a folder, or a zip that is unpacked beside the runs."""

import dataclasses
import hashlib

import streamlit as st

from explorer.data.own_archive import scenes_in, unpack
from explorer.errors import ExplorerError
from explorer.papers.learned_sets.own import OwnPairsConfig, plan
from explorer.storage import runs_folder

from .components import plain
from .train import Link, field_key, read_changes, write_changes

LARGEST_MB = 500
TAKEN = "own_upload.taken"  # the upload that the field data was written from


def choose_pictures(link: Link, revision: int) -> Link:
    """A zip becomes the `data` of the configuration, and is written into its field. What the pictures ask for is said below."""
    upload = st.file_uploader(
        "A zip of your pictures", type="zip", max_upload_size=LARGEST_MB, key=f"own-zip-{revision}",
        help="With a folder for each scene: reference.png, and others named by what was done to it, as fog.png; or with a CSV of reference, perturbed, type. It stays on this machine. Or write a folder into the field data.",
    )  # fmt: skip
    if upload is not None and upload.file_id != st.session_state.get(TAKEN):
        content = upload.getvalue()
        place = runs_folder() / "own_pairs" / hashlib.sha256(content).hexdigest()[:16]
        try:
            data = scenes_in(place) if place.is_dir() else unpack(content, place)
        except ExplorerError as error:
            st.error(plain(error, 400))
            return link
        st.session_state[TAKEN] = upload.file_id
        st.session_state[field_key(link.experiment, "data", revision)] = str(data.resolve())  # once: afterwards the field is the user's again
        link = dataclasses.replace(link, changes=write_changes({**read_changes(link.changes), "data": str(data.resolve())}))
    if data := read_changes(link.changes).get("data"):
        try:
            for reason in plan(OwnPairsConfig(data=data)).reasons:
                st.caption(plain(reason, 400))
        except ExplorerError:
            pass  # said below, with all that is wrong with the configuration
    return link
