"""All six metrics of a learned set, beside the bare network passes that they need."""

import statistics
import time

import torch

from explorer.data import PAIRS
from explorer.evaluation.approximation import SAMPLES, STEPS, pair_metrics
from explorer.metrics import binary_cross_entropy
from explorer.models import build_model
from explorer.papers import EXPERIMENTS
from explorer.sets import LatentBall

REPETITIONS, COUNT, RADIUS = 5, 100, 10.0


def rows() -> list[dict]:
    return [_row("mnist-rts-compact"), _row("mnist-linf-conv")]


def _row(name: str) -> dict:
    config = EXPERIMENTS[name].config
    pairs = PAIRS[config.pairs]()
    torch.manual_seed(0)
    images = torch.rand(COUNT, 1, 28, 28)
    clean, perturbed = pairs.clean(images), pairs.perturb(images, torch.rand(COUNT, pairs.draws((1, 28, 28))))
    model = build_model(config.model, config.model_config(pairs.image_shape((1, 28, 28)))).eval()

    def ours():
        pair_metrics(model, clean, perturbed, radius=RADIUS)

    def bare():
        """Two encoders; 7 decodings; 2 searches of so many gradients, each with its last iterate and its best one decoded."""
        with torch.no_grad():
            model.encode(clean, perturbed), model.prior(clean)
        perturb = LatentBall(model, RADIUS).at(clean).perturb
        delta = torch.randn(COUNT, model.latent_dim)
        with torch.no_grad():
            for _ in range(1 + SAMPLES + 1 + 2 * 2):
                binary_cross_entropy(perturb(delta), perturbed)
        for _ in range(2 * STEPS):
            point = delta.detach().requires_grad_()
            torch.autograd.grad(binary_cross_entropy(perturb(point), perturbed).sum(), point)

    times = {ours: [], bare: []}
    for repetition in range(REPETITIONS + 1):
        for run in times:
            started = time.perf_counter()
            run()
            if repetition:
                times[run].append(time.perf_counter() - started)
    return {
        "benchmark": f"six metrics, {name}, {COUNT} pairs, {STEPS} PGD steps",
        "ratio": statistics.median(a / b for a, b in zip(*times.values())),
        "limit": 1.05,
        "peer": "the encoders, decodings and gradients that they need, nothing else",
        "details": {"seconds": statistics.median(times[ours]), "peer_seconds": statistics.median(times[bare])},
    }
