"""Bringing a classifier from elsewhere: an .onnx file, or tensors of a known architecture, becomes a checkpoint of the gallery."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from explorer.configuration import from_mapping
from explorer.data import DATASETS
from explorer.errors import ExplorerError
from explorer.options import changed
from explorer.studies.importing import ARCHITECTURES, ONNX, ImportSettings, import_classifier

from .components import plain
from .library import MAXIMUM_UPLOAD_MB, keep_upload

PREFIX = "import"


def import_form(usable: Callable[[Path], object]) -> list[str]:
    """The form; returns what went wrong with what was sent. `usable` opens the checkpoint as its page would."""
    with st.form(PREFIX, border=False):
        st.markdown("**A classifier of yours**, for every page: an `.onnx` file, or a `.safetensors` file with the tensors of a known architecture. Nothing in it is executed.")
        left, right = st.columns(2)
        upload = left.file_uploader("The network", type=["onnx", "safetensors"], max_upload_size=MAXIMUM_UPLOAD_MB, key=f"{PREFIX}.file")
        with right.container(horizontal=True):
            dataset = st.selectbox("Its data set", list(DATASETS), list(DATASETS).index("mnist"), key=f"{PREFIX}.dataset", help="gives image size, classes and the test images that pages show")
            names = st.text_input("Class names", placeholder="those of the data set", key=f"{PREFIX}.names", help="separated by commas, in the order of the logits")
            mean = st.text_input("Mean", placeholder="0.1307", key=f"{PREFIX}.mean", help="of each channel, separated by commas, where the network expects normalised images; empty where it takes images in [0, 1]")
            std = st.text_input("Standard deviation", placeholder="0.3081", key=f"{PREFIX}.std")
            architecture = st.selectbox("Architecture", ["", *ARCHITECTURES], format_func=lambda name: name or "as the ONNX file says", key=f"{PREFIX}.architecture")
            configuration = st.text_input("Its configuration", placeholder='{"widths": [6, 16]}', key=f"{PREFIX}.configuration", help="for tensors: what differs from the architecture's own sizes, as JSON")
            cut = st.checkbox("Take off a final softmax", key=f"{PREFIX}.cut")
        sent = st.form_submit_button("Import")
    if not sent:
        return []
    if upload is None:
        return ["Choose the network's file first."]
    options = {"class_names": names, "mean": mean, "std": std, "configuration": configuration, "architecture": architecture}
    options = {name: value for name, value in options.items() if value.strip()} | {"dataset": dataset, "cut_softmax": str(cut).lower()}
    if upload.name.lower().endswith(ONNX):
        options.pop("architecture", None)
    try:
        key, notes = _imported(upload.name, upload.getvalue(), from_mapping(ImportSettings, changed(ImportSettings, options), "import"), usable)
    except ExplorerError as error:
        return [str(error)]
    st.success(f"{plain(key)} is in the gallery.\n\n" + "\n\n".join(plain(note, 500) for note in notes))
    return []


def _imported(name: str, content: bytes, settings: ImportSettings, usable: Callable[[Path], object]) -> tuple[str, tuple[str, ...]]:
    """The key of the checkpoint that was made, and what there is to say of it. Raises ExplorerError."""
    with tempfile.TemporaryDirectory() as folder, st.spinner("Trying the network on test images …"):
        given, made = Path(folder) / f"given{Path(name).suffix.lower()}", Path(folder) / "made.safetensors"
        given.write_bytes(content)
        imported = import_classifier(given, settings, name=name)
        imported.save(made)
        return keep_upload(f"{imported.header.name}.safetensors", made.read_bytes(), usable), imported.notes
