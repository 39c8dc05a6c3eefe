"""What every experiment's training does around the loop: best and last checkpoint, history, samples, and going on after a stop."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from explorer.checkpoints import Header, save
from explorer.data import ImageDataset
from explorer.data.folders import FolderImages
from explorer.errors import ExplorerError
from explorer.models import build_model
from explorer.provenance import code_revision, library_versions
from explorer.randomness import generator as seeded
from explorer.storage import write_atomically
from explorer.training import Epoch, Loss, Prepare, Samples, TrainingState, WeightAscent, distributed, fit, mirrored_and_shifted
from explorer.types import Progress

from .base import Place

Optimiser = Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]


@dataclass(frozen=True)
class AfterEpoch:
    """What is measured and drawn after an epoch. `validate` names the objective `validation`; `radii` gives the checkpoint's radius and
    percentile radii, `samples` from that radius a strip of images."""

    validate: Callable[[float], Mapping[str, float]]
    radii: Callable[[], tuple[float, dict[str, float]]]
    samples: Callable[[float], Tensor]


def initialised(model: str, config: Mapping, seed: int, device: torch.device) -> nn.Module:
    """A model whose weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_model(model, config).to(device)


def new_header(
    kind: str, name: str, config: Any, data: ImageDataset | FolderImages, model: str, own: Mapping[str, Any], description: str, *, radius: float = 0.0, **made_of: Any
) -> Header:
    """The header of a checkpoint that a training from the configuration on this data writes, nothing measured yet. `made_of` says what else it
    is trained with: a name that ends in _digest is that of a file."""
    return Header(
        kind=kind, name=name, model=model, model_config=dict(own), training=json.loads(json.dumps(asdict(config))), metrics={}, seed=config.seed, radius=radius,
        dataset={"name": config.dataset, "train_images": len(data), "train_fingerprint": data.fingerprint(), **made_of},
        percentile_radii={}, description=description, versions=library_versions(), revision=code_revision(),
    )  # fmt: skip


def shuffled(examples: int, size: int, generator: torch.Generator, passes: int = 1) -> Iterator[Int[Tensor, "some"]]:
    """The numbers of the examples of each batch of an epoch, which goes so many times through all."""
    yield from (torch.randperm(examples * passes, generator=generator) % examples).split(size)


