"""A batch of AdA beside the passes that its search consists of; AugMix beside the same operations in Pillow."""

import random

import numpy as np
import torch
from PIL import Image, ImageOps

from explorer.attacks import cross_entropy
from explorer.attacks.projected_gradient import loss_and_gradient
from explorer.models import build_model
from explorer.papers.adversarial_augmentation.search import adversarial_corruptions
from explorer.randomness import Streams
from explorer.sets import WeightBall
from explorer.training import AugMix

from .corruptions import interleaved, row

IMAGES, NANO_BATCH, STEPS = 32, 16, 10


def rows():
    yield adversarial_step()
    yield mixtures()


def adversarial_step() -> dict:
    """Search, line search and all, over as many passes through network and classifier, forward and backward, with each image's own weights."""
    torch.manual_seed(0)
    network, classifier = build_model("completion_unet", {}).eval(), build_model("preact_resnet", {"stem": 16, "widths": (16, 32, 64), "depths": (1, 1, 1)}).eval()
    x, labels = torch.rand(IMAGES, 3, 32, 32), torch.arange(IMAGES) % 10
    ball = WeightBall(network, 0.015, NANO_BATCH)
    parts = [(ball.at(x[first : first + NANO_BATCH]), labels[first : first + NANO_BATCH]) for first in range(0, IMAGES, NANO_BATCH)]
    deltas = [at.region.sample(Streams(0, range(NANO_BATCH)), "uniform-norm") for at, _ in parts]

    def passes():
        for (at, own), delta in zip(parts, deltas, strict=True):
            for _ in range(STEPS):
                loss_and_gradient(at.perturb, cross_entropy(classifier, own), delta)

    search, bare = interleaved([lambda: adversarial_corruptions(classifier, ball, x, labels, streams=Streams(0, range(IMAGES)), steps=STEPS), passes])
    return row(f"AdA (U-Net), {STEPS} steps, {IMAGES} images", search / bare, 1.1, f"{STEPS} forward and backward passes with each image's own weights; {1e3 * search / IMAGES:.0f} ms an image")


def mixtures() -> dict:
    x = torch.rand(256, 3, 32, 32)
    pictures = [Image.fromarray(each.mul(255).byte().permute(1, 2, 0).numpy()) for each in x]
    ours, pillow = interleaved([lambda: AugMix()(x, torch.Generator().manual_seed(0)), lambda: [_mixed(each) for each in pictures]])
    return row("AugMix, 256 images of 32 × 32", ours / pillow, 1.0, f"one image after the other in Pillow; ours {1e6 * ours / 256:.0f} µs an image")


def _mixed(image: Image.Image) -> np.ndarray:
    weights, share = np.random.dirichlet([1.0] * 3), np.random.beta(1.0, 1.0)
    mixed = np.zeros((32, 32, 3), dtype=np.float32)
    for weight in weights:
        changed = image
        for _ in range(random.randint(1, 3)):
            changed = random.choice(OPERATIONS)(changed, random.uniform(0.1, 3.0))
        mixed += weight * np.asarray(changed, dtype=np.float32) / 255
    return (1 - share) * np.asarray(image, dtype=np.float32) / 255 + share * mixed


def _affine(*matrix):
    return lambda image, level: image.transform(image.size, Image.AFFINE, [each(level) if callable(each) else each for each in matrix], resample=Image.BILINEAR)


OPERATIONS = (
    lambda image, level: ImageOps.autocontrast(image),
    lambda image, level: ImageOps.equalize(image),
    lambda image, level: ImageOps.posterize(image, 4 - int(level * 0.4)),
    lambda image, level: ImageOps.solarize(image, 256 - int(level * 25.6)),
    lambda image, level: image.rotate(int(level * 3), resample=Image.BILINEAR),
    _affine(1, lambda level: 0.03 * level, 0, 0, 1, 0),
    _affine(1, 0, 0, lambda level: 0.03 * level, 1, 0),
    _affine(1, 0, lambda level: int(level * 32 / 30), 0, 1, 0),
    _affine(1, 0, 0, 0, 1, lambda level: int(level * 32 / 30)),
)
