"""A small training with all that couples the examples of a batch: batch norm, drawn noise, a search, shortened gradients, worse weights.

As a script: one of several processes that share it. python shared_training.py FOLDER; the first one leaves its state after each epoch there."""

import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from explorer.randomness import generator as seeded
from explorer.sets import LpBall
from explorer.training import AugMix, WeightAscent, attacked, augmixed, changed, distributed, fit, in_turn

IMAGES, BATCH, EPOCHS = 21, 10, 2  # the last batch has one image


def data():
    draw = torch.Generator().manual_seed(7)
    return torch.rand(IMAGES, 1, 6, 6, generator=draw), torch.randint(3, (IMAGES,), generator=draw)


def network():
    torch.manual_seed(3)
    layers = nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
    return nn.Sequential(*layers).double()


def in_double(model, batch, state):
    return batch[0].double(), *batch[1:]


def noisy(model, batch, state):
    """Cross-entropy at inputs with noise that is drawn for each image."""
    images, labels = batch
    noise = state.draws(len(images), lambda count: torch.randn(count, *images.shape[1:], generator=state.generator, dtype=images.dtype))
    return F.cross_entropy(model(images + 0.1 * noise), labels, reduction="none")


def train(after_epoch, model=None, optimiser=None, generator=None, start=0):
    """Returns the model, its optimiser and its generator."""
    model, generator = model or network(), generator or seeded("training", 0)
    optimiser = optimiser or torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    images, labels = data()

    def batches(draw):
        for chosen in torch.randperm(IMAGES, generator=draw).split(BATCH):
            yield images[chosen], labels[chosen]

    attack = attacked(LpBall(math.inf, 0.05), steps=2, step_size=0.5)
    fit(
        model, noisy, batches, epochs=EPOCHS, batches_per_epoch=3, optimiser=optimiser, schedules={"learning_rate": lambda epoch: 0.05}, generator=generator,
        validate=lambda epoch: {"validation": 0.0}, after_epoch=lambda epoch: after_epoch(epoch, model, optimiser, generator), start=start, clip_norm=1.0,
        prepare=in_turn(augmixed(AugMix()), in_double, changed(attack)), ascent=WeightAscent(0.05, "whole"),
    )  # fmt: skip
    return model


def kept(epoch, model, optimiser, generator):
    """All that a training goes on from."""
    moments = [optimiser.state[each]["momentum_buffer"] for each in model.parameters()]
    return {"loss": epoch.loss, "model": {k: v.clone() for k, v in model.state_dict().items()}, "moments": moments, "generator": generator.get_state()}


if __name__ == "__main__":
    with distributed.joined(torch.device("cpu")):
        train(lambda epoch, *rest: torch.save(kept(epoch, *rest), Path(sys.argv[1]) / f"{epoch.done}.pt"))
