"""Boxes that are proved, attacked with many restarts; and the largest certified box beside the published scheme for it.

The peer is Liu et al.'s (2019) augmented Lagrangian as published: ε = v² for every pixel, 400 steps from 0.001, the multipliers renewed
every 5, the penalty times 5 every 80, at the end shrunk by 1 % until it is certified. Its command has two optimisers: gradient descent at
0.001, its default, which the growing penalty can throw off; and Adam, at 0.01 the better of both here. Both are run; the shorter time and
each image's larger volume count. Its bound, linear with parallel
slopes for every layer and met with intervals, is computed by this package, which knows convolutions where the published one multiplies
dense matrices; and its margins are merged and its box is cut to [0, 1] as ours: all in its favour. BUDGETS_CHECKPOINT names another
classifier than the shipped one."""

import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.attacks import pgd
from explorer.bounds import Graph, Interval, bounds, margin_rows, trace
from explorer.checkpoints import describe
from explorer.evaluation import half_widths, largest_certified_volume, verified
from explorer.papers.contextual_budgets.opening import OpenedBudgets, open_budgets
from explorer.papers.results import SHIPPED
from explorer.randomness import Streams
from explorer.sets import BudgetBox
from explorer.sets.budget_box import DrawnBudgets

VARIABLE = "BUDGETS_CHECKPOINT"
EXAMPLES, RESTARTS, STEPS, STEP_SIZE = 1000, 100, 10, 0.3
LARGEST = 200  # examples whose largest boxes are attacked
IMAGES = 4  # of the comparison
PUBLISHED = {"iterations": 400, "start": 1e-3, "renewed": 5, "penalty": 1.0, "grows": 5.0, "every": 80, "margin": 1e-4, "shrinks": 0.99}
OPTIMISERS = {"gradient descent": (torch.optim.SGD, 1e-3), "Adam": (torch.optim.Adam, 1e-2)}


@dataclass(frozen=True)
class Attacked:
    """How many examples were proved, in how many of them a search left the class, and the smallest margin that it found."""

    proved: int
    broken: int
    smallest: float


def rows() -> Iterator[dict]:
    opened = chosen()
    images, labels = several_images(opened, EXAMPLES)
    with torch.no_grad():
        trained = half_widths(opened.boxes(), images)
    yield _soundness("boxes of its training", opened, images, labels, trained)
    found = largest_certified_volume(opened.model, images[:LARGEST], labels[:LARGEST])
    yield _soundness("largest certified boxes", opened, *(each[found.certified] for each in (images[:LARGEST], labels[:LARGEST], found.budgets)))
    yield from compare(opened, images, labels)


def chosen() -> OpenedBudgets:
    """The classifier that the variable names, else the first shipped one, those with budgets of their own before others, MNIST before digits."""
    if name := os.environ.get(VARIABLE):
        return open_budgets(name)
    paths = sorted((SHIPPED / "contextual_budgets").glob("*.safetensors"), key=_order)
    return next(each for each in map(open_budgets, paths) if each.note is None)


def several_images(opened: OpenedBudgets, count: int) -> tuple[Tensor, Tensor]:
    """Test images with their labels, then others of the data set where these are too few."""
    parts = [opened.images, *(opened.data.load(split) for split in ("validation", "train"))]
    return torch.cat([each.images for each in parts])[:count], torch.cat([each.labels for each in parts])[:count]


def attack_proved(model: nn.Module, images: Tensor, labels: Tensor, budgets: Tensor, restarts: int, batch: int = 250) -> Attacked:
    """PGD on the smallest margin from many random starts in every box x ± budgets that ibp or crown-ibp proves."""
    margins = []
    for start in range(0, len(images), batch):
        x, y, drawn = (each[start : start + batch] for each in (images, labels, budgets))
        proved = torch.stack(list(verified(model, x, y, BudgetBox(DrawnBudgets(drawn))).values())).any(0)
        if proved.any():
            box, streams = BudgetBox(DrawnBudgets(drawn[proved])), Streams(0, (start + proved.nonzero()[:, 0]).tolist())
            found = pgd(box.at(x[proved]), _lost_margin(model, y[proved]), steps=STEPS, step_size=STEP_SIZE, restarts=restarts, streams=streams)
            margins.append(-found.loss)
    smallest = torch.cat(margins) if margins else torch.empty(0)
    return Attacked(len(smallest), int((smallest <= 0).sum()), float(smallest.min()) if len(smallest) else float("nan"))


