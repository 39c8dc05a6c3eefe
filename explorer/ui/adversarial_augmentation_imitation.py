"""The panel in which changed weights imitate a corruption of this image."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import plotly.graph_objects as go
import streamlit as st
import torch

from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from explorer.errors import ExplorerError
from explorer.figures import difference, pixels
from explorer.figures.theory import ACCENT, QUIET, framed
from explorer.metrics import ssim
from explorer.papers.adversarial_augmentation.reconstruction import STEPS, Reconstruction, reconstruct
from explorer.randomness import Streams
from explorer.runs.kinds import specify
from explorer.types import Progress

from .adversarial_augmentation_link import Link
from .adversarial_augmentation_work import View
from .components import plain, show_row
from .run_this import run_this
from .turns import TURNS, Aside
from .working import work_in_background

WIDTH = 132


@dataclass(frozen=True, eq=False)
class Imitated:
    """The corrupted image, what the weights were changed to make of the clean one, and the SSIM of the clean image to the corrupted."""

    target: torch.Tensor
    found: Reconstruction
    clean_ssim: float


def show_imitation(link: Link, shown: View) -> Link:
    """One corruption of this image, and all of them over test images as a run."""
    image = shown.subject.image
    there = [name for name, each in CORRUPTIONS.items() if image.shape[1] == 3 or not each.coloured]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    name = left.selectbox("Corruption", there, there.index(link.corruption) if link.corruption in there else 0, format_func=lambda each: each.replace("_", " "), key=f"corruption-{shown.revision}", help="" if image.shape[1] == 3 else "Those that change colours need three channels, and are left out.")
    severity = right.select_slider("Severity", SEVERITIES, link.severity, key=f"severity-{shown.revision}")
    link = replace(link, corruption=name, severity=severity)
    key = ("imitation", shown.network.identity, shown.subject.identity[2:], name, severity, link.seed)
    work_in_background(key, lambda progress: _work(link, shown, progress), lambda made: _draw(made, shown, f"{name}-{severity}"), noun="steps")
    st.caption(f"The network's weights are changed, by Adam and within no ball, until its output for the clean image is most like the corrupted one: {STEPS} steps maximising SSIM − 1e-5·‖δ‖² (AdA, Figure 3).")
    with st.expander("All corruptions over test images"):
        try:
            made = specify("imitated_corruptions", {"checkpoint": str(shown.network.path)}, {"limit": link.count or None, "corruptions": there[: min(15, len(there))], "severities": [severity]}, seed=link.seed)
            run_this(made, f"imitated-{made.fingerprint}", "Measure")
        except ExplorerError as error:
            st.error(plain(error, 400))
    return link


def _work(link: Link, shown: View, progress: Progress) -> Iterator[Imitated]:
    device = shown.models[0].opened.device
    image = shown.subject.image.to(device)
    target = corrupt(image, link.corruption, link.severity, Streams(link.seed, [0], purpose="corruption"))
    told = Aside(progress)
    told.advance = progress.advance
    with TURNS.search():
        found = reconstruct(shown.network.backbone.model, image, target, progress=told)
    yield Imitated(target.cpu(), Reconstruction(found.images.cpu(), found.path.cpu()), float(ssim(image, target)))


def _draw(made: Imitated, shown: View, key: str) -> None:
    clean, found = shown.subject.image.cpu(), made.found
    show_row({"the image": pixels(clean)[0], f"corrupted, SSIM {made.clean_ssim:.3f} to the image": pixels(made.target)[0], f"imitated, SSIM {float(found.ssim[0]):.3f} to the corrupted": pixels(found.images)[0], "difference × 4": difference(found.images, made.target, 4)[0]}, WIDTH)
    figure = go.Figure(go.Scatter(y=found.path[:, 0].tolist(), mode="lines", line_color=ACCENT, hovertemplate="step %{x}: SSIM %{y:.4f}<extra></extra>"))
    figure.add_hline(y=made.clean_ssim, line_dash="dash", line_color=QUIET, annotation_text=f"the clean image, {made.clean_ssim:.3f}", annotation_position="bottom right")
    figure.update_xaxes(title_text="steps")
    figure.update_yaxes(title_text="SSIM to the corrupted image")
    st.plotly_chart(framed(figure, "Imitation, step by step", 320), width="stretch", key=f"imitation-{key}")
