"""Training a U-Net to name materials under the neutral light, under all lights, and on members of a learned set of lights (Perturbation sets,
§5.2, Appendices C and F.3)."""

import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from explorer.checkpoints import Header, load, save
from explorer.data import open_pairs
from explorer.data.illumination import LIGHTS
from explorer.data.illumination_pairs import NEUTRAL, LightPairs
from explorer.errors import ConfigurationError
from explorer.evaluation.segmentation import SHARE, mean_iou, pixel_columns
from explorer.models import model_config
from explorer.models.segmentation import SegmentationUNet
from explorer.papers.base import Place
from explorer.papers.trained import open_trained_set
from explorer.papers.training import AfterEpoch, initialised, new_header, shuffled, size_differences, train_and_keep
from explorer.randomness import generator as seeded
from explorer.sets import LatentBall
from explorer.smoothing import sigma_for_radius
from explorer.training import Inputs, Loss, PiecewiseLinear, State, attacked, clean, cross_entropy_of, mirrored_and_shifted, noisy, sampled
from explorer.types import Inner, Progress, Silent, stop_if_cancelled

from .segmentation_config import CONFIDENCE, LIGHT_PAIRS, OF_LEARNED_SETS, SAMPLES, SEGMENTER, SegmenterConfig, problems

IGNORED = -100  # of a pixel that a shift has brought in: no loss
SHOWN, TURN, SPREAD = 9, 7, 3


