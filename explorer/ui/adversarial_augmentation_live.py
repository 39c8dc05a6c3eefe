"""The Adversarial augmentation page's ν: one long step of the search follows it while it is dragged, and the whole search after the release."""

from typing import Any

import streamlit as st
import torch

from explorer.figures import pixels
from explorer.figures.bounds import FOUND
from explorer.figures.theory import ACCENT
from explorer.papers.adversarial_augmentation.exploration import PathSettings, Seen, one_step
from explorer.papers.adversarial_augmentation.opening import PAPERS_RADIUS

from .adversarial_augmentation import ChosenNetwork
from .adversarial_augmentation_link import PAGE, REACH, Link
from .adversarial_augmentation_work import View
from .attack_live import STEP_COLOUR, between, logits_note, numbers, pictures
from .live_attack import live_attack, packed
from .live_intervals import LiveRadius, Series, committed_radius, live_intervals
from .live_scenes import SCENES, NumberScene
from .turns import TURNS

KEY = f"{PAGE}.live"
MARKS = (Series("clean", "the image itself", "white", "circle", fixed=True), Series("step", "one step, live", STEP_COLOUR, "diamond"), Series("attack", "the search, guarded", FOUND, "diamond"))
BARS = (Series("moved", "moved by the search", ACCENT),)


def dragged_radius(link: Link, place: str) -> LiveRadius:
    """The ν that was committed last, or the link's."""
    return committed_radius(KEY, place, PAPERS_RADIUS if link.radius is None else link.radius, REACH)


def drag(shown: View) -> None:
    """The live control on the first classifier and this image, with what the page knows at its ν."""
    first, subject, names = shown.models[0].opened, shown.subject, shown.class_names
    clean = first.logits(subject.image)[0]
    committed: dict[str, Any] = {
        "radius": shown.settings.radius, "marks": {"clean": numbers(clean)}, "bars": {}, "notes": {"clean": logits_note(clean, subject.label, names)},
        "pictures": {"clean": packed(pixels(subject.image)[0])}, "factor": 1,
        "about": {"unit": "of each layer's norm (ν)", "fraction": False, "size": list(subject.image.shape[2:]), "how": "the search, guarded"},
    }  # fmt: skip
    if shown.path:
        found = shown.path.guarded
        committed["marks"]["attack"], committed["notes"]["attack"] = numbers(found.logits), _note(found, subject.label, names)
        committed["bars"]["moved"] = between(clean, found.logits)
        committed |= pictures(subject.image.cpu(), found.image)
        committed["pictures"]["clean"] = packed(pixels(subject.image)[0])
    extent = max(1e-3, float(clean.abs().max()), *([float(shown.path.logits.abs().max())] if shown.path else []))
    live_intervals(
        token=SCENES.register(("worst weights", shown.models[0].identity, subject.identity, shown.network.identity, shown.settings.ssim_limit, shown.settings.seed), lambda: _scene(shown)),
        radius=shown.settings.radius, reach=REACH, step=0.0005, ticks=[(PAPERS_RADIUS, "AdA")], axis=(-1.15 * extent, 1.15 * extent), rows=list(names), bars=BARS, marks=MARKS,
        unit="logit", number="", committed=committed, revision=shown.revision, key=KEY, component=live_attack,
    )  # fmt: skip


def _scene(shown: View) -> NumberScene:
    """One step at any ν; at 0 what the network makes of the image with its own weights."""
    first, subject, network, limit, seed = shown.models[0].opened, shown.subject, shown.network, shown.settings.ssim_limit, shown.settings.seed
    image, names, clean = subject.image.to(first.device), first.class_names, first.logits(subject.image)[0]

    def compute(radius: float) -> dict[str, Any]:
        with TURNS.first():
            seen = one_step(first.model, network.backbone.ball(radius), image, subject.label, PathSettings(radius, 1, limit, seed))[0] if radius > 0 else _own(network, first.model, image)
        return {
            "radius": radius, "marks": {"step": numbers(seen.logits)}, "bars": {"moved": between(clean, seen.logits)}, "notes": {"step": _note(seen, subject.label, names)},
            **pictures(subject.image.cpu(), seen.image),
        }  # fmt: skip

    return NumberScene(compute, str(first.device))


@torch.no_grad()
def _own(network: ChosenNetwork, classifier: torch.nn.Module, image: torch.Tensor) -> Seen:
    made = network.backbone.model(image).clamp(0, 1)
    return Seen(made.cpu(), classifier(made)[0].cpu(), float("nan"))


def _note(seen: Seen, label: int, names: tuple[str, ...]) -> dict[str, Any]:
    note = logits_note(seen.logits, label, names)
    return note if seen.ssim != seen.ssim else {**note, "text": f"{note['text']}, SSIM {seen.ssim:.3f}"}


def warn_of_loss(shown: View) -> None:
    """Says what the SSIM is where the image would be lost without the guard."""
    if shown.path and shown.path.lost:
        st.warning(
            f"At ν = {shown.settings.radius:g} hardly anything of the image is left: its SSIM is {float(shown.path.ssim[-1]):.3f} (1 is the clean image). The guard goes back to γ = {float(shown.path.line.gamma[0]):.3f}, where it is {shown.path.guarded.ssim:.3f}. Choose a smaller ν."
        )
