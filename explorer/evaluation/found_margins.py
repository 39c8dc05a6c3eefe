"""The smallest margins of one image that a search finds in a box around it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.attacks import margin, pgd
from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.sets import PerturbationSet
from explorer.types import Progress

STEPS, RESTARTS = 20, 2
STEP_SIZE = 0.25  # as a share of the box's half-widths


@dataclass(frozen=True, eq=False)
class FoundMargins:
    """For each other class the smallest margin that was *found*, so that the true minimum is at most this, and the image where the
    smallest of them all is."""

    margins: Float[Tensor, " others"]
    worst: Float[Tensor, "1 c h w"]

    @property
    def succeeded(self) -> bool:
        return bool((self.margins < 0).any())


def found_margins(
    classifier: nn.Module,
    image: Float[Tensor, "1 c h w"],
    label: int,
    box: PerturbationSet,
    *,
    steps: int = STEPS,
    restarts: int = RESTARTS,
    seed: int = 0,
    progress: Progress | None = None,
) -> FoundMargins:
    """PGD on f_label − f_other for each other class, in their order; each point found counts for every class, and so does the image
    itself. Raises InvalidInput, or Cancelled."""
    with torch.no_grad():
        logits = classifier(image)
    others = other_classes(label, logits.shape[1]).to(image.device)
    clean = logits[0, label] - logits[0, others]
    copies, labels = image.expand(len(others), -1, -1, -1), torch.full_like(others, label)
    found = pgd(
        box.at(copies), margin(classifier, labels, others), steps=steps, step_size=STEP_SIZE, maximise=False, restarts=restarts,
        streams=Streams(seed, others.tolist()), progress=progress,
    )  # fmt: skip
    with torch.no_grad():
        logits = classifier(found.perturbed)
    margins = logits[:, [label]] - logits[:, others]
    worst = found.perturbed[[int(margins.amin(1).argmin())]] if margins.min() < clean.min() else image
    return FoundMargins(torch.minimum(clean, margins.amin(0)).cpu(), worst.cpu())


def other_classes(label: int, classes: int) -> Tensor:
    """All but the label, in their order. Raises InvalidInput for a label that is none of them."""
    if not 0 <= label < classes:
        raise InvalidInput(f"label = {label}: expected 0 to {classes - 1}")
    return torch.tensor([each for each in range(classes) if each != label])
