"""What projected gradient descent costs beyond the network it searches, and beside attack libraries where these are installed; and what a
whole curve of radii costs beside one radius."""

import importlib
import math
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from explorer.attacks import Attack, cross_entropy, pgd, squared_distance
from explorer.evaluation.attacks import attack_columns, curve_columns, curve_counts
from explorer.models import build_model
from explorer.papers.results import SHIPPED
from explorer.randomness import Streams
from explorer.sets import LatentBall, LpBall
from explorer.studies.classifiers import open_classifier

REPETITIONS, STEPS, BATCH = 7, 40, 256
EPSILON, STEP = 0.3, 0.01  # the attack on which libraries are usually timed
RADII = tuple(0.04 * number for number in range(1, 11))
CURVE_IMAGES, CURVE_REPETITIONS = 300, 3


def rows() -> Iterator[dict]:
    """Wall time of `pgd` over that of as many gradients of the same network, in one interleaved run."""
    torch.manual_seed(0)
    cvae = build_model("rts_cvae", {}).eval()
    clean, target = torch.rand(2, 8, 1, 42, 42)
    lenet = nn.Sequential(  # 431,080 parameters, the network on which attack libraries are usually timed
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip
    images, labels = torch.rand(BATCH, 1, 28, 28), torch.randint(10, (BATCH,))
    loss = cross_entropy(lenet, labels)
    yield measure("latent ball, rts_cvae", LatentBall(cvae, 14.0).at(clean), squared_distance(target), 8, 1.05)
    yield measure("l2 ball, LeNet", LpBall(2, 1.5).at(images), loss, BATCH, 1.05)
    yield measure("linf ball, LeNet", LpBall(math.inf, 0.1).at(images), loss, BATCH, 1.02)
    yield from beside_libraries(lenet.eval(), images, labels)
    yield curve_row()


def measure(name, perturbations, objective, batch, limit) -> dict:
    streams = Streams(0, range(batch))
    delta = perturbations.region.sample(streams, "uniform")

    def search():
        pgd(perturbations, objective, steps=STEPS, step_size=0.05, streams=streams)

    def gradients():
        for _ in range(STEPS):
            point = delta.clone().requires_grad_()
            torch.autograd.grad(objective(perturbations.perturb(point)).sum(), point)

    ours, peers = interleaved(search, gradients)
    return {
        "benchmark": f"attack: {name}",
        "ratio": statistics.median(mine / other for mine, other in zip(ours, peers)),
        "limit": limit,
        "peer": f"{STEPS} × (forward and input gradient)",
        "details": {"steps": STEPS, "batch": batch, "repetitions": REPETITIONS, "seconds": statistics.median(ours), "peer_seconds": statistics.median(peers)},
    }


def beside_libraries(model: nn.Module, images: Tensor, labels: Tensor) -> Iterator[dict]:
    """The same PGD by each library that is installed, and ours over the fastest of them."""
    attacks = {name: run for name, make in LIBRARIES.items() if (run := _installed(make, model, images, labels)) is not None}
    if not attacks:
        return

    def own():
        pgd(LpBall(math.inf, EPSILON).at(images), cross_entropy(model, labels), steps=STEPS, step_size=STEP / EPSILON, streams=Streams(0, range(len(images))))

    ours, *theirs = interleaved(own, *attacks.values())
    seconds = {name: statistics.median(times) for name, times in zip(attacks, theirs)}
    fastest = min(seconds, key=seconds.get)
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs[list(attacks).index(fastest)]))
    details = {"seconds": statistics.median(ours), "peer_seconds": seconds, "steps": STEPS, "batch": len(images)}
    yield {"benchmark": "attack: PGD beside libraries", "ratio": ratio, "limit": 1.0, "peer": f"the fastest of {', '.join(seconds)}: {fastest}", "details": details}


def _torchattacks(model: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], object]:
    attack = importlib.import_module("torchattacks").PGD(model, eps=EPSILON, alpha=STEP, steps=STEPS, random_start=True)
    return lambda: attack(images, labels)


def _foolbox(model: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], object]:
    foolbox = importlib.import_module("foolbox")
    attack, wrapped = foolbox.attacks.LinfPGD(abs_stepsize=STEP, steps=STEPS), foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    return lambda: attack(wrapped, images, labels, epsilons=EPSILON)


def _art(model: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], object]:
    estimators, evasion = importlib.import_module("art.estimators.classification"), importlib.import_module("art.attacks.evasion")
    wrapped = estimators.PyTorchClassifier(model, nn.CrossEntropyLoss(), tuple(images.shape[1:]), 10, clip_values=(0, 1), device_type="cpu")
    attack = evasion.ProjectedGradientDescentPyTorch(wrapped, eps=EPSILON, eps_step=STEP, max_iter=STEPS, num_random_init=1, batch_size=len(images), verbose=False)
    x, y = images.numpy(), labels.numpy()
    return lambda: attack.generate(x, y)


LIBRARIES = {"torchattacks": _torchattacks, "foolbox": _foolbox, "ART": _art}


def _installed(make: Callable, model: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], object] | None:
    try:
        return make(model, images, labels)
    except ImportError:
        return None


def curve_row() -> dict:
    """Ten radii in one pass beside the radius in their middle alone, on the shipped classifier of the digits."""
    opened = open_classifier(SHIPPED / "contextual_budgets" / "uniform-digits.safetensors")
    x, labels, attack, streams = opened.images.images[:CURVE_IMAGES], opened.images.labels[:CURVE_IMAGES], Attack("", steps=STEPS), Streams(0, range(CURVE_IMAGES))
    shares = [radius / RADII[-1] for radius in RADII]
    found = curve_columns(opened.model, x, labels, LpBall(math.inf, RADII[-1]), shares, attack, streams)

    def curve():
        curve_columns(opened.model, x, labels, LpBall(math.inf, RADII[-1]), shares, attack, streams)

    def one():
        attack_columns(opened.model, x, labels, LpBall(math.inf, RADII[4]), attack, streams)

    ours, peers = interleaved(curve, one, repetitions=CURVE_REPETITIONS)
    details = {
        "seconds": statistics.median(ours), "peer_seconds": statistics.median(peers), "searches": float(found["searches"].mean()), "images": CURVE_IMAGES,
        "robust": [each.robust for each in curve_counts(found, len(RADII))],
    }  # fmt: skip
    ratio = statistics.median(mine / other for mine, other in zip(ours, peers))
    return {"benchmark": f"attack: curve of {len(RADII)} radii", "ratio": ratio, "limit": 3.0, "peer": f"one radius, PGD of {STEPS} steps, {CURVE_IMAGES} images", "details": details}


def interleaved(*runs: Callable[[], object], repetitions: int = REPETITIONS) -> list[list[float]]:
    """The seconds of each, in turns of changing order, after one that does not count."""
    times: list[list[float]] = [[] for _ in runs]
    for repetition in range(repetitions + 1):
        pairs = list(zip(runs, times))
        for run, kept in pairs if repetition % 2 else pairs[::-1]:
            start = time.perf_counter()
            run()
            if repetition:
                kept.append(time.perf_counter() - start)
    return times
