"""What the URL of the Manifold directions page says."""

from dataclasses import dataclass, replace
from typing import Literal

from explorer.errors import ConfigurationError
from explorer.evaluation.gaussian_plane import Given, PlaneSettings

from .image_choice import Choice

PAGE = "manifold_directions"
Panel = Literal["Gaussian", "One image", "Spectra", "Attack × defence"]
STEPS = (1, 5, 10, 20, 40, 100)
PLANE = ("first", "second", "angle", "off", "on", "given", "latents")


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. Those of the Gaussian as in PlaneSettings; with given=multiplier `off` and `on` are L.
    `radius` and `latent_radius` are those of the attacks on one image, the paper's without them, by so many `steps` in pixels and in
    latents. `split` parts large eigenvalues from small ones, at 30 without it or earlier where there are few; `spectrum` names the class whose spectrum is drawn, "" all classes' mean."""

    panel: Panel = "Gaussian"
    first: float = 1.0
    second: float = 0.1
    angle: float = 30.0
    off: float = 0.15
    on: float = 0.3
    given: Given = "radius"
    latents: int = 2
    model: str = ""
    choice: Choice = "First images"
    image: int = 0
    draw: int = 0
    label: str = ""
    radius: float | None = None
    latent_radius: float | None = None
    steps: int = 40
    latent_steps: int = 1
    seed: int = 0
    split: int | None = None
    spectrum: str = ""
    measured: tuple[str, ...] = ()
    dataset: str = ""


def plane_of(link: Link) -> PlaneSettings:
    return PlaneSettings(**{name: getattr(link, name) for name in PLANE})


def checked_plane(link: Link) -> tuple[Link, list[str]]:
    """The link with a Gaussian that can be drawn, and a sentence where it could not."""
    try:
        plane_of(link)
    except ConfigurationError as error:
        return replace(link, **{name: getattr(Link(), name) for name in PLANE}), [f"The link's Gaussian cannot be drawn ({'; '.join(error.problems)}). The default is shown instead."]
    return link, []