def labelled_batches(data: ImageDataset, config: Any, device: torch.device) -> tuple[Callable[[torch.Generator], Iterator[tuple[Tensor, Tensor]]], int]:
    """Images with labels in the order of an epoch, mirrored and shifted where the configuration says `augment`; and how many batches these are."""
    images, labels = data.images.to(device), data.labels.to(device)

    def batches(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in shuffled(len(images), config.batch_size, generator, config.passes):
            chosen = chosen.to(images.device)
            yield mirrored_and_shifted(images[chosen], generator) if config.augment else images[chosen], labels[chosen]

    return batches, math.ceil(len(images) * config.passes / config.batch_size)


def train_and_keep(
    model: nn.Module,
    loss: Loss,
    batches: Callable[[torch.Generator], Iterable[tuple[Tensor, ...]]],
    *,
    header: Header,
    epochs: int,
    batches_per_epoch: int,
    schedules: Mapping[str, Callable[[float], float]],
    after: AfterEpoch,
    place: Place,
    progress: Progress,
    clip_norm: float | None = None,
    weight_decay: float = 0.0,
    optimiser: Optimiser | None = None,
    prepare: Prepare | None = None,
    ascent: WeightAscent | None = None,
    snapshots: Mapping[int, str] | None = None,
) -> None:
    """Minimise with Adam, or with another optimiser, gradients shortened to `clip_norm` after which `weight_decay` times the weights joins them,
    and write `best`, `last`, `history.json`, `configuration.json` and the state to go on from into the place's output. `snapshots` names
    further checkpoints after some epochs; `prepare` and `ascent` are `fit`'s. With `place.resume` a stopped training goes on bit for bit; of several processes the first writes, and for the others it ends with `Done`. Raises
    ExplorerError where another training is in the way."""
    make = optimiser or adam(weight_decay)
    place.arithmetic.prepared(model)
    steps = make(model.parameters())
    generator = seeded("training", header.seed)
    made_of = {key: value for key, value in header.dataset.items() if key.endswith("_digest")}  # the files that it is trained with
    stored = {**header.training, "train images": header.dataset["train_fingerprint"], **made_of}
    state_path, start, history = place.output / "state.safetensors", 0, []
    if place.resume and state_path.exists():
        resumed = TrainingState.resume(state_path, stored, model, steps, generator)
        start, history = resumed.epoch, resumed.history
    elif state_path.exists():
        raise ExplorerError(f"{state_path} holds a training already. Add --resume to go on, or choose another --output.")
    team = distributed.current()
    if team.first:
        write_atomically(place.output / "configuration.json", json.dumps(stored, indent=1).encode())
    if place.arithmetic.told:
        header = replace(header, description="; ".join(filter(None, [header.description, place.arithmetic.told])))

    def after_epoch(epoch: Epoch) -> None:
        radius, percentiles = after.radii()
        best = min((row["validation"] for row in history if math.isfinite(row["validation"])), default=math.inf)
        history.append({"epoch": epoch.done, "loss": epoch.loss, **epoch.metrics})
        measured = replace(header, metrics=history[-1], radius=radius, percentile_radii=percentiles)
        save(place.output / "last.safetensors", model, measured)
        if snapshots and epoch.done in snapshots:
            save(place.output / f"{snapshots[epoch.done]}.safetensors", model, measured, dtype=torch.float16)
        if epoch.metrics["validation"] <= best or not (place.output / "best.safetensors").exists():
            save(place.output / "best.safetensors", model, measured)
        write_atomically(place.output / "history.json", json.dumps(history, indent=1).encode())
        if math.isfinite(radius):
            progress.partial(Samples(epoch.done, after.samples(radius)))
        TrainingState(epoch.done, history, stored).save(state_path, model, steps, generator)  # last: from here a stopped training goes on

    fit(
        model, loss, batches, epochs=epochs, batches_per_epoch=batches_per_epoch, optimiser=steps, schedules=schedules,
        generator=generator, validate=after.validate, after_epoch=after_epoch, start=start, clip_norm=clip_norm, prepare=prepare, ascent=ascent, arithmetic=place.arithmetic, progress=progress,
    )  # fmt: skip
    if not team.first:
        raise distributed.Done


def adam(weight_decay: float = 0.0) -> Optimiser:
    """Adam in one pass over each parameter (its steps by single operations take seven times as long for large ones); the schedule gives its rate."""

    def make(parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
        optimiser = torch.optim.Adam(parameters, lr=1.0, weight_decay=weight_decay, fused=True)
        optimiser.register_step_pre_hook(lambda *_: _lay_out_alike(optimiser))
        return optimiser

    return make


def _lay_out_alike(optimiser: torch.optim.Optimizer) -> None:
    """Lay gradients and moments out in memory as their parameter is: the pass over all of them goes by place, and moments that were read
    from a file come in another order than that of a channels-last network."""
    for parameter in (each for group in optimiser.param_groups for each in group["params"] if each.grad is not None):
        if parameter.grad.stride() != parameter.stride():
            parameter.grad = torch.empty_like(parameter).copy_(parameter.grad)
        for name, moment in optimiser.state[parameter].items():
            if moment.shape == parameter.shape and moment.stride() != parameter.stride():
                optimiser.state[parameter][name] = torch.empty_like(parameter).copy_(moment)


def nesterov(weight_decay: float, momentum: float = 0.9) -> Optimiser:
    """Stochastic gradient descent with Nesterov momentum; the schedule gives its rate, and the decay is of all parameters."""
    return lambda parameters: torch.optim.SGD(parameters, lr=1.0, momentum=momentum, nesterov=True, weight_decay=weight_decay)


def size_differences(own: Mapping, paper: Mapping) -> str:
    """In words, how a model's configuration differs from the paper's."""
    different = [f"{key} {own[key]} (paper: {_plain(value)})" for key, value in paper.items() if key in own and _plain(value) != own[key]]
    return "compact: " + "; ".join(different) if different else "the paper's size"


def _plain(value):
    return list(value) if isinstance(value, tuple) else value
