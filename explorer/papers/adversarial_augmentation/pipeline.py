"""From a configuration to what is done with each batch, in the order of Appendix E.5, and to what is minimised."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.sets import LpBall, WeightBall
from explorer.storage import write_atomically
from explorer.training import (
    AugMix,
    Inputs,
    Loss,
    Prepare,
    State,
    WeightAscent,
    attacked,
    augmixed,
    changed,
    evaluating,
    from_epoch,
    in_turn,
    jensen_shannon,
    joined_by_attack,
    own_streams,
    trades,
)
from explorer.types import Progress

from .config import THROUGH_NETWORKS, AugmentedConfig
from .nano_batches import nano_batch
from .opening import check_fit, open_backbone
from .search import adversarial_corruptions, random_corruptions

NORMS = {"linf": math.inf, "l2": 2}
VERSIONS = 2  # of an image beside it, in AugMix's consistency loss


@dataclass(frozen=True)
class Pipeline:
    """What is done with a batch, what is then minimised, where its gradient is taken, and the digests of the files it is made with."""

    prepare: Prepare
    loss: Loss
    ascent: WeightAscent | None
    digests: dict[str, str] = field(default_factory=dict)


def pipeline(config: AugmentedConfig, classifier: nn.Module, image: Float[Tensor, "1 c h w"], folder: Path, progress: Progress) -> Pipeline:
    """Open what the configuration needs. `folder` keeps the nano-batches that were found fastest, so that a training goes on with the same.
    Raises CheckpointError where a network is missing, InvalidInput where it is of other images or does not fit into memory."""
    balls, digests = open_balls(config.backbones, config.radii, image) if config.corruption in THROUGH_NETWORKS else ([], {})
    stages = []
    if balls:
        balls = [WeightBall(each.model, each.radius, chunk) for each, chunk in zip(balls, _nano_batches(config, balls, classifier, image, folder), strict=True)]
        stages.append(changed(corrupted_in_shares(config, balls, progress)))
    elif config.corruption != "none":
        ball, search = LpBall(NORMS[config.corruption], config.trained_radius), {"steps": config.attack_steps, "step_size": config.attack_step_size}
        stages.append(changed(attacked(ball, **search)) if config.trades_beta is None else joined_by_attack(ball, **search))
    stages = [from_epoch(config.clean_epochs, each) for each in stages]
    if config.augmix:
        stages.append(augmixed(AugMix(config.augmix_severity), VERSIONS if config.augmix_consistency else 0))
    loss = jensen_shannon(config.augmix_consistency) if config.trades_beta is None else trades(config.trades_beta)
    ascents = {"none": None, "sam": WeightAscent(config.weight_step, "whole"), "awp": WeightAscent(config.weight_step, "relative")}
    return Pipeline(in_turn(*stages), loss, ascents[config.weight_ascent], digests)


def open_balls(names: Sequence[str], radii: Sequence[float], image: Float[Tensor, "1 c h w"]) -> tuple[list[WeightBall], dict[str, str]]:
    """The balls around the weights of image-to-image networks, by file or by experiment, and the digests of their files. Raises
    CheckpointError, or InvalidInput for another kind of checkpoint or one that does not take such images."""
    balls, digests = [], {}
    for number, (name, radius) in enumerate(zip(names, radii, strict=True)):
        backbone = open_backbone(name, image.device)
        check_fit(backbone, image)
        balls.append(backbone.ball(radius))
        digests[f"backbone_{number}_digest"] = backbone.digest
    return balls, digests


def corrupted_in_shares(config: AugmentedConfig, balls: Sequence[WeightBall], progress: Progress) -> Inputs:
    """Each network corrupts an equal share of the batch (Appendix E.4), which the guard of Appendix F looks over. The classifier is in
    evaluation mode meanwhile, so that batch norm learns from what is trained on alone."""
    common = {"limit": config.ssim_limit}

    def inputs(model: nn.Module, batch: tuple[Tensor, ...], state: State) -> Float[Tensor, "batch c h w"]:
        parts = []
        with evaluating(model):
            for ball, images, labels in zip(balls, batch[0].tensor_split(len(balls)), batch[1].tensor_split(len(balls)), strict=True):
                streams = own_streams(images, state)
                if config.corruption == "random":
                    found = random_corruptions(model, ball, images, labels, streams=streams, **common)
                else:
                    found = adversarial_corruptions(model, ball, images, labels, streams=streams, steps=config.steps, **common)
                parts.append(found.perturbed)
        return torch.cat(parts)

    return inputs


def _nano_batches(config: AugmentedConfig, balls: Sequence[WeightBall], classifier: nn.Module, image: Tensor, folder: Path) -> list[int]:
    """Those of the configuration, of a training that was stopped, or measured now: rounding depends on them."""
    if config.nano_batch is not None:
        return [config.nano_batch] * len(balls)
    path = folder / "nano_batches.json"
    try:
        kept = json.loads(path.read_text())
        if isinstance(kept, list) and len(kept) == len(balls) and all(type(each) is int and each >= 1 for each in kept):
            return kept
    except (OSError, ValueError):
        pass
    with evaluating(classifier):
        found = [nano_batch(ball, classifier, image, math.ceil(config.batch_size / len(balls))) for ball in balls]
    write_atomically(path, json.dumps(found).encode())
    return found
