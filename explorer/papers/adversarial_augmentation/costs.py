"""What one training step costs with each method (AdA, Table 3): passes through the classifier and the image-to-image network, projections,
and time, all counted and taken while the one training loop makes a step."""

import copy
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import CheckpointError, ConfigurationError
from explorer.measuring import Measured, Opened, batch, of_images, refuse
from explorer.papers.training import nesterov
from explorer.randomness import LARGEST_KEY, generator
from explorer.sets import BlockBall
from explorer.sets.regions import Clipped
from explorer.sets.weight_ball import PerturbedNetwork
from explorer.training import DeepAugment, deepaugment, fit
from explorer.types import Inner, Progress, stop_if_cancelled

from .config import AugmentedConfig
from .experiments import BASELINES
from .opening import open_backbone
from .pipeline import pipeline

COSTS_KIND = "adversarial_augmentation.costs"
METHODS: dict[str, dict] = {
    "nominal": {},
    "AdA": {"corruption": "adversarial"},
    **{name: BASELINES[experiment][0] for name, experiment in (("AT", "at-linf"), ("TRADES", "trades-linf"), ("AWP", "awp-linf"), ("SAM", "sam"), ("AugMix", "augmix"))},
    "DeepAugment": {},
}  # AT, TRADES and AWP in the ℓ∞ ball


@dataclass(frozen=True)
class CostSettings:
    """`network` is what AdA changes and `augmenting` what DeepAugment distorts, none: backbone-unet-… and backbone-edsr-… of the
    classifier's data set. `batch_size` images are in a step, whose searches take `steps`; AdA searches `nano_batch` images together."""

    network: str | None = None
    augmenting: str | None = None
    steps: int = 10  # M; Appendix E.4
    batch_size: int = 32
    nano_batch: int = 8  # Appendix B.1
    repetitions: int = 3
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class CostTable(Measured):
    """For each method, in a step and for each image of it: forward and backward passes through the classifier and through the
    image-to-image network, projections and the numbers that they project; and seconds a step, the median of the repetitions."""

    methods: tuple[str, ...]
    forward: tuple[float, ...]
    backward: tuple[float, ...]
    network_forward: tuple[float, ...]
    network_backward: tuple[float, ...]
    projections: tuple[float, ...]
    projected: tuple[float, ...]
    seconds: tuple[float, ...]

    def __post_init__(self):
        super().__post_init__()
        if len({len(values) for name, values in vars(self).items() if isinstance(values, tuple) and name != "warnings"}) != 1:
            raise ConfigurationError(["columns of different lengths"])


@dataclass
class Calls:
    """Rows that went through, so far."""

    forward: int = 0
    backward: int = 0
    network_forward: int = 0
    network_backward: int = 0
    projections: int = 0
    projected: int = 0
    hooks: list = field(default_factory=list, repr=False)

    def share(self, images: int) -> dict[str, float]:
        return {name: value / images for name, value in vars(self).items() if name != "hooks"}


def cost_problems(settings: CostSettings) -> list[str]:
    """Everything impossible, in the user's words."""
    many = (1, 100_000)
    return out_of_range(settings, batch_size=many, steps=many, nano_batch=many, repetitions=many, seed=(0, LARGEST_KEY))


def cost_table(opened: Opened, digest: str, settings: CostSettings, progress: Progress) -> CostTable:
    """Steps of all methods in turns, the first of each uncounted. The classifier itself is left as it is. Raises ConfigurationError,
    CheckpointError where AdA's network is missing, InvalidInput, or Cancelled. Without DeepAugment's network its line is left out, with a warning."""
    refuse(cost_problems(settings))
    network = settings.network or f"backbone-unet-{opened.data.name}"
    images, labels = batch(opened, 0, min(settings.batch_size, len(opened.images)))
    warnings, step_of = [], {}
    for name, changes in METHODS.items():
        try:
            augment = DeepAugment(open_backbone(settings.augmenting or f"backbone-edsr-{opened.data.name}", opened.device).model, settings.seed) if name == "DeepAugment" else None
        except CheckpointError as error:
            warnings.append(f"DeepAugment is left out: {error}")
            continue
        step_of[name] = _step(opened, _config(changes, network, settings), images, labels, augment, progress)
    counts, times = {}, {name: [] for name in step_of}
    rounds = settings.repetitions + 1
    for repetition in range(rounds):
        for number, (name, step) in enumerate(step_of.items()):
            stop_if_cancelled(progress)
            with counted() as calls:
                seconds = step(calls)
            counts[name] = calls.share(len(images))
            times[name] += [seconds] if repetition else []
            progress.advance(repetition * len(step_of) + number + 1, rounds * len(step_of))
    columns = {column: tuple(each[column] for each in counts.values()) for column in counts["nominal"]}
    seconds = tuple(statistics.median(each) for each in times.values())
    used = replace(settings, network=network)
    return CostTable(methods=tuple(counts), seconds=seconds, images=len(images), **columns, **of_images(opened, digest, used, warnings=tuple(warnings)))


