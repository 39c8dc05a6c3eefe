"""The Certified VAE page's radius: bounds and latents that follow it while it is dragged, attack and certificate after the release."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
import torch

from explorer.bounds.elbo import ElboBounds, Graphs, elbo_bounds, record
from explorer.errors import InvalidInput
from explorer.figures.bounds import FOUND
from explorer.models import VAE
from explorer.papers.certified_vae import Settings, posterior_noise

from .certified_vae import Subject, on_device
from .certified_vae_link import Link, lowest_shown, own_radius, reach
from .certified_vae_work import View
from .live_elbo import live_elbo
from .live_intervals import LiveRadius, Series, committed_radius, live_intervals
from .live_scenes import SCENES, NumberScene
from .model_choice import Model
from .turns import TURNS

KEY = "certified_vae.live"
CERTIFIED = Series("certified", "certified for this noise (IBP)", "#3a7fc4")
CLEAN = Series("clean", "clean (this noise)", "white", "circle", fixed=True)
ATTACKED, RAISED = Series("attack", "lowest found (PGD attack)", FOUND, "diamond"), Series("raised", "highest found (PGD attack)", "#e8a317", "up")


def dragged_radius(link: Link, models: Sequence[Model], place: str) -> LiveRadius:
    """The radius that was committed last, or the link's."""
    opened = [each.opened for each in models]
    return committed_radius(KEY, place, own_radius(opened) if link.radius is None else link.radius, reach(opened))


def drag(link: Link, view: View) -> None:
    """The live control on these models and this image, with what the page knows at its radius."""
    opened = [each.opened for each in view.models]
    identity = "elbo", tuple(each.identity for each in view.models), view.subject.key, link.settings(0.0, view.subject.key)
    clean = [each.clean for each in view.explored]
    marks = {"clean": clean}
    series = [CLEAN]
    if found := view.found:
        marks["attack"] = [each.lowest.elbo for each in found]
        series.insert(0, ATTACKED)
        if link.raised:
            marks["raised"] = [each.highest.elbo for each in found]
            series.append(RAISED)
    if view.certificates:
        marks["certificate"] = [float(each.lower) for each in view.certificates]
        series.insert(0, Series("certificate", f"certificate of the expected ELBO, confidence {100 * link.confidence:g} %", "#b3561b", "tick"))
    radii = sorted({each.radius for each in opened if each.radius})
    live_intervals(
        token=SCENES.register(identity, lambda: _scene(view.models, view.subject, view.settings)),
        radius=view.radius,
        reach=reach(opened),
        ticks=[(radius, f"trained at {radius:g}") for radius in radii] if len(radii) < 2 else [(radius, f"{radius:g}") for radius in radii],
        axis=(lowest_shown(clean), 0.0),
        rows=[each.label for each in view.models],
        bars=[CERTIFIED],
        marks=series,
        unit="ELBO, nats",
        number="certified",
        committed={**_values(view.radius, [each.bounds for each in view.explored]), "marks": {key: [_short(value) for value in values] for key, values in marks.items()}},
        revision=view.revision,
        key=KEY,
        component=live_elbo,
    )


def plain_slider(models: Sequence[Model], radius: float, place: str) -> float:
    """Where no socket can be opened: a slider that answers on release."""
    st.warning("The live connection could not be opened, so the numbers follow on release only. A proxy may block WebSockets.")
    return st.slider("Radius", 0.0, reach([each.opened for each in models]), radius, step=0.001, format="%.3f", key=f"plain-radius-{place}")


def _scene(models: Sequence[Model], subject: Subject, settings: Settings) -> NumberScene:
    """The bounds at any radius, with the noise drawn once."""
    parts = []
    for each in models:
        image = on_device(each, subject.image)
        noise = posterior_noise(each.opened.model, [settings.key], settings.seed).to(image)
        parts.append((each.opened.model, image, noise, record(each.opened.model, image)))

    def compute(radius: float) -> dict[str, Any]:
        with TURNS.first():
            return _values(radius, [_bounds(*part, radius, settings) for part in parts])

    return NumberScene(compute, str(models[0].opened.device))


def _bounds(model: VAE, image: torch.Tensor, noise: torch.Tensor, graphs: Graphs, radius: float, settings: Settings) -> ElboBounds:
    with torch.inference_mode():
        return elbo_bounds(model, image, radius, noise, sigma0=settings.sigma0, clip=settings.clip, method=settings.method, graphs=graphs)


def _values(radius: float, found: Sequence[ElboBounds]) -> dict[str, Any]:
    """Plain numbers of all models, in the form of the live control. Raises InvalidInput where a bound is not finite."""
    ends = [[float(getattr(each.elbo, end)) for each in found] for end in ("lower", "upper")]
    if not torch.tensor(ends).isfinite().all():
        raise InvalidInput(f"A bound is not finite at radius {radius:g}; try a smaller one.")
    latents = [
        {"width": _list(each.mean.upper - each.mean.lower), "sigma": [_list(each.log_sigma.lower.exp()), _list(each.log_sigma.upper.exp())]} for each in found
    ]  # fmt: skip
    return {"radius": radius, "bars": {"certified": [[_short(value) for value in end] for end in ends]}, "latents": latents}


def _list(values: torch.Tensor) -> list[float]:
    return [_short(value) for value in values[0].tolist()]


def _short(value: float) -> float:
    return float(f"{value:.6g}")
