"""What the URL of the Contextual budgets page says, and what of it the chosen models can show."""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from explorer.bounds import METHODS
from explorer.models import BudgetedClassifier
from explorer.papers.contextual_budgets.exploration import METHOD, SOURCES
from explorer.studies.classifiers import OpenedClassifier

from .image_choice import Choice
from .links import Checks
from .live_budgets import BudgetState, Slider, is_drawing
from .run_each import COUNTS

PAGE = "contextual_budgets"
Panel = Literal["Numbers", "Worst images", "Largest boxes", "Class means", "Test set"]
MAX_MODELS, MAX_LANES = 2, 4
STEPS = (0, 10, 20, 40, 100)
SMALLEST_REACH, REACH = 0.1, 3  # the slider's end: so many times the volume of the training
ALPHAS, ALPHA_BARS = (0.01, 1.0), (1.0, 16.0)
USUAL = {"volume": 0.1, "alpha": 0.5, "alpha_bar": 2.0}  # MNIST's range (Budgets, §4.1), where the checkpoint has none


@dataclass(frozen=True)
class Link:
    """The page's settings, as they stand in its URL. Without volume, alpha or alpha_bar they are the first model's own. `sources` are the
    kinds of budgets beside each other, without them those that the models have; `drawing`, `base` and `keep` are what was drawn; `method`
    is the proof's, `steps` and `seed` the attack's; `scale` and `channel` the maps'; `measure` and
    `count` are those of a run over test images, 0 for all."""

    model: tuple[str, ...] = ()
    choice: Choice = "First images"
    image: int = 0
    draw: int = 0
    label: str = ""
    volume: float | None = None
    alpha: float | None = None
    alpha_bar: float | None = None
    sources: tuple[str, ...] = ()
    drawing: str = ""
    base: Literal["learned", "uniform"] = "learned"
    keep: bool = True
    scale: Literal["range", "absolute", "paper"] = "range"
    channel: int = 0
    method: str = METHOD
    steps: int = 20
    seed: int = 0
    panel: Panel = "Numbers"
    measure: Literal["errors", "volumes", "followed"] = "errors"
    count: int = 100


def generates(opened: OpenedClassifier) -> bool:
    """Whether it has budgets of its own."""
    return isinstance(opened.model, BudgetedClassifier)


def own(opened: OpenedClassifier) -> dict[str, float]:
    """Volume and range that a classifier was trained with; of a uniform one the radius, and MNIST's range."""
    volume = opened.radius or USUAL["volume"]
    if not generates(opened):
        return {**USUAL, "volume": volume}
    return {"volume": volume, "alpha": opened.model.alpha, "alpha_bar": opened.model.alpha_bar}


def reach(models: Sequence[OpenedClassifier]) -> float:
    """The largest volume that the slider shows."""
    return round(min(1.0, max(SMALLEST_REACH, REACH * max(each.radius for each in models))), 3)


def sliders(models: Sequence[OpenedClassifier], drawn: bool = False) -> list[Slider]:
    """Volume and range, with the trained ones marked. Without a generator the range concerns nothing but what is drawn."""
    low, disabled = 0.001, "" if drawn or any(map(generates, models)) else "Without a generator there is no range. It also holds for what you draw: choose drawn budgets."
    marks = {key: sorted({own(each)[key] for each in models if key == "volume" or generates(each)}) for key in USUAL}

    def ticks(key: str, word: str) -> list[tuple[float, str]]:
        return [(at, f"{word} {at:.3g}" if len(marks[key]) == 1 else f"{at:.3g}") for at in marks[key] if at > 0]

    shrunk = "The generator's budgets are brought to the volume: where they are too large they shrink towards α·ε0 and ᾱ has no effect, where they are too small they grow towards ᾱ·ε0 and α has none (§3.3)"
    return [
        Slider("volume", "Volume ε0", low, reach(models), ticks("volume", "trained at"), False, low, "pixel", help="The geometric mean of the budgets of all pixels"),
        Slider("alpha", "α: no budget below α·ε0", *_including(ALPHAS, marks["alpha"]), ticks("alpha", "trained at"), disabled=disabled, help=shrunk),
        Slider("alpha_bar", "ᾱ: no budget above ᾱ·ε0", *_including(ALPHA_BARS, marks["alpha_bar"]), ticks("alpha_bar", "trained at"), disabled=disabled, help=shrunk),
    ]


def checked(link: Link, models: Sequence[OpenedClassifier]) -> tuple[Link, list[str]]:
    """The link with every value that these models do not have replaced, and a sentence for each."""
    checks, images = Checks(link), models[0].images
    channels, height, width = models[0].model.image_shape
    checks.subject(len(images), images.class_names)
    for each in sliders(models):
        value = getattr(link, each.key)
        checks.refuse(each.key, value is not None and not each.low <= value <= each.high, f"expected {each.low:g} to {each.high:g}")
    for name, known in {"sources": SOURCES, "method": METHODS, "steps": STEPS, "count": COUNTS}.items():
        checks.among(name, known)
    checks.refuse("channel", not 0 <= link.channel <= (channels if channels > 1 else 0), f"these images have {channels}")
    checks.refuse("drawing", bool(link.drawing) and unpacked(link.drawing, height * width) is None, f"no drawing of {height} × {width} pixels")
    return checks.link, checks.problems


def given_state(link: Link, models: Sequence[OpenedClassifier]) -> BudgetState:
    """What the link asks for, in the form of the live control."""
    pixels = models[0].model.image_shape[1] * models[0].model.image_shape[2]
    numbers = {key: value if (value := getattr(link, key)) is not None else _cut(own(models[0])[key], slider) for key, slider in zip(USUAL, sliders(models))}
    base = link.base if any(map(generates, models)) else "uniform"
    return BudgetState(**numbers, steps=unpacked(link.drawing, pixels) or b"", base=base, keep=link.keep, scale=link.scale, channel=link.channel)


def with_state(link: Link, state: BudgetState, models: Sequence[OpenedClassifier]) -> Link:
    """The link of what was committed; the model's own numbers are left out of it."""
    usual = given_state(replace(link, volume=None, alpha=None, alpha_bar=None, base=Link.base), models)
    numbers = {key: None if getattr(state, key) == getattr(usual, key) else getattr(state, key) for key in USUAL}
    return replace(link, **numbers, drawing=packed(state.steps), base=Link.base if state.base == usual.base else state.base, keep=state.keep, scale=state.scale, channel=state.channel)


def packed(steps: bytes) -> str:
    """A drawing as text for a URL."""
    return base64.urlsafe_b64encode(zlib.compress(steps, 9)).decode().rstrip("=") if any(steps) else ""


def unpacked(text: str, pixels: int) -> bytes | None:
    """A drawing of so many pixels from its text; None for anything else."""
    try:
        steps = zlib.decompressobj().decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), pixels + 1)
    except (ValueError, zlib.error):
        return None
    return steps if is_drawing(steps, pixels) else None


def _cut(value: float, slider: Slider) -> float:
    return min(max(value, slider.low), slider.high)


def _including(ends: tuple[float, float], values: Sequence[float]) -> tuple[float, float]:
    return min(ends[0], *values, ends[0]), max(ends[1], *values, ends[1])
