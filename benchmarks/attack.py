"""What projected gradient descent costs beyond the network it searches."""

import math
import statistics
import time

import torch
from torch import nn

from explorer.attacks import cross_entropy, pgd, squared_distance
from explorer.models import build_model
from explorer.randomness import Streams
from explorer.sets import LatentBall, LpBall

REPETITIONS = 7
STEPS = 40


def rows() -> list[dict]:
    """Wall time of `pgd` over that of as many gradients of the same network, in one interleaved run."""
    torch.manual_seed(0)
    cvae = build_model("rts_cvae", {}).eval()
    clean, target = torch.rand(2, 8, 1, 42, 42)
    lenet = nn.Sequential(  # 431,080 parameters, the network on which attack libraries are usually timed
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip
    images, labels = torch.rand(256, 1, 28, 28), torch.randint(10, (256,))
    loss = cross_entropy(lenet, labels)
    return [
        measure("latent ball, rts_cvae", LatentBall(cvae, 14.0).at(clean), squared_distance(target), 8),
        measure("l2 ball, LeNet", LpBall(2, 1.5).at(images), loss, 256),
        measure("linf ball, LeNet", LpBall(math.inf, 0.1).at(images), loss, 256),
    ]


def measure(name, perturbations, objective, batch) -> dict:
    streams = Streams(0, range(batch))
    delta = perturbations.region.sample(streams, "uniform")

    def search():
        pgd(perturbations, objective, steps=STEPS, step_size=0.05, streams=streams)

    def gradients():
        for _ in range(STEPS):
            point = delta.clone().requires_grad_()
            torch.autograd.grad(objective(perturbations.perturb(point)).sum(), point)

    search(), gradients()
    ours, peers = [], []
    for repetition in range(REPETITIONS):
        pair = [(search, ours), (gradients, peers)]
        for run, times in pair if repetition % 2 else pair[::-1]:
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    return {
        "benchmark": f"attack: {name}",
        "ratio": statistics.median(mine / other for mine, other in zip(ours, peers)),
        "limit": 1.05,
        "peer": f"{STEPS} × (forward and input gradient)",
        "details": {
            "steps": STEPS,
            "batch": batch,
            "repetitions": REPETITIONS,
            "seconds": statistics.median(ours),
            "peer_seconds": statistics.median(peers),
        },
    }
