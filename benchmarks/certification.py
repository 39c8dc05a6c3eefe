"""Smoothing beside the bare forward passes that it needs; and attacks inside certified radii, in pixels and in latents.

Test and training images of the embedded digits are certified with noise in their pixels, and those of turned, scaled and moved digits with
noise in the latents of the set that was learned of these; both by shipped classifiers. The attack climbs on the mean of the softmax over fixed draws of the noise (Salman et al., 2019) from
many random starts; it succeeds where the smoothed classifier, with its own votes and confidence, then answers with another class."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.attacks import label_margin, pgd
from explorer.data import load_dataset
from explorer.models import build_model
from explorer.papers.results import SHIPPED
from explorer.randomness import Streams
from explorer.sets import L2Ball, LatentBall, LpBall, Perturbations
from explorer.sets.lp_ball import Shift
from explorer.smoothing import ABSTAIN, Certificates, best_batch_size, certify, predict
from explorer.smoothing.sampling import BLOCK
from explorer.studies.classifiers import open_classifier

CLASSIFIERS = {  # and the data that they are shown
    "pixels": (SHIPPED / "contextual_budgets" / "uniform-digits-0.2.safetensors", "digits"),
    "latents": (SHIPPED / "manifold_directions" / "robust-digits-rts-pairs.safetensors", "framed_digits"),
}
LEARNED = SHIPPED / "learned_sets" / "digits-rts.safetensors"
SIGMA_PIXELS, SIGMA_LATENTS = 0.25, 0.25
CERTIFIED, RESTARTS, STEPS, DRAWS = 1000, 50, 3, 2
SAMPLES, CONFIDENCE = 200, 0.999
REPETITIONS = 7


@dataclass(frozen=True)
class Attacked:
    """How many images were certified, of how many the smoothed classifier answered with another class at the strongest point found, and how
    many it abstained from there."""

    certified: int
    broken: int
    abstained: int


def rows() -> Iterator[dict]:
    yield time_row("lenet5", (1, 28, 28), 4, 9984)
    yield time_row("resnet32", (3, 32, 32), 1, 960)
    yield soundness_row("pixels", SIGMA_PIXELS)
    yield soundness_row("latents", SIGMA_LATENTS)


def attack_certified(
    classifier: nn.Module, at: Perturbations, found: Certificates, *, sigma: float, restarts: int, steps: int, votes: int, draws: int = DRAWS, confidence: float = CONFIDENCE, first: int = 0
) -> Attacked:
    """PGD on the smoothed classifier within the certified radius of each image that has one."""
    rows_ = ((found.labels != ABSTAIN) & (found.radius > 0)).nonzero()[:, 0]
    if not rows_.numel():
        return Attacked(0, 0, 0)
    labels, radius, shape = found.labels[rows_], found.radius[rows_].float(), at.region.shape
    streams = Streams(1, (first + rows_).tolist(), purpose="attack on a certificate")
    noise = sigma * streams.normal((draws, *shape))
    copies = at.of_rows(rows_.repeat_interleave(draws))

    def margin(delta: Tensor) -> Tensor:
        logits = classifier(copies((delta[:, None] + noise).flatten(0, 1)))
        return label_margin(logits.softmax(1).view(len(delta), draws, -1).mean(1), labels)

    ball = Perturbations(L2Ball(radius, shape), nn.Identity())
    strongest = pgd(ball, margin, steps=steps, step_size=1.0, restarts=restarts, streams=streams)
    moved = Perturbations(ball.region, nn.Sequential(Shift(strongest.delta), *at.of_rows(rows_)) if isinstance(at.perturb, nn.Sequential) else nn.Sequential(Shift(strongest.delta), at.of_rows(rows_)))
    seen = predict(classifier, moved, sigma=sigma, streams=streams, samples=votes, confidence=confidence).labels
    return Attacked(len(rows_), int(((seen != labels) & (seen != ABSTAIN)).sum()), int((seen == ABSTAIN).sum()))


def soundness_row(where: str, sigma: float, batch: int = 100) -> dict:
    """Images are certified, and attacked, until there are enough."""
    file, data = CLASSIFIERS[where]
    started, classifier = time.perf_counter(), open_classifier(file).model
    images = torch.cat([load_dataset(data, split).images for split in ("test", "validation", "train")])
    total = [0, 0, 0]
    for first in range(0, len(images), batch):
        at = set_of(where).at(images[first : first + batch])
        streams = Streams(0, range(first, min(first + batch, len(images))))
        found = certify(classifier, at, sigma=sigma, streams=streams, samples=SAMPLES, confidence=CONFIDENCE)
        attacked = attack_certified(classifier, at, found, sigma=sigma, restarts=RESTARTS, steps=STEPS, votes=SAMPLES, first=first)
        total = [one + other for one, other in zip(total, (attacked.certified, attacked.broken, attacked.abstained))]
        if total[0] >= CERTIFIED:
            break
    peer = f"certificates that {RESTARTS} starts of PGD broke, of {total[0]:,} images in {where}, σ = {sigma:g}; abstained there: {total[2]}"
    details = {"certified": total[0], "broken": total[1], "abstained": total[2], "restarts": RESTARTS, "steps": STEPS, "samples": SAMPLES, "sigma": sigma, "seconds": time.perf_counter() - started}
    return {"benchmark": f"certification: attacks inside the radius, {where}", "value": total[1], "limit": 0, "peer": peer, "details": details}


def set_of(where: str) -> LpBall | LatentBall:
    """The radius plays no part: noise goes anywhere."""
    if where == "pixels":
        return LpBall(2, 1.0)
    from explorer.checkpoints import load

    return LatentBall(load(Path(LEARNED)).model, 1.0)


def time_row(name: str, shape: tuple[int, int, int], images: int, samples: int) -> dict:
    """Certifying images, beside the network alone on batches of the same size, whose noise is there already. Of a small network the noise is
    a large part: some nanoseconds for each pixel, whatever the network costs."""
    torch.manual_seed(0)
    model = build_model(name, {}).eval().requires_grad_(False)
    at, streams = LpBall(2, 1.0).at(torch.rand(images, *shape)), Streams(0, range(images))
    size = best_batch_size(model, at, sigma=0.5, streams=streams)
    noisy, ours, bare = torch.randn(size, *shape), [], []

    def smoothing() -> None:
        certify(model, at, sigma=0.5, streams=streams, samples=samples, selection=BLOCK, batch_size=size, early=False)

    @torch.inference_mode()
    def passes() -> None:
        for total in (images * BLOCK, images * samples):
            for first in range(0, total, size):
                model(noisy[: min(size, total - first)])

    for repetition in range(REPETITIONS + 1):
        for run, times in ((smoothing, ours), (passes, bare)):
            started = time.perf_counter()
            run()
            if repetition:
                times.append(time.perf_counter() - started)
    details = {"batch_size": size, "samples": images * samples, "seconds": statistics.median(ours), "peer_seconds": statistics.median(bare)}
    return {
        "benchmark": f"certification: {name}, {images} image{'s' if images > 1 else ''}", "ratio": statistics.median(a / b for a, b in zip(ours, bare)), "limit": 1.03,
        "peer": f"as many bare forward passes at the best batch size, {size}", "details": details,
    }  # fmt: skip
