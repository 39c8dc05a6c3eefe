"""What makes an attack's number mislead: classifiers without gradients, with chance in them, or that answer with probabilities."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.attacks import label_margin
from explorer.attacks.projected_gradient import loss_and_gradient
from explorer.errors import InvalidInput

FEW = 0.05  # of the images: so many without a gradient are told
MISLEADS = "the robust accuracy would mislead"


def attack_warnings(classifier: Callable[[Tensor], Tensor], x: Float[Tensor, "batch c h w"], labels: Int[Tensor, "batch"]) -> tuple[str, ...]:
    """A sentence for each thing that would make a survived attack mean little, from some images with their labels. Raises InvalidInput for
    answers that are no finite logits, one for each class."""
    logits = check_logits(classifier, x, labels)
    found = []
    with torch.no_grad():
        again = classifier(x)
    if not torch.allclose(logits, again, rtol=1e-4, atol=1e-5):
        modes = ": some of its layers are in training mode, call eval()" if isinstance(classifier, nn.Module) and any(each.training for each in classifier.modules()) else ""
        found.append(f"The classifier answers the same image differently each time{modes}. A search follows one answer and is judged by another: {MISLEADS}.")
    if logits.shape[1] > 1 and (logits >= 0).all() and ((logits.sum(1) - 1).abs() < 1e-3).all():
        found.append(f"The classifier answers with probabilities (they sum to 1), where logits are expected: gradients of the cross-entropy are then small, and {MISLEADS}. Take the softmax off.")
    correct = label_margin(logits, labels) < 0
    if correct.any():
        found += _without_gradient(classifier, x[correct], labels[correct])
    return tuple(found)


def check_logits(classifier: Callable[[Tensor], Tensor], x: Float[Tensor, "batch c h w"], labels: Int[Tensor, "batch"]) -> Float[Tensor, "batch classes"]:
    """The answers. Raises InvalidInput for another image size, another number of classes, NaN or infinite values."""
    try:
        with torch.no_grad():
            logits = classifier(x)
    except RuntimeError as error:
        raise InvalidInput(f"the classifier does not take images of shape {tuple(x.shape[1:])} ({str(error)[:200]}). Resize them, or choose another data set.") from error
    if logits.ndim != 2 or len(logits) != len(x):
        raise InvalidInput(f"expected one row of logits for each of {len(x)} images, got shape {tuple(logits.shape)}.")
    if labels.numel() and int(labels.max()) >= logits.shape[1]:
        raise InvalidInput(f"the classifier knows {logits.shape[1]} classes, the images have a label {int(labels.max())}. Choose its own data set.")
    if not logits.isfinite().all():
        raise InvalidInput("the classifier answers with NaN or infinite numbers. Check its weights and its normalisation.")
    return logits


def _without_gradient(classifier: Callable[[Tensor], Tensor], x: Tensor, labels: Tensor) -> list[str]:
    """Of images that are classified right."""
    vanished = {}
    goals = {"cross-entropy": lambda y: nn.functional.cross_entropy(classifier(y), labels, reduction="none"), "margin": lambda y: label_margin(classifier(y), labels)}
    for name, goal in goals.items():
        try:
            gradient = loss_and_gradient(lambda y: y, goal, x)[1]
            vanished[name] = int((gradient.flatten(1).abs().amax(1) < 1e-12).sum())
        except RuntimeError:  # nothing on the way has a gradient
            vanished[name] = len(x)
    if vanished["margin"] >= FEW * len(x) and vanished["margin"]:
        return [f"The gradient vanishes at {vanished['margin']} of {len(x)} images: PGD and AutoPGD stay where they begin, and {MISLEADS}. Use random-search or worst-of-all."]
    if vanished["cross-entropy"] >= FEW * len(x) and vanished["cross-entropy"]:
        return [f"The cross-entropy is so close to 0 that its gradient vanishes at {vanished['cross-entropy']} of {len(x)} images: attacks on it stay where they begin, and {MISLEADS}. Use an attack on the margin or the difference of logits ratio."]
    return []
