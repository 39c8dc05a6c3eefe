"""How many images' weights are searched together: the fastest number that fits into memory (AdA, Appendix B.1)."""

import time
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.attacks import cross_entropy
from explorer.attacks.projected_gradient import loss_and_gradient
from explorer.errors import InvalidInput
from explorer.randomness import Streams
from explorer.sets import WeightBall

CANDIDATES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SHARE = 0.5  # of the free memory
WEIGHTS_AT_ONCE = 6  # δ, its gradient, their sum with the weights, and what a step makes of them
REPETITIONS = 2
WORSE = 0.9  # of the best speed: a search for the best number stops once it is so far behind


def nano_batch(ball: WeightBall, classifier: Callable[[Tensor], Tensor], image: Float[Tensor, "1 c h w"], largest: int, memory: int | None = None) -> int:
    """The number of images, at most `largest`, at which a pass through network and classifier takes the least time for each of them.

    `memory` is in bytes; without it half of what is free on the image's device. Raises InvalidInput where one image does not fit."""
    memory = int(SHARE * free_memory(image.device)) if memory is None else memory
    needed = bytes_for_one(ball, classifier, image)
    if needed > memory:
        raise InvalidInput(
            f"the search for the weights of one image takes about {needed / 1e6:,.0f} MB, of which {memory / 1e6:,.0f} MB may be used. "
            f"Choose a smaller network than this of {sum(layer.size for layer in ball.layers):,} weights, smaller images, or another device."
        )
    fitting = [each for each in CANDIDATES if each <= min(largest, memory // needed)]
    best, fastest = 1, 0.0
    for each in fitting:
        speed = each / _seconds(ball, classifier, image.expand(each, -1, -1, -1))
        if speed > fastest:
            best, fastest = each, speed
        elif speed < WORSE * fastest:
            break
    return best


def bytes_for_one(ball: WeightBall, classifier: Callable[[Tensor], Tensor], image: Float[Tensor, "1 c h w"]) -> int:
    """What a forward and backward pass of one image keeps: its activations, and its weights several times over."""
    kept: dict[tuple[int, int], int] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.data_ptr(), tensor.numel()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        _pass(ball, classifier, image)
    return sum(kept.values()) + 4 * WEIGHTS_AT_ONCE * sum(layer.size for layer in ball.layers)


def free_memory(device: torch.device) -> int:
    """Bytes."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return 2 << 30  # elsewhere unknown


def _seconds(ball: WeightBall, classifier: Callable[[Tensor], Tensor], images: Float[Tensor, "some c h w"]) -> float:
    best = float("inf")
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        _pass(ball, classifier, images)
        if images.is_cuda:
            torch.cuda.synchronize(images.device)
        best = min(best, time.perf_counter() - started)
    return best


def _pass(ball: WeightBall, classifier: Callable[[Tensor], Tensor], images: Float[Tensor, "some c h w"]) -> None:
    at = WeightBall(ball.model, ball.radius).at(images)
    delta = at.region.sample(Streams(0, range(len(images)), purpose="nano-batch"), "uniform-norm").to(images)
    labels = torch.zeros(len(images), dtype=torch.long, device=images.device)
    loss_and_gradient(at.perturb, cross_entropy(classifier, labels), delta)