def compare(opened: OpenedBudgets, images: Tensor, labels: Tensor) -> Iterator[dict]:
    """Time per image and volume, ours and the published scheme's, on the first images that are certified at all."""
    model, name = opened.model, opened.checkpoint.header.name
    certain = largest_certified_volume(model, images[:50], labels[:50], iterations=1).certified.nonzero()[:IMAGES, 0]
    x, y = images[certain], labels[certain]
    network = trace(model, x)
    start = time.perf_counter()
    ours = largest_certified_volume(network, x, y)
    seconds = time.perf_counter() - start
    peers, peer_times = {}, {}
    for optimiser in OPTIMISERS:
        start = time.perf_counter()
        peers[optimiser] = published_scheme(network, x, y, optimiser).double().log().flatten(1).mean(1)
        peer_times[optimiser] = time.perf_counter() - start
    peer_seconds, volumes = min(peer_times.values()), torch.stack(list(peers.values())).amax(0)
    clean = statistics.median(_clean_pass(model, x) for _ in range(9))
    details = {
        "model": name, "images": len(x), "seconds_per_image": seconds / len(x), "peer_seconds_per_image": peer_seconds / len(x),
        "log_volume": ours.log_volume.tolist(), "peer_log_volume": {name: each.tolist() for name, each in peers.items()}, "iterations": ours.iterations.tolist(),
        "clean_passes_of_a_peer_iteration": peer_seconds / PUBLISHED["iterations"] / clean,
    }  # fmt: skip
    peer = f"400 iterations of Liu et al.'s scheme, {peer_seconds / len(x):.3g} s an image; ours {seconds / len(x):.3g} s; {name}"
    yield {"benchmark": "budgets: largest certified box, time", "ratio": seconds / peer_seconds, "limit": 0.05, "peer": peer, "details": details}
    worst = float((volumes - ours.log_volume).max())
    both = f"log volume, published − ours, largest of {len(x)} images; means {float(volumes.mean()):.4f}, {float(ours.log_volume.mean()):.4f}"
    yield {"benchmark": "budgets: largest certified box, volume", "value": worst, "limit": 0.0, "peer": both, "details": details}


def published_scheme(network: Graph, x: Tensor, labels: Tensor, optimiser: str) -> Tensor:
    """Certified budgets of each image by the scheme as published; capped at 1, beyond which a budget changes nothing."""
    rows_ = margin_rows(labels, network.nodes[network.output].shape[0])

    def margins(budgets: Tensor) -> Tensor:
        return bounds(network, Interval.around(x, budgets, 0.0, 1.0), "crown", rows_, slopes="same", ends="lower").lower

    root = torch.full_like(x, PUBLISHED["start"] ** 0.5).requires_grad_()
    kind, rate = OPTIMISERS[optimiser]
    descent, penalty = kind([root], lr=rate), PUBLISHED["penalty"]
    multipliers = torch.zeros(rows_.shape[:2])
    for step in range(1, PUBLISHED["iterations"] + 1):
        budgets = root * root
        violation = torch.minimum(margins(budgets) - PUBLISHED["margin"], -multipliers / penalty)
        loss = -budgets.log().sum() + (multipliers * violation).sum() + penalty / 2 * violation.square().sum()
        descent.zero_grad()
        loss.backward()
        descent.step()
        if step % PUBLISHED["renewed"] == 0:
            multipliers = (multipliers + penalty * violation).detach()
        if step % PUBLISHED["every"] == 0:
            penalty *= PUBLISHED["grows"]
    with torch.no_grad():
        budgets = (root * root).clamp(max=1.0)
        while (wrong := ~(margins(budgets) > 0).all(1)).any():
            budgets = torch.where(wrong.view(-1, 1, 1, 1), PUBLISHED["shrinks"] * budgets, budgets)
    return budgets


def _soundness(what: str, opened: OpenedBudgets, images: Tensor, labels: Tensor, budgets: Tensor) -> dict:
    start = time.perf_counter()
    found = attack_proved(opened.model, images, labels, budgets, RESTARTS)
    name = opened.checkpoint.header.name
    peer = f"proved boxes that PGD left ({found.proved} of {len(images)} proved, {RESTARTS} restarts of {STEPS} steps, smallest margin {found.smallest:.3g}; {name})"
    details = {"model": name, "examples": len(images), "proved": found.proved, "restarts": RESTARTS, "steps": STEPS, "smallest_margin": found.smallest, "seconds": time.perf_counter() - start}
    return {"benchmark": f"budgets: soundness, {what}", "value": float(found.broken), "limit": 0.0, "peer": peer, "details": details}


def _lost_margin(model: nn.Module, labels: Tensor):
    """The largest other logit − f_label: above 0 exactly where the class is left."""

    def objective(perturbed: Tensor) -> Tensor:
        logits = model(perturbed)
        return logits.scatter(1, labels[:, None], -torch.inf).amax(1) - logits.gather(1, labels[:, None]).squeeze(1)

    return objective


def _clean_pass(model: nn.Module, x: Tensor) -> float:
    start = time.perf_counter()
    with torch.no_grad():
        model(x)
    return time.perf_counter() - start


def _order(path: Path) -> tuple:
    header = describe(path)
    return header.model != "budgeted_classifier", header.dataset.get("name") != "mnist", path.name
