"""A training step of a learned set, beside forward, backward and optimiser of the bare network on fixed tensors."""

import statistics
import time

import torch

from explorer.data import RtsPairs
from explorer.metrics import binary_cross_entropy
from explorer.models import build_model, kl_divergence
from explorer.papers import EXPERIMENTS
from explorer.training import PiecewiseLinear, cvae_loss, fit

REPETITIONS, STEPS = 9, 3


def rows() -> list[dict]:
    return [_row("mnist-rts"), _row("mnist-rts-compact")]


def _row(name: str) -> dict:
    config = EXPERIMENTS[name].config
    pairs, images = RtsPairs(), torch.rand(config.batch_size, 1, 28, 28)
    shape = pairs.image_shape((1, 28, 28))
    ours, bare = (build_model(config.model, config.model_config(shape)) for _ in range(2))
    bare.load_state_dict(ours.state_dict())
    optimisers = [torch.optim.Adam(model.parameters()) for model in (ours, bare)]
    clean, perturbed = pairs.clean(images), pairs.perturb(images, torch.rand(len(images), 4))
    noise = torch.randn(len(images), config.latent_dim)

    def batches(generator):
        for _ in range(STEPS):
            yield pairs.clean(images), pairs.perturb(images, torch.rand(len(images), 4, generator=generator))

    def our_steps():
        schedules = {key: PiecewiseLinear(getattr(config, key)) for key in ("learning_rate", "beta")}
        fit(ours, cvae_loss(config.likelihood), batches, epochs=1, batches_per_epoch=STEPS, optimiser=optimisers[0], schedules=schedules,
            generator=torch.Generator(), validate=lambda _: {}, after_epoch=lambda _: None)  # fmt: skip

    def bare_steps():
        bare.train()
        for _ in range(STEPS):
            decoded, posterior, prior = bare(clean, perturbed, noise)
            loss = (binary_cross_entropy(decoded, perturbed) + kl_divergence(posterior, prior)).mean()
            optimisers[1].zero_grad()
            loss.backward()
            optimisers[1].step()

    times = {our_steps: [], bare_steps: []}
    for repetition in range(REPETITIONS + 1):
        for steps in times:
            started = time.perf_counter()
            steps()
            if repetition:
                times[steps].append((time.perf_counter() - started) / STEPS)
    return {
        "benchmark": f"training step, {name}, batch {config.batch_size}",
        "ratio": statistics.median(a / b for a, b in zip(*times.values())),
        "limit": 1.1,
        "peer": "forward, backward and Adam of the bare network, pairs made beforehand",
        "details": {"seconds": statistics.median(times[our_steps]), "peer_seconds": statistics.median(times[bare_steps])},
    }
