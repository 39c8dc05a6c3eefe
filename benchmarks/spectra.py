"""Spectra of ten classes of 784 pixels each: eigenvalues alone, and with directions, energies and bands."""

import statistics
import time
from collections.abc import Callable, Iterator

import torch

from explorer.evaluation.spectra import attack_energy, class_eigenvalues, spectrum

CLASSES, PIXELS, IMAGES, REPETITIONS = 10, 784, 10_000, 5


def rows() -> Iterator[dict]:
    draw = torch.Generator().manual_seed(0)
    images = torch.rand(IMAGES, PIXELS, generator=draw) * torch.linspace(1, 0.01, PIXELS)
    labels, delta = torch.arange(IMAGES) % CLASSES, torch.randn(IMAGES, PIXELS, generator=draw)
    yield _row("eigenvalues", lambda: class_eigenvalues(images, labels, CLASSES))

    def energies() -> None:
        turned = torch.empty(delta.shape, dtype=torch.float64)
        for label in range(CLASSES):
            own = labels == label
            turned[own] = delta[own].double() @ spectrum(images[own]).directions.T
        attack_energy(turned, torch.eye(PIXELS, dtype=torch.float64), torch.Generator().manual_seed(0))

    yield _row("directions, energies and bands", energies, 5.0)


def _row(what: str, run: Callable[[], object], limit: float = 2.0) -> dict:
    times = []
    for repetition in range(REPETITIONS + 1):
        started = time.perf_counter()
        run()
        if repetition:
            times.append(time.perf_counter() - started)
    return {"benchmark": f"spectra of {CLASSES} classes × {PIXELS}: {what}", "value": statistics.median(times), "limit": limit, "peer": f"seconds, {IMAGES:,} images", "details": {"all": times}}
