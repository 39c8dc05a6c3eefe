"""A perturbation set of the user's own pairs: what is trained follows from the pictures, and says why."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from explorer.checkpoints import load
from explorer.configuration import out_of_range
from explorer.data import pair_kind
from explorer.data.own_pairs import load_own_pairs, own_split
from explorer.errors import ConfigurationError
from explorer.evaluation import percentile_radii
from explorer.evaluation.approximation import METRICS, pair_metrics
from explorer.models import build_model
from explorer.models.residual_cvae import LOG_VAR_BOUNDS
from explorer.papers.base import Place
from explorer.randomness import LARGEST_KEY
from explorer.storage import write_atomically
from explorer.training.schedules import Points
from explorer.types import Inner, Progress

from .config import LearnedSetConfig
from .config import problems as training_problems
from .memory import COPIES, bytes_per_image, free_bytes, largest_batch, weight_bytes
from .training import train

LARGEST_RESIDUAL = 64  # pixels of a side: the residual network's linear layers grow with the number of pixels
REPORTED = 200  # pairs
ENOUGH = 20_000  # pairs that a training sees at least


@dataclass(frozen=True)
class OwnPairsConfig:
    """`data` is a folder with a folder for each scene, or a CSV with the columns reference, perturbed, type. The model is chosen by the
    pictures' size; `epochs` none sees some 20,000 pairs, at least 10 epochs."""

    data: str = ""
    model: str = "auto"  # residual_cvae up to 64 pixels, unet_cvae above
    latent_dim: int = 32
    maps: int = 16
    epochs: int | None = None
    batch_size: int = 64  # fewer where more do not fit into the memory
    learning_rate: Points = ((0.0, 0.0), (0.3, 3e-3), (1.0, 0.0))  # of the training's length
    beta: Points = ((0.0, 0.0), (0.3, 0.01), (1.0, 0.01))
    seed: int = 0
    limit: int | None = None  # the first scenes of each split only


@dataclass(frozen=True)
class Plan:
    """What will be trained, and why: sentences for the reader."""

    config: LearnedSetConfig
    reasons: tuple[str, ...]


def own_problems(config: OwnPairsConfig) -> list[str]:
    """Everything wrong with the pictures and the configuration; of no pictures, that alone."""
    found = out_of_range(config, latent_dim=(1, 4096), maps=(1, 4096), batch_size=(2, 1_000_000), seed=(0, LARGEST_KEY))
    if config.model not in ("auto", "residual_cvae", "unet_cvae"):
        found.append(f"model = {config.model!r}: expected auto, residual_cvae or unet_cvae")
    if config.epochs is not None and not 1 <= config.epochs <= 1_000_000:
        found.append(f"epochs = {config.epochs}: expected at least 1, or none")
    if data := pair_kind("own").problems(config.data):
        return found + data
    return found or training_problems(plan(config).config)


