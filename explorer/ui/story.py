"""What a demo shows, step by step: a page, its settings, and what to do there."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One page of the story. `query` are the settings it opens with; `text` says what to do and what is to be seen."""

    title: str
    page: str
    text: str
    query: Mapping[str, str] = field(default_factory=dict)


STORY = (
    Step(
        "Drag",
        "learned_sets",
        "A perturbation set, learned from pairs of images. **Drag the dot or a slider**: each point of the ball is this digit, turned, scaled or moved. Then drag the radius: the set shrinks to the digit itself.",
        {"model": "digits-rts", "image": "3"},
    ),
    Step(
        "Interpolate",
        "learned_sets",
        "Between two real perturbations of a digit lies a path inside the set. **Move the frame**, or press play.",
        {"model": "digits-rts", "image": "3", "panel": "Interpolation", "stops": "0,1,2"},
    ),
    Step(
        "Attack",
        "attack",
        "In the same set a search looks for the member that fools a classifier. **Drag the radius** and see where its answer changes; below, the path of the search frame by frame.",
        {"model": "robust-digits-rts-pairs", "threat": "latent", "radius": "2.5"},
    ),
    Step(
        "Certify",
        "certify",
        "Now the other side: votes under random noise in the latents prove a radius within which the smoothed answer **cannot** change, whatever the attack.",
        {"model": "robust-digits-rts-pairs", "threat": "latent", "sigma": "0.25"},
    ),
    Step(
        "Compare",
        "attack",
        "Two classifiers under one attack in pixels: the first learned from clean images, the second from attacked ones. **Drag the radius** until the first one falls.",
        {"model": "lenet-digits-standard,lenet-digits-pgd", "threat": "linf", "radius": "0.1", "panel": "This image", "image": "1"},
    ),
)
