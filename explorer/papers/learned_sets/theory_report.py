"""What the theorems promise of a learned set on its test pairs, beside what is measured (Perturbation sets, §4.1, Appendix A)."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.attacks import pgd
from explorer.errors import ExplorerError
from explorer.evaluation import Likelihood, Measured, Objective, corollary2, encode_pairs, likelihood, measure_objective, theorem1, theorem2
from explorer.metrics import squared_error
from explorer.models import ConditionalVAE
from explorer.randomness import Streams
from explorer.sets import L2Ball, LatentBall
from explorer.types import Inner, Progress, stop_if_cancelled

from .exploration import LearnedSet

FIRST, BATCH, SAMPLES, DRAWS, STEPS = 2, 10, 16, 64, 20


@dataclass(frozen=True, eq=False)
class TheoryReport:
    """Assumption 1's quantities of each pair, what was measured for it, and its likelihood under draws from the normal truncated to
    the set's radius (Definition 2, with N(g, I))."""

    objective: Objective
    measured: Measured
    likelihood: Likelihood

    @property
    def expected_error(self) -> Float[Tensor, "n"]:
        """Mean squared error of the draws, summed over the pixels."""
        return Objective(self.likelihood.expected_log, self.objective.divergence, self.objective.pixels).expected_error


@dataclass(frozen=True)
class Promises:
    """Medians over the pairs at one α; errors are sums over the pixels. `kept` is the share of pairs whose measured error and norm
    are within ε and δ. `log_likelihood_bound` is Corollary 2's, in nats, with the measured expected error and with Theorem 2's."""

    alpha: float
    radius: float
    factor: float
    divergence: float
    epsilon: float
    delta: float
    measured_norm: float
    measured_error: float
    kept: float
    log_h: float
    log_bound: float
    expected_error: float
    log_likelihood_bound: float
    log_likelihood: float
    effective_draws: float


def theory_report(learned: LearnedSet, count: int, seed: int, progress: Progress) -> Iterator[TheoryReport]:
    """The first `count` test pairs, a few at a time. Raises Cancelled, or ExplorerError where a value is not finite."""
    total, model, reports = min(count, len(learned.pairs)), learned.checkpoint.model, []
    first = 0
    while first < total:
        stop_if_cancelled(progress)
        last = min(first + (BATCH if first else FIRST), total)
        clean, perturbed = learned.pairs.fixed(range(first, last)).to(learned.device).both
        reports.append(_report(model, clean, perturbed, learned.radius, seed, first, Inner(progress)))
        first = last
        progress.advance(first, total)
        yield _joined(reports)


def promises(report: TheoryReport, alpha: float) -> Promises:
    """The theorems at one α. Raises InvalidInput for α outside (0, 1)."""
    one, two = theorem1(report.objective, alpha), theorem2(report.objective, alpha)
    found, pixels = report.measured, report.objective.pixels
    kept = (found.radius <= one.epsilon * (1 + 1e-6)) & (found.error <= one.delta * (1 + 1e-6))
    return Promises(
        alpha=alpha,
        radius=float(one.radius),
        factor=float(one.factor.median()),
        divergence=float(report.objective.divergence.double().sum(1).median()),
        epsilon=float(one.epsilon.median()),
        delta=float(one.delta.median()),
        measured_norm=float(found.radius.median()),
        measured_error=float(found.error.median()),
        kept=float(kept.double().mean()),
        log_h=float(two.log_h.median()),
        log_bound=float(two.log_bound.median()),
        expected_error=float(report.expected_error.median()),
        log_likelihood_bound=float(corollary2(report.expected_error, pixels).median()),
        log_likelihood=float(report.likelihood.log_likelihood.median()),
        effective_draws=float(report.likelihood.effective_samples.median()),
    )


def closest_within_encoding(
    model: ConditionalVAE,
    clean: Float[Tensor, "n c h w"],
    perturbed: Float[Tensor, "n c h w"],
    seed: int = 0,
    first: int = 0,
    progress: Progress | None = None,
) -> Measured:
    """The closest member that PGD finds no farther out than the pair's own encoding, whose norm is at most √ΣKᵢ: it lies within
    the ε of Theorem 1 for every α."""
    start = encode_pairs(model, clean, perturbed).delta
    norms = start.norm(dim=1)
    ball = replace(LatentBall(model, 1.0).at(clean), region=L2Ball(norms, (model.latent_dim,)))
    streams = Streams(seed, range(first, first + len(clean)))
    search = {"steps": STEPS, "step_size": 1 / STEPS, "maximise": False, "start": start, "streams": streams, "progress": progress}
    found = pgd(ball, lambda image: squared_error(image, perturbed), **search)
    return Measured(norms.double().cpu(), found.loss.double().cpu())


def _report(model, clean, perturbed, radius, seed, first, progress):
    objective = measure_objective(model, clean, perturbed, seed, SAMPLES, first=first, progress=progress)
    drawn = likelihood(model, clean, perturbed, radius=radius, samples=DRAWS, seed=seed, first=first, progress=progress)
    report = TheoryReport(objective, closest_within_encoding(model, clean, perturbed, seed, first, progress), drawn)
    values = {"R": objective.log_likelihood, "closest member": report.measured.error}
    if broken := [name for name, value in values.items() if not value.isfinite().all()]:
        raise ExplorerError(f"not finite: {', '.join(broken)} after pair {first}. The model may have diverged.")
    return report


def _joined(reports):
    objectives = [report.objective for report in reports]
    return TheoryReport(
        Objective(
            torch.cat([each.log_likelihood for each in objectives]),
            torch.cat([each.divergence for each in objectives]),
            objectives[0].pixels,
        ),
        Measured(*(torch.cat([getattr(each.measured, name) for each in reports]) for name in ("radius", "error"))),
        Likelihood(*(torch.cat([getattr(each.likelihood, field.name) for each in reports]) for field in fields(Likelihood))),
    )
