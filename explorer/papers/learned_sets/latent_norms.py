"""How far from the centre real perturbations lie, by class and by what was done to the image (Perturbation sets, Figures 6 and 7)."""

from collections.abc import Iterator

import torch

from explorer.errors import ExplorerError
from explorer.evaluation import encode_pairs
from explorer.evaluation.latent_space import LatentNorms, linear_read_out
from explorer.types import Progress, stop_if_cancelled

from .exploration import LearnedSet

BATCH = 128
PAIRS_PER_LATENT = 8  # with fewer, half of them say little about a linear function of all latents


def latent_norms(learned: LearnedSet, limit: int | None, progress: Progress) -> Iterator[LatentNorms]:
    """The norms of the test pairs so far, after each batch; the read-out comes with the last. Raises Cancelled, or ExplorerError
    where an encoding is not finite."""
    total = len(learned.pairs) if limit is None else min(limit, len(learned.pairs))
    deltas, batches = [], []
    for first in range(0, total, BATCH):
        stop_if_cancelled(progress)
        batch = learned.pairs.fixed(range(first, min(first + BATCH, total)))
        encoded = encode_pairs(learned.checkpoint.model, *batch.to(learned.device).both)
        if broken := int((~encoded.norms.isfinite()).sum()):
            raise ExplorerError(f"not finite: the encoding of {broken} pairs after pair {first}. The model may have diverged.")
        deltas.append(encoded.delta.cpu())
        batches.append((batch.scenes.cpu(), batch.types.cpu(), batch.values.cpu()))
        progress.advance(first + len(batch), total)
        yield _collected(learned, torch.cat(deltas), *map(torch.cat, zip(*batches)), last=first + BATCH >= total)


def _collected(learned, delta, scenes, types, values, last):
    parameters = dict(zip(learned.pairs.parameter_names, values.unbind(1)))
    enough = last and len(delta) >= PAIRS_PER_LATENT * delta.shape[1]
    read_out = {name: linear_read_out(delta, value) for name, value in parameters.items()} if enough else {}
    return LatentNorms(delta.norm(dim=1), learned.images.labels[scenes], learned.images.class_names, parameters, read_out, types, learned.pairs.type_names)