def _config(changes: dict, network: str, settings: CostSettings) -> AugmentedConfig:
    through = {"backbones": (network,)} if changes.get("corruption") == "adversarial" else {}
    return replace(AugmentedConfig(), steps=settings.steps, attack_steps=settings.steps, nano_batch=settings.nano_batch, **changes, **through)


def _step(opened: Opened, config: AugmentedConfig, images: Tensor, labels: Tensor, augment: DeepAugment | None, progress: Progress) -> Callable[[Calls], float]:
    """A function that lets the training loop make one step on a copy of the classifier, and returns its seconds. Its rate is 0."""
    model, ready = copy.deepcopy(opened.checkpoint.model), Inner(progress)
    for each in model.parameters():
        each.requires_grad_(True)
    made = pipeline(config, model, images[:1], Path("unused"), ready)
    optimiser = nesterov(config.weight_decay, config.momentum)(model.parameters())

    def step(calls: Calls) -> float:
        calls.hooks.append(torch.nn.modules.module.register_module_forward_hook(_hook(calls, model)))
        _wait(images.device)
        started = time.perf_counter()
        fit(
            model, made.loss, lambda _: [(augment(images) if augment else images, labels)], epochs=1, batches_per_epoch=1, optimiser=optimiser, schedules={"learning_rate": lambda epoch: 0.0},
            generator=generator("costs", config.seed), validate=lambda epoch: {}, after_epoch=lambda epoch: None, prepare=made.prepare, ascent=made.ascent, progress=ready,
        )  # fmt: skip
        _wait(images.device)
        return time.perf_counter() - started

    return step


def _hook(calls: Calls, classifier: nn.Module) -> Callable[[nn.Module, tuple, Tensor], None]:
    """Counts rows forwards, and backwards when a gradient comes to them."""

    def seen(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        kind = "" if module is classifier else "network_" if isinstance(module, PerturbedNetwork) else None
        if kind is None:
            return
        rows = len(output)
        setattr(calls, f"{kind}forward", getattr(calls, f"{kind}forward") + rows)
        if output.requires_grad:
            output.register_hook(lambda gradient: setattr(calls, f"{kind}backward", getattr(calls, f"{kind}backward") + rows))

    return seen


@contextmanager
def counted() -> Iterator[Calls]:
    """Counts the projections of searches and DeepAugment's passes in this process; hooks on modules are taken off at the end."""
    calls = Calls()

    def projected(region: object, delta: Tensor) -> None:
        calls.projections += len(delta)
        calls.projected += delta.numel()

    def distorted(network: nn.Module, *_: object) -> None:
        calls.network_forward += 1

    kinds = [(module, "distorted_image", distorted) for module in deepaugment.KINDS.values()]
    whole = [(owner, name, getattr(owner, name), note) for owner, name, note in ((BlockBall, "project", projected), (Clipped, "project", projected), *kinds)]
    for owner, name, original, note in whole:
        setattr(owner, name, _noted(original, note))
    try:
        yield calls
    finally:
        for owner, name, original, _ in whole:
            setattr(owner, name, original)
        for hook in calls.hooks:
            hook.remove()


def _noted(original: Callable, note: Callable) -> Callable:
    def call(*arguments):
        note(*arguments)
        return original(*arguments)

    return call


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
