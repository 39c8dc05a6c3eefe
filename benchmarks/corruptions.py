"""Corruptions, structural similarity and searches over weights, beside libraries where these are installed, and beside plain passes.

Where the floor lies: weights of their own for each image cannot share what a convolution loads, so that a batch of such networks is at best as
fast as one network with shared weights."""

import importlib
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from explorer.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from explorer.metrics import ssim
from explorer.models import build_model
from explorer.randomness import Streams
from explorer.sets import WeightBall

REPETITIONS, PAIRS, IMAGES, EXAMPLES = 9, 256, 64, 8
PUBLISHED_MILLISECONDS, PUBLISHED_GLASS = 13.0, 5.2  # of all 19 and of glass blur alone, a mean over the severities, for an image on one core
CHUNKS = (1, 2, 4, 8)


def rows() -> Iterator[dict]:
    torch.manual_seed(0)
    yield from similarity()
    yield all_corruptions()
    for name, floor in (("completion_unet", 0.7), ("vq_vae", 0.7)):
        yield from weights_of_their_own(name, floor)


def similarity() -> Iterator[dict]:
    """Forward and backward of `ssim`, over pytorch-msssim's where it is installed."""
    x = torch.rand(PAIRS, 3, 32, 32)
    y = (x + 0.2 * torch.randn_like(x)).clamp(0, 1).requires_grad_()
    try:
        theirs = importlib.import_module("pytorch_msssim").ssim
    except ImportError:
        return
    ours, peer = interleaved([lambda: torch.autograd.grad(ssim(x, y).sum(), y), lambda: torch.autograd.grad(theirs(x, y, data_range=1, size_average=False).sum(), y)])
    yield row("ssim, forward and backward", ours / peer, 1.0, f"pytorch-msssim, {PAIRS} pairs of 3 × 32 × 32: {1e3 * peer:.1f} ms")


def all_corruptions() -> dict:
    """All 19 at all severities on one core; the published code's time is scaled by its glass blur's loop as it runs here."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    x = torch.nn.functional.interpolate(torch.rand(IMAGES, 3, 8, 8), (32, 32), mode="bilinear")
    pixels = (255 * x[0]).byte().movedim(0, -1).numpy().copy()

    def ours():
        for name in CORRUPTIONS:
            for severity in SEVERITIES:
                corrupt(x, name, severity, Streams(0, range(IMAGES), purpose="corruption"))

    own, loop = interleaved([ours, lambda: glass_loop(pixels)], repetitions=3)
    torch.set_num_threads(threads)
    own, published = own / IMAGES / len(SEVERITIES), loop / len(SEVERITIES) * PUBLISHED_MILLISECONDS / PUBLISHED_GLASS
    return row("corruptions: all 19, one core", own / published, 0.2, f"published code, scaled by its glass blur here: {1e3 * published:.1f} ms an image; ours {1e3 * own:.2f} ms")


def glass_loop(pixels: np.ndarray) -> None:
    """The published glass blur's moves of pixels, one by one in Python: 7 rounds for five severities, two of which take two."""
    for _ in range(7):
        for row_ in range(31, 1, -1):
            for column in range(31, 1, -1):
                right, down = np.random.randint(-1, 1, size=(2,))
                pixels[row_, column], pixels[row_ + down, column + right] = pixels[row_ + down, column + right], pixels[row_, column]


def weights_of_their_own(name: str, floor: float) -> Iterator[dict]:
    """Gradients with respect to each image's own weights: throughput over that of gradients of shared weights, at the best chunk; and over
    one image at a time."""
    model, x = build_model(name, {}).eval(), torch.rand(EXAMPLES, 3, 32, 32)
    parameters = list(model.parameters())
    searches = []
    for chunk in CHUNKS:
        at = WeightBall(model, 0.01, chunk).at(x)
        delta = at.region.sample(Streams(0, range(EXAMPLES)), "uniform-norm").requires_grad_()
        searches.append(lambda at=at, delta=delta: torch.autograd.grad(at.perturb(delta).square().sum(), delta))
    shared, *times = interleaved([lambda: torch.autograd.grad(model(x).square().sum(), parameters, allow_unused=True), *searches])
    best = min(times)
    yield row(f"weights: {name}, own over shared throughput", shared / best, floor, f"gradient of shared weights, batch {EXAMPLES}; best chunk {CHUNKS[times.index(best)]}; at least {floor:g}")
    yield row(f"weights: {name}, best chunk over one at a time", times[0] / best, 1.0, "at least")


def interleaved(works: list[Callable[[], object]], repetitions: int = REPETITIONS) -> list[float]:
    """Median seconds of each, taken in turns."""
    times: list[list[float]] = [[] for _ in works]
    for repetition in range(repetitions + 1):
        for work, own in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            if repetition:
                own.append(time.perf_counter() - start)
    return [statistics.median(own) for own in times]


def row(name: str, ratio: float, limit: float, peer: str) -> dict:
    return {"benchmark": name, "ratio": ratio, "limit": limit, "peer": peer}