def plan(config: OwnPairsConfig, device: torch.device | None = None) -> Plan:
    """The model and the length of its training by the pictures; with a device, the batch that fits its memory. Raises ConfigurationError."""
    whole = load_own_pairs(Path(config.data))
    training = own_split(whole, "train")
    scenes, shape = len(training.references), tuple(whole.references.shape[1:])
    name, architecture, why = _architecture(config, shape)
    epochs = config.epochs or max(10, -(-ENOUGH // max(len(training), 1)))
    passes = max(1, len(training) // scenes)
    chosen = LearnedSetConfig(
        dataset=config.data, pairs="own", model=name, likelihood="gaussian", epochs=epochs, passes=passes, batch_size=min(config.batch_size, max(2, scenes * passes)),
        learning_rate=_stretched(config.learning_rate, epochs), beta=_stretched(config.beta, epochs), seed=config.seed, limit=config.limit, **architecture,
    )  # fmt: skip
    sizes = f"{len(whole)} pairs of {len(whole.type_names)} types in {len(whole.references)} scenes, {shape[2]}×{shape[1]} pixels, {'grey' if shape[0] == 1 else 'colour'}"
    held = f"{scenes} scenes to train on, {' and '.join(str(len(own_split(whole, split).references)) for split in ('validation', 'test'))} to validate and to test"
    reasons = (f"{sizes}; {held}.", *(f"{note}." for note in whole.notes), why, f"{epochs} epochs of {passes} pairs a scene.")
    return Plan(chosen, reasons) if device is None else _fitted(Plan(chosen, reasons), shape, device)


def train_own(name: str, config: OwnPairsConfig, place: Place, progress: Progress) -> Path:
    """Plan, train as any learned set, and write `report.txt` beside the checkpoint: what was decided, and the quality on test pairs."""
    if found := own_problems(config):
        raise ConfigurationError(found)
    planned = plan(config, place.device)
    for reason in planned.reasons:
        progress.advance(0, 1, reason)
    path = train(name, planned.config, place, progress)
    report = own_report(path, planned, place, progress)
    write_atomically(place.output / "report.txt", report.encode())
    progress.advance(1, 1, f"report\n{report}")
    return path


def own_steps(config: OwnPairsConfig, root: Path | None) -> int:
    """How many batches a training sees. Raises ConfigurationError or DataNotFound."""
    from .training import steps

    return steps(plan(config).config, root)


def own_report(path: Path, planned: Plan, place: Place, progress: Progress) -> str:
    """The decisions, the radii, and the quality metrics of Appendix B on the first test pairs, in all and by type."""
    checkpoint = load(path, place.device)
    test = own_split(load_own_pairs(Path(planned.config.dataset)), "test")
    count = min(len(test), REPORTED)
    batch = test.fixed(range(count)).to(place.device)
    found = pair_metrics(checkpoint.model, *batch.both, radius=float(checkpoint.header.radius), distance="squared_error", progress=Inner(progress))
    with torch.inference_mode():
        norms = checkpoint.model.prior(batch.reference).standardise(checkpoint.model.encode(*batch.both).mean).norm(dim=1).cpu()
    unchanged = float((batch.reference - batch.perturbed).square().mean())
    lines = [
        *planned.reasons,
        f"Radius {checkpoint.header.radius:.3f}: the farthest of the validation pairs. {100 * float((norms <= checkpoint.header.radius).double().mean()):.0f} % of {count} test pairs lie within it.",
        f"Errors are mean squares per pixel; that of the reference itself, unchanged, is {unchanged:.5f}.",
        *(f"{name.replace('_', ' '):>22}: {float(getattr(found, name).mean()):.5f}" for name in METRICS),
        f"{'type':>22}  {'pairs':>5}  {'median norm':>11}  {'PGD error':>9}",
    ]
    for number, name in enumerate(test.type_names):
        mine = batch.types.cpu() == number
        if mine.any():
            median = percentile_radii(norms[mine], (50,))["50"]
            lines.append(f"{name[:22]:>22}  {int(mine.sum()):5}  {median:11.3f}  {float(found.pgd_error.cpu()[mine].mean()):9.5f}")
    return "\n".join(lines) + "\n"


def _architecture(config: OwnPairsConfig, shape: tuple[int, int, int]) -> tuple[str, dict, str]:
    """A model with its sizes, and why it."""
    edge = max(shape[1:])
    name = config.model if config.model != "auto" else "residual_cvae" if edge <= LARGEST_RESIDUAL else "unet_cvae"
    if name == "residual_cvae":
        sizes = {"latent_dim": config.latent_dim, "maps": config.maps, "inner_maps": max(1, config.maps // 2), "bottleneck_maps": 4, "log_var_bounds": LOG_VAR_BOUNDS}
        why = f"a side of {edge} pixels is small enough for the residual network, which keeps the whole size (Perturbation sets, Appendix E)" if config.model == "auto" else "as asked for"
    else:
        widths = tuple(config.maps * factor for factor in (1, 2, 4, 4))
        pooled = tuple((max(1, min(shape[1], 32) // 2**level), max(1, min(shape[2], 32) // 2**level)) for level in range(len(widths)))
        latents = tuple(max(1, config.latent_dim // 2 ** (level + 1)) for level in range(len(widths)))
        sizes = {"level_widths": widths, "skip_channels": 4, "pooled": pooled, "latent_dims": latents, "log_var_bounds": LOG_VAR_BOUNDS}
        why = f"a side of {edge} pixels, above {LARGEST_RESIDUAL}, asks for the U-Net, whose latents see the image at several sizes (Perturbation sets, Appendix F)" if config.model == "auto" else "as asked for"
    return name, sizes, f"Model {name}: {why}."


def _stretched(points: Points, epochs: int) -> Points:
    return tuple((epochs * share, value) for share, value in points)


def _fitted(planned: Plan, shape: tuple[int, int, int], device: torch.device) -> Plan:
    """The batch that fits, with the memory that is estimated. Raises ConfigurationError where not two images do."""
    model = build_model(planned.config.model, planned.config.model_config(shape)).train()
    each, weights, free, wanted = bytes_per_image(model), weight_bytes(model), free_bytes(device), planned.config.batch_size
    fits = largest_batch(each, weights, free)
    if fits < 2:
        raise ConfigurationError([f"the memory of {device} ({free / 1e9:.1f} GB free) does not hold two pictures and the model ({COPIES * weights / 1e9:.1f} GB). Take smaller pictures or fewer maps."])
    estimate = f"Memory: {COPIES * weights / 1e6:.0f} MB for {sum(p.numel() for p in model.parameters()):,} parameters, {each / 1e6:.1f} MB a pair, {(COPIES * weights + min(fits, wanted) * each) / 1e9:.2f} GB of {free / 1e9:.1f} GB free."
    if fits < wanted:
        estimate += f" Batches of {wanted} do not fit: {fits} pairs are the largest that do, and are used."
    return Plan(replace(planned.config, batch_size=min(fits, wanted)), (*planned.reasons, estimate))