def train(name: str, config: SegmenterConfig, place: Place, progress: Progress) -> Path:
    """Train a segmenter; write best, last and, at the end, `NAME.safetensors`: the best one rounded to float16, with what it has on the test scenes
    after the rounding. Raises ConfigurationError, or CheckpointError where the learned set is missing."""
    if found := problems(config):
        raise ConfigurationError(found)
    source = {split: open_pairs(LIGHT_PAIRS, config.dataset, split, place.root, config.limit) for split in ("train", "validation", "test")}
    shape = source["train"].scenes.image_shape
    loss, made_of = _loss(config, shape, place.device)
    stop_if_cancelled(progress)
    scenes = source["train"].on(place.device).scenes
    classes = len(scenes.material_names)
    model = initialised(config.model, config.model_config(shape, classes), config.seed, place.device)
    held_out = tuple(each.to(place.device) for each in lit_pictures(source["validation"], range(min(LIGHTS, picture_count(source["validation"])))))

    def batches(generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in shuffled(len(scenes.names), config.batch_size, generator, config.passes):
            lights = [NEUTRAL] * len(chosen) if config.method == "fixed" else torch.randint(LIGHTS, (len(chosen),), generator=generator).tolist()
            pictures, materials = scenes.pictures(chosen.tolist(), lights), scenes.materials(chosen.tolist())
            if config.crop_and_flip:
                pictures, materials = moved_together(pictures, materials, generator, config.crop_padding)
            yield pictures.to(place.device), materials.to(place.device)

    train_and_keep(
        model,
        loss,
        batches,
        header=_header(name, config, source["train"], shape, made_of),
        epochs=config.epochs,
        batches_per_epoch=_batches(len(scenes.names), config),
        schedules={"learning_rate": PiecewiseLinear(config.learning_rate).stretched(config.epochs)},
        after=AfterEpoch(lambda epoch: _validation(model, *held_out, loss, config), lambda: (0.0, {}), lambda radius: held_out[0][:SHOWN]),
        place=place,
        progress=progress,
    )
    return _finish(name, place, source["test"], config.batch_size, progress)


def steps(config: SegmenterConfig, root: Path | None) -> int:
    """How many batches a training sees. Raises DataNotFound."""
    return config.epochs * _batches(len(open_pairs(LIGHT_PAIRS, config.dataset, "train", root, config.limit).scenes.names), config)


def picture_count(pairs: LightPairs) -> int:
    """How many pictures there are: every scene under every light."""
    return len(pairs.scenes.names) * LIGHTS


def lit_pictures(pairs: LightPairs, numbers: range) -> tuple[Float[Tensor, "n c h w"], Int[Tensor, "n h w"]]:
    """Pictures by number, each scene under each light once, so that the first ones cover scenes and lights evenly; and their materials."""
    places = [divmod(number, len(pairs.scenes.names)) for number in numbers]
    chosen, lights = [scene for _, scene in places], [(TURN * turn + SPREAD * scene) % LIGHTS for turn, scene in places]
    return pairs.scenes.pictures(chosen, lights), pairs.scenes.materials(chosen)


def moved_together(
    pictures: Float[Tensor, "batch c h w"], materials: Int[Tensor, "batch h w"], generator: torch.Generator, padding: int
) -> tuple[Float[Tensor, "batch c h w"], Int[Tensor, "batch h w"]]:
    """A picture and its materials mirrored and shifted alike; what is brought in is of no material."""
    both = mirrored_and_shifted(torch.cat([pictures, materials[:, None].to(pictures) + 1], 1), generator, padding)
    named = both[:, -1].round().long() - 1
    return both[:, :-1].contiguous(), torch.where(named < 0, IGNORED, named)


def sigma_of(radius: float) -> float:
    """The noise with which unanimous votes certify the whole set (Perturbation sets, Appendix E.6): 6.90 for 17."""
    return sigma_for_radius(radius, SAMPLES, CONFIDENCE)


def _loss(config: SegmenterConfig, shape: tuple[int, int, int], device: torch.device) -> tuple[Loss, dict[str, str]]:
    """The cross-entropy at the inputs of the method, and the digest of the file that they are made of."""
    if config.method not in OF_LEARNED_SETS:
        return cross_entropy_of([clean]), {}
    lighting = open_trained_set(config.learned_set, shape, device)
    ball = LatentBall(lighting.model, lighting.radius if config.radius is None else config.radius)
    made: dict[str, Inputs] = {
        "samples": sampled(ball),
        "adversarial": attacked(ball, steps=config.steps, step_size=config.step_size, start="zero"),
        "smoothed": noisy(ball, sigma_of(ball.radius)),
    }
    sources = [*([clean] if config.clean_too else []), made[config.method]]
    return cross_entropy_of(sources, "max"), {"learned_set": lighting.name, "learned_set_digest": lighting.digest}


def _validation(model: nn.Module, pictures: Tensor, materials: Tensor, loss: Loss, config: SegmenterConfig) -> dict[str, float]:
    """The loss at the method's inputs, the same random numbers each time, and the share of pixels that are right."""
    state, total, right = State(math.inf, {}, seeded("validation", 0)), 0.0, 0.0
    for start in range(0, len(pictures), config.batch_size):
        batch = pictures[start : start + config.batch_size], materials[start : start + config.batch_size]
        with torch.no_grad():
            total += float(loss(model, batch, state).double().sum())
            right += float((model(batch[0]).argmax(1) == batch[1]).double().mean((1, 2)).sum())
    return {"validation": total / len(pictures), "validation_accuracy": right / len(pictures)}


def _finish(name: str, place: Place, test: LightPairs, batch_size: int, progress: Progress) -> Path:
    best = load(place.output / "best.safetensors", place.device)
    model = best.model.half().float()
    measured = named_right(model, test, batch_size, place.device, progress=Inner(progress))
    path = place.output / f"{name}.safetensors"
    save(path, model, replace(best.header, metrics={**best.header.metrics, **measured}), dtype=torch.float16)
    return path


def named_right(model: SegmentationUNet, pairs: LightPairs, batch_size: int, device: torch.device, limit: int | None = None, progress: Progress | None = None) -> dict[str, float]:
    """The share of the pixels that are named right and the mean intersection over union, over the pictures of all scenes and lights, or the first of them; and how many these are."""
    count, found, progress = min(picture_count(pairs), limit or picture_count(pairs)), [], progress or Silent()
    for first in range(0, count, batch_size):
        stop_if_cancelled(progress)
        pictures, materials = (each.to(device) for each in lit_pictures(pairs, range(first, min(first + batch_size, count))))
        with torch.inference_mode():
            found.append(pixel_columns(model(pictures).argmax(1), materials, model.classes))
        progress.advance(min(first + batch_size, count), count, "naming the test pictures")
    columns = {key: torch.cat([each[key] for each in found]) for key in found[0]}
    return {"accuracy": float(columns[SHARE].mean()), "mean_iou": mean_iou(columns), "pictures": float(count)}


def _batches(scenes: int, config: SegmenterConfig) -> int:
    return math.ceil(scenes * config.passes / config.batch_size)


def _header(name: str, config: SegmenterConfig, pairs: LightPairs, shape: tuple[int, int, int], made_of: dict[str, str]) -> Header:
    own = config.model_config(shape, len(pairs.scenes.material_names))
    paper = replace(config, widths=SegmenterConfig().widths).model_config(shape, len(pairs.scenes.material_names))
    description = size_differences(asdict(model_config(config.model, own)), asdict(model_config(config.model, paper)))
    return new_header(
        SEGMENTER, name, config, pairs.images, config.model, own, description,
        train_fingerprint=pairs.fingerprint(), materials=list(pairs.scenes.material_names), **made_of,
    )  # fmt: skip
