"""A training step with learned budgets, beside the same step with uniform budgets and what the generator costs by itself: its forward and
backward pass, with range and volume, and its optimiser's step."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from explorer.models import build_model
from explorer.papers import EXPERIMENTS
from explorer.papers.training import adam
from explorer.training import State, certified_cross_entropy


@dataclass(frozen=True)
class Case:
    """An experiment's step, at a share of CROWN-IBP, of batches of that size; `alone` says that only the uniform step is beside it."""

    name: str
    experiment: str
    shape: tuple[int, int, int]
    batch: int
    crown_share: float
    limit: float
    alone: bool = False
    repetitions: int = 15


CASES = (
    Case("DM-small, CROWN-IBP and IBP", "budgets-mnist-0.4", (1, 28, 28), 256, 0.5, 1.05),
    Case("DM-small, IBP", "budgets-mnist-0.4", (1, 28, 28), 256, 0.0, 1.05),
    Case("DM-large, CROWN-IBP and IBP", "budgets-cifar10-8", (3, 32, 32), 64, 0.5, 1.15, alone=True, repetitions=5),
)


def rows() -> Iterator[dict]:
    for case in CASES:
        yield measure(case)


def measure(case: Case) -> dict:
    config = EXPERIMENTS[case.experiment].config
    x, labels = torch.rand(case.batch, *case.shape), torch.randint(10, (case.batch,))
    state = State(0.0, {"volume": config.volume, "crown_share": case.crown_share, "clean_share": 0.0}, torch.Generator())
    made = [replace(config, budgets=kind) for kind in ("learned", "uniform")]
    joint, uniform = (build_model(each.model, each.model_config(case.shape, 10)) for each in made)
    generator = build_model(config.model, config.model_config(case.shape, 10))
    towards = torch.randn(case.batch, *case.shape) * 1e-3
    steps = {
        "joint": _stepping(joint, lambda: certified_cross_entropy(joint, (x, labels), state).mean(), config.clip_norm),
        "uniform": _stepping(uniform, lambda: certified_cross_entropy(uniform, (x, labels), state).mean(), config.clip_norm),
        "generator": _stepping(generator.generator, lambda: (generator.budgets(x) * towards).sum(), config.clip_norm),
    }
    seconds = _interleaved(steps, case.repetitions)
    beside = [a if case.alone else a + b for a, b in zip(seconds["uniform"], seconds["generator"])]
    return {
        "benchmark": f"joint training step, {case.name}, batch {case.batch}",
        "ratio": statistics.median(a / b for a, b in zip(seconds["joint"], beside)),
        "limit": case.limit,
        "peer": "uniform step" + ("" if case.alone else " + the generator's own"),
        "details": {name: statistics.median(each) for name, each in seconds.items()},
    }


def _stepping(module: torch.nn.Module, loss: Callable[[], torch.Tensor], clip_norm: float) -> Callable[[], None]:
    optimiser = adam()(module.parameters())
    optimiser.param_groups[0]["lr"] = 1e-5

    def step() -> None:
        value = loss()
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), clip_norm)
        optimiser.step()

    return step


def _interleaved(steps: dict[str, Callable[[], None]], repetitions: int) -> dict[str, list[float]]:
    """Seconds of each step, taken in turns, after one turn that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for repetition in range(repetitions + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            if repetition:
                seconds[name].append(time.perf_counter() - started)
    return seconds
