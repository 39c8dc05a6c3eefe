"""Looking at one image through a classifier and its generator of budgets: how much each pixel may change, which margins are proved in that
box, and what an attack finds there (Budgets, §3)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.bounds import METHODS, Graph, Interval, bounds, margin_rows, trace
from explorer.data import ImageDataset
from explorer.errors import ConfigurationError, InvalidInput
from explorer.evaluation import class_means
from explorer.evaluation.found_margins import RESTARTS, STEPS, FoundMargins, found_margins, other_classes
from explorer.metrics import budget_range, log_volume, refine_volume, volume_problems
from explorer.models import BudgetedClassifier
from explorer.registry import look_up
from explorer.sets import BudgetBox
from explorer.sets.budget_box import DrawnBudgets
from explorer.types import Progress

SOURCES = {"learned": "learned", "uniform": "uniform", "mean": "class mean", "drawn": "drawn"}
BASES = ("learned", "uniform")  # what is drawn upon
SMALLEST = 1e-6  # budget that somebody may draw, and the smallest volume of the controls
METHOD = "crown-ibp"  # of the paper's verified errors


@dataclass(frozen=True)
class Settings:
    """The threat model that is asked for: volume ε0 and range [α·ε0, min(ᾱ·ε0, 1)] (eqs. 4 and 5), and the method of the proof."""

    volume: float
    alpha: float
    alpha_bar: float
    method: str = METHOD

    def __post_init__(self):
        if found := volume_problems(self.volume, self.alpha, self.alpha_bar):
            raise ConfigurationError(found)
        look_up(METHODS, self.method, "method of bounds")


@dataclass(frozen=True, eq=False)
class Drawing:
    """What somebody drew: a factor for the budget of each pixel, in octaves, on top of the learned or the uniform budgets. With `keep` the
    result is brought back to the range and to the volume; without, it has the volume that it happens to have."""

    octaves: Float[Tensor, "height width"]
    base: str = "learned"
    keep: bool = True

    def __post_init__(self):
        look_up(dict.fromkeys(BASES), self.base, "budgets to draw on")
        if not self.octaves.isfinite().all():
            raise InvalidInput("the drawing holds numbers that are not finite. Clear it and draw again.")


@dataclass(frozen=True, eq=False)
class Surroundings:
    """One image of one classifier, ready for many boxes: everything that no budget changes. `shares` is the generator's g(x), and
    `class_shares` that of other images of the class; None where there is no generator, or no such images. `towards` holds for each other
    class the signs of the gradient of f_label − f_other at the image."""

    model: nn.Module
    graph: Graph
    image: Float[Tensor, "1 c h w"]
    label: int
    clean: Float[Tensor, " others"]
    towards: Float[Tensor, "others c h w"]
    shares: Float[Tensor, "1 c h w"] | None
    class_shares: Float[Tensor, "n c h w"] | None

    @property
    def sources(self) -> tuple[str, ...]:
        """Which budgets there are for this image."""
        return tuple(name for name in SOURCES if name in ("uniform", "drawn") or (self.shares if name == "learned" else self.class_shares) is not None)


@dataclass(frozen=True, eq=False)
class Explored:
    """Budgets of one image with what is known of the box x ± ε, cut to [0, 1]: for each other class, in their order, f_label − f_other is
    *certified* to be at least `certified` everywhere in it, and was *found* to be as small as `found` somewhere."""

    budgets: Float[Tensor, "1 c h w"]
    certified: Float[Tensor, " others"]
    found: Float[Tensor, " others"]

    @property
    def volume(self) -> float:
        """The geometric mean of the budgets."""
        return math.exp(float(log_volume(self.budgets)))

    @property
    def verdict(self) -> str:
        """*attack found* where some image of the box is classified otherwise, *certified* where none is, *open* where neither is known."""
        if bool((self.found < 0).any()):
            return "attack found"
        return "certified" if bool((self.certified > 0).all()) else "open"


def surroundings(model: nn.Module, image: Float[Tensor, "1 c h w"], label: int, same_class: Float[Tensor, "n c h w"] | None = None) -> Surroundings:
    """Run once for an image what the boxes do not change. `same_class` are images whose budgets a class mean is over. Raises InvalidInput
    for a label that the classifier does not have and for images of another size, or UnsupportedOperation."""
    if tuple(image.shape[1:]) != model.image_shape:
        raise InvalidInput(f"the classifier takes images of shape {tuple(model.image_shape)}, got {tuple(image.shape[1:])}. Resize or crop the image.")
    with torch.enable_grad():
        x = image.detach().requires_grad_()
        logits = model(x)[0]
        others = other_classes(label, len(logits)).to(logits.device)
        clean = logits[label] - logits[others]
        towards = torch.cat([torch.autograd.grad(each, x, retain_graph=True)[0].sign() for each in clean])
    generates = isinstance(model, BudgetedClassifier)
    with torch.no_grad():
        shares = model.generator(image) if generates else None
        class_shares = model.generator(same_class.to(image)) if generates and same_class is not None and len(same_class) else None
        return Surroundings(model, trace(model, image), image.detach(), label, clean.detach(), towards, shares, class_shares)


def budgets_of(around: Surroundings, source: str, settings: Settings, drawing: Drawing | None = None) -> Float[Tensor, "1 c h w"]:
    """ε of each pixel, before the box is cut to [0, 1]. A class mean is the geometric one, which keeps range and volume. Raises InvalidInput
    where this classifier or image has no such budgets, or UnknownName."""
    look_up(SOURCES, source, "kind of budgets")
    if source not in around.sources:
        missing = "images of the class" if source == "mean" and around.shares is not None else "generator of budgets"
        raise InvalidInput(f"there are no {SOURCES[source]} budgets here: no {missing}. Choose uniform or drawn ones.")
    lower, upper = budget_range(settings.volume, settings.alpha, settings.alpha_bar)

    def generated(shares: Tensor) -> Tensor:
        return refine_volume(lower + (upper - lower) * shares, settings.volume, lower, upper)

    uniform = torch.full_like(around.image, math.log(settings.volume))
    if source == "uniform":
        return uniform.exp()
    if source == "learned":
        return generated(around.shares).exp()
    if source == "mean":
        return generated(around.class_shares).mean(0, keepdim=True).exp()
    return _drawn(uniform if around.shares is None or (drawing and drawing.base == "uniform") else generated(around.shares), drawing, settings.volume, lower, upper)


def explore(around: Surroundings, sources: Sequence[str], settings: Settings, drawing: Drawing | None = None) -> dict[str, Explored]:
    """Everything in milliseconds: the budgets of each source, the margins that are proved in their boxes, and those that one step of the
    attack finds. Raises InvalidInput or UnknownName."""
    found = {source: budgets_of(around, source, settings, drawing) for source in sources}
    if not found:
        return {}
    return dict(zip(found, examined(around, torch.cat(list(found.values())), settings.method)))


def examined(around: Surroundings, budgets: Float[Tensor, "n c h w"], method: str = METHOD) -> list[Explored]:
    """The margins in each of several boxes around the image. Raises InvalidInput where a bound overflows."""
    count = len(budgets)
    rows = margin_rows(torch.tensor([around.label], device=budgets.device), len(around.clean) + 1).expand(count, -1, -1).to(budgets)
    with torch.no_grad():
        box = Interval.around(around.image.expand(count, -1, -1, -1), budgets, 0.0, 1.0)
        certified = bounds(around.graph, box, method, rows, ends="lower").lower
        if not certified.isfinite().all():
            raise InvalidInput("a bound overflows: the network's numbers grow beyond float32 in this box. Choose a smaller volume.")
        found = _one_step(around, budgets, rows)
    certified = torch.minimum(certified, found)  # of a box that is a point, rounding can part them
    return [Explored(*each) for each in zip(budgets.split(1), certified, found)]


def attacked(
    around: Surroundings, explored: Explored, *, steps: int = STEPS, restarts: int = RESTARTS, seed: int = 0, progress: Progress | None = None
) -> FoundMargins:
    """PGD in the box; it finds nothing less than the one step has. Raises Cancelled."""
    box = BudgetBox(DrawnBudgets(explored.budgets))
    found = found_margins(around.model, around.image, around.label, box, steps=steps, restarts=restarts, seed=seed, progress=progress)
    if found.margins.min() <= explored.found.cpu().min():
        return FoundMargins(torch.minimum(found.margins, explored.found.cpu()), found.worst)
    return FoundMargins(torch.minimum(found.margins, explored.found.cpu()), worst_of_one_step(around, explored.budgets).cpu())


def worst_of_one_step(around: Surroundings, budgets: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c h w"]:
    """The image of the box with the smallest margin among the ends of one step for each other class, and the image itself."""
    points = torch.cat([around.image, (around.image - budgets * around.towards).clamp(0, 1)])
    with torch.no_grad():
        return points[[int(_margins(around, around.model(points)).amin(1).argmin())]]


def mean_budgets(model: BudgetedClassifier, images: ImageDataset, count: int, volume: float, alpha: float, alpha_bar: float) -> Float[Tensor, "classes c h w"]:
    """The geometric mean of the budgets of each class, over its first `count` images: range and volume are kept. NaN where it has none."""
    numbers = torch.cat([(images.labels == label).nonzero().flatten()[:count] for label in range(len(images.class_names))])
    chosen, device = images[numbers], next(model.parameters()).device
    with torch.no_grad():
        logs = torch.cat([model.budgets(part.to(device), volume, alpha, alpha_bar).log().cpu() for part in chosen.images.split(200)])
    return class_means(logs, chosen.labels, len(images.class_names)).exp()


def _one_step(around: Surroundings, budgets: Float[Tensor, "n c h w"], rows: Float[Tensor, "n others classes"]) -> Float[Tensor, "n others"]:
    """Down the gradient at the image to the corner of the box, for each other class; each corner counts for every class."""
    corners = (around.image - budgets.unsqueeze(1) * around.towards).clamp(0, 1)
    logits = around.model(corners.flatten(0, 1)).unflatten(0, corners.shape[:2])
    return torch.minimum(around.clean, (logits @ rows.mT).amin(1))


def _margins(around: Surroundings, logits: Float[Tensor, "n classes"]) -> Float[Tensor, "n others"]:
    others = other_classes(around.label, logits.shape[1]).to(logits.device)
    return logits[:, [around.label]] - logits[:, others]


def _drawn(log_budgets: Float[Tensor, "1 c h w"], drawing: Drawing | None, volume: float, lower: float, upper: float) -> Float[Tensor, "1 c h w"]:
    if drawing is None:
        return log_budgets.exp()
    if drawing.octaves.shape != log_budgets.shape[2:]:
        size, own = ("×".join(map(str, each)) for each in (drawing.octaves.shape, log_budgets.shape[2:]))
        raise InvalidInput(f"the drawing is for images of {size} pixels, these have {own}. Clear it and draw again.")
    raised = log_budgets + math.log(2) * drawing.octaves.to(log_budgets)
    if drawing.keep:
        return refine_volume(raised.clamp(lower, upper), volume, lower, upper).exp()
    return raised.clamp(math.log(SMALLEST), 0.0).exp()
