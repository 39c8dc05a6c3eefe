"""The controls of the Certify page: how much noise, how many votes, how sure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st
import torch

from explorer.figures import pixels
from explorer.randomness import generator
from explorer.studies.threats import THREATS

from .bounds import Subject
from .certify_link import CONFIDENCES, LARGEST_SIGMA, SAMPLES, SIGMAS, Link, share_needed
from .components import show_row
from .model_choice import Model
from .threat_choice import Chosen

NOISY_IMAGES, WIDTH = 5, 92


@dataclass(frozen=True, eq=False)
class View:
    """What the page shows: classifiers, the image, the set whose parameters get the noise, and σ."""

    models: Sequence[Model]
    subject: Subject
    threat: Chosen
    sigma: float
    revision: str

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.models[0].opened.class_names


def choose_smoothing(link: Link, revision: int) -> tuple[Link, float]:
    """The link with σ, votes, confidence and seed; and σ."""
    usual = SIGMAS[link.threat]
    first, second, third, fourth = st.columns([3, 1, 1, 1], vertical_alignment="bottom")
    sigma = first.slider("σ of the noise", 0.01, LARGEST_SIGMA, link.sigma or usual, 0.01, key=f"sigma-{link.threat}-{revision}", help=f"N(0, σ²I) in the set's parameters ({THREATS[link.threat].unit}).")
    samples = second.selectbox("Votes", SAMPLES, SAMPLES.index(link.samples), format_func="{:,}".format, key=f"samples-{revision}", help="For the certificate, after 100 others that choose the class.")
    confidence = third.selectbox("Confidence", CONFIDENCES, CONFIDENCES.index(link.confidence), format_func=lambda each: f"{100 * each:g} %", key=f"confidence-{revision}", help="1 − α: a certificate is wrong at most α of the time.")
    seed = fourth.number_input("Seed", 0, 10**9, link.seed, key=f"seed-{revision}", help="Of the noise.")
    link = replace(link, sigma=None if sigma == usual else sigma, samples=samples, confidence=confidence, seed=seed)
    return link, sigma


def show_noisy(link: Link, shown: View) -> None:
    """The image, and what the classifier is shown in its place."""
    opened, image = shown.models[0].opened, shown.subject.image.to(shown.models[0].opened.device)
    at = shown.threat.build(1.0, opened).at(image, torch.tensor([shown.subject.label], device=image.device))
    noise = torch.randn(NOISY_IMAGES, *at.region.shape, generator=generator("noisy pictures", link.seed)).to(image)
    with torch.inference_mode():
        noisy = at.of_rows(torch.zeros(NOISY_IMAGES, dtype=torch.long, device=image.device))(shown.sigma * noise)
        seen = opened.model(noisy).argmax(1).tolist()
    pictures = {"the image": pixels(shown.subject.image)[0]}
    pictures |= {f"{number + 1}: seen as {shown.class_names[label]}": picture for number, (picture, label) in enumerate(zip(pixels(noisy), seen))}
    show_row(pictures, WIDTH)
    st.caption(f"With noise of σ = {shown.sigma:g} the classifier sees such images. At least {100 * share_needed(link):.1f} % of {link.samples:,} votes have to agree before any radius is certified.")
