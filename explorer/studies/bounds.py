"""What can be said about a classifier on all images near one: certified by bounds, and found by an attack."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.attacks import cross_entropy, pgd
from explorer.bounds import METHODS, Interval, bounds, layer_bounds, margin_rows, trace
from explorer.errors import InvalidInput
from explorer.evaluation.found_margins import RESTARTS, STEP_SIZE, STEPS, FoundMargins, found_margins, other_classes
from explorer.randomness import Streams
from explorer.registry import look_up
from explorer.sets import LpBall
from explorer.types import Progress, Silent, stop_if_cancelled

from .classifiers import OpenedClassifier

LIVE_METHODS = ("ibp", "crown-ibp")
NAMES = {"ibp": "IBP", "crown-ibp": "CROWN-IBP", "crown": "CROWN", "alpha-crown": "α-CROWN"}
LARGEST_FOR_CROWN, LARGEST_FOR_CROWN_IBP = 10_000, 60_000  # activations up to which they answer in seconds, and while dragging, on a CPU
GPU = 10  # so many times more on a GPU
TOLERANCE = 5e-4


@dataclass(frozen=True)
class Settings:
    """What is asked: the box is image ± radius, cut to [0, 1]; the attack takes so many steps from each of its random starts."""

    radius: float
    methods: tuple[str, ...] = tuple(METHODS)
    steps: int = STEPS
    restarts: int = RESTARTS
    seed: int = 0

    def __post_init__(self):
        check_radius(self.radius)
        for method in self.methods:
            look_up(METHODS, method, "method of bounds")


@dataclass(frozen=True)
class Margins:
    """A method's *certified* interval of f_label − f_other for each other class. Where all are above 0, no image of the box is
    classified otherwise."""

    lower: Float[Tensor, "others"]
    upper: Float[Tensor, "others"]

    @property
    def certified(self) -> bool:
        return bool((self.lower > 0).all())


@dataclass(frozen=True)
class BoundsStudy:
    """Margins of one image: on the image itself, certified by each method, and as the attack found them."""

    label: int
    others: Int[Tensor, "others"]
    clean: Float[Tensor, "others"]
    methods: dict[str, Margins]
    attack: FoundMargins


@dataclass(frozen=True)
class LayerWidth:
    """An operation of the network, with the mean and the largest width of its values' certified intervals."""

    name: str
    values: int
    mean: float
    largest: float


def study_bounds(classifier: nn.Module, image: Float[Tensor, "1 c h w"], label: int, settings: Settings) -> BoundsStudy:
    """Everything at one radius. Raises InvalidInput, UnknownName or UnsupportedOperation."""
    with torch.inference_mode():
        logits = classifier(image)
    others = other_classes(label, logits.shape[1])
    clean = (logits[0, label] - logits[0, others.to(image.device)]).clone()
    methods = certified_margins(classifier, image, label, settings.radius, settings.methods)
    attack = found_margins(classifier, image, label, LpBall(math.inf, settings.radius), steps=settings.steps, restarts=settings.restarts, seed=settings.seed)
    return BoundsStudy(label, others, clean.cpu(), methods, attack)


def certified_margins(classifier: nn.Module, image: Float[Tensor, "1 c h w"], label: int, radius: float, methods: tuple[str, ...], ends: str = "both") -> dict[str, Margins]:
    """The certified intervals of all margins over image ± radius, cut to [0, 1], by each method. `ends` as in `bounds`."""
    box = Interval.around(image, check_radius(radius), 0.0, 1.0)
    with torch.no_grad():
        network = trace(classifier, image)  # once for all methods
        rows = margin_rows(torch.tensor([label], device=image.device), network.nodes[network.output].shape[0])
        found = {method: bounds(network, box, method, rows, ends=ends) for method in methods}
    if unbounded := [NAMES[method] for method, each in found.items() if not (each.lower.isfinite() & each.upper.isfinite()).all()]:
        raise InvalidInput(f"the bounds by {', '.join(unbounded)} overflow at radius {radius:g}: the network's numbers grow beyond float32. Choose a smaller radius.")
    return {method: Margins(interval.lower[0].cpu(), interval.upper[0].cpu()) for method, interval in found.items()}


def activations(classifier: nn.Module, image: Float[Tensor, "1 c h w"]) -> int:
    """How many values go through a ReLU: CROWN propagates a row back for each that may change its sign."""
    return sum(layer.values for layer in layer_widths(classifier, image, 0.0, "ibp") if layer.name.endswith("relu"))


def affordable_methods(activations: int, device: torch.device) -> tuple[str, ...]:
    """Those that answer within seconds."""
    return tuple(METHODS) if activations <= LARGEST_FOR_CROWN * (GPU if device.type == "cuda" else 1) else LIVE_METHODS


def live_methods(activations: int, device: torch.device) -> tuple[str, ...]:
    """Those that follow a slider."""
    return LIVE_METHODS if activations <= LARGEST_FOR_CROWN_IBP * (GPU if device.type == "cuda" else 1) else LIVE_METHODS[:1]


def layer_widths(classifier: nn.Module, image: Float[Tensor, "1 c h w"], radius: float, method: str) -> tuple[LayerWidth, ...]:
    """How wide the certified intervals are, operation by operation, from the input to the logits."""
    with torch.no_grad():
        layers = layer_bounds(classifier, Interval.around(image, check_radius(radius), 0.0, 1.0), method)
    kept = [layer for layer in layers if layer.name not in ("reshape", "same")]  # they change no number
    widths = [(layer, layer.interval.width[0].double()) for layer in kept]
    return tuple(LayerWidth(_layer_name(layer), width.numel(), float(width.mean()), float(width.max())) for layer, width in widths)


def certified_radius(
    classifier: nn.Module, image: Float[Tensor, "1 c h w"], label: int, method: str, largest: float = 1.0, tolerance: float = TOLERANCE, progress: Progress | None = None
) -> float:
    """The largest radius up to `largest` that bisection finds certified; the true one may be larger, and is not certified by this
    method at that plus the tolerance. 0 where the image itself is classified otherwise. Raises Cancelled."""
    progress = progress or Silent()

    def certified(radius: float) -> bool:
        return certified_margins(classifier, image, label, radius, (method,), ends="lower")[method].certified

    low, high, total = 0.0, largest, math.ceil(math.log2(max(2.0, largest / tolerance)))
    if certified(largest):
        return largest
    for done in range(total):
        stop_if_cancelled(progress)
        middle = (low + high) / 2
        low, high = (middle, high) if certified(middle) else (low, middle)
        progress.advance(done + 1, total)
    return low


def worst_images(opened: OpenedClassifier, numbers: Sequence[int], radius: float, steps: int = 20) -> tuple[Float[Tensor, "n c h w"], Float[Tensor, "n c h w"]]:
    """Test images, and the worst of each box that PGD on the cross-entropy *found*."""
    chosen = opened.images[list(numbers)]
    images, labels = chosen.images.to(opened.device), chosen.labels.to(opened.device)
    found = pgd(LpBall(math.inf, check_radius(radius)).at(images), cross_entropy(opened.model, labels), steps=steps, step_size=STEP_SIZE, streams=Streams(0, numbers))
    return images.cpu(), found.perturbed.cpu()


def check_radius(radius: float) -> float:
    """Itself. Raises InvalidInput unless it is a number of pixel intensities, 0 to 1."""
    if not 0 <= radius <= 1:  # false for NaN
        raise InvalidInput(f"radius = {radius}: expected 0 to 1, in units of pixel intensity")
    return radius


def _layer_name(layer) -> str:
    return f"{layer.path} {layer.name}" if layer.path else layer.name
