"""Checkpoints of the paper's published code as our own: recognised by the shapes of their tensors, and opened without running anything.

The published scaled tanh is sign-flipped: it gives middle − half·tanh(x), ours middle + half·tanh((y − middle)/half). They agree at y = middle − half·x,
so that the last linear layer is changed, exactly. In what order the published networks take their inputs does not show in the shapes: each
order is tried on real pairs, and the one that reconstructs them best is taken."""

import hashlib
import itertools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.batches import as_many
from explorer.checkpoints import Header
from explorer.data import pair_kind
from explorer.errors import DataNotFound, InvalidInput
from explorer.evaluation import percentile_radii
from explorer.models import ConditionalVAE, build_model
from explorer.models.adopting import adopted
from explorer.models.residual_cvae import LOG_VAR_BOUNDS
from explorer.models.tensor_files import read_tensor_file
from explorer.provenance import code_revision, library_versions
from explorer.types import Progress

from .config import KIND
from .published_segmenter import DATASET as SCENES
from .published_segmenter import MODEL as SEGMENTER_MODEL
from .published_segmenter import UNET, is_segmenter, published_segmenter, unet_widths
from .segmentation_config import LIGHT_PAIRS, SEGMENTER
from .training import all_norms

TRIED = 64  # pairs, for each order of the inputs
RADII = {"multi_illumination-mip4": 25.0, "multi_illumination-mip3": 21.0}  # of sets that were published for more than one resolution, beside the layout's own
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Layout:
    """One of the published networks. `names` are patterns of its tensors' names and ours; `sizes` reads the configuration from its tensors and
    the shape of the pairs' images; the inputs' orders are rolls of some of our tensors along a dimension."""

    model: str
    dataset: str
    pairs: str
    radius: float  # of the published sets
    names: tuple[tuple[str, str], ...]
    sizes: Callable[[Tensors, tuple[int, int, int]], dict]
    recognition: tuple[tuple[str, int], ...]
    generator: tuple[tuple[str, int], ...] = ()
    roll: Callable[[Tensor], int] = lambda weight: weight.shape[1] // 2
    flipped: bool = False


def _residual(found: Tensors, shape: tuple[int, int, int]) -> dict:
    latents, maps = found["generator.fc.weight"].shape[1], found["prior.encoder.0.weight"].shape[0]
    bottleneck, features = found["prior.encoder.7.weight"].shape[0], found["prior.fc1.weight"].shape[1]
    return {
        "channels": found["prior.encoder.0.weight"].shape[1], **_square(features // bottleneck), "latent_dim": latents, "maps": maps,
        "inner_maps": found["prior.encoder.1.conv1.weight"].shape[0], "bottleneck_maps": bottleneck,
    }  # fmt: skip


def _unet(found: Tensors, shape: tuple[int, int, int]) -> dict:
    """One and the same at every resolution: that of the pairs is the network's, and the size that maps are pooled to is in its own proportions."""
    levels = len({name for name in found if re.fullmatch(r"generator\.fc\.\d+\.weight", name)})
    if not levels:
        raise KeyError("generator.fc.0.weight")
    maps = [found[f"generator.fc.{level}.weight"].shape for level in range(levels)]
    return {
        "channels": shape[0], "height": shape[1], "width": shape[2], "level_widths": unet_widths(found, "generator."),
        "skip_channels": found["prior.conv.0.weight"].shape[0], "pooled": _halved([pixels for pixels, _ in maps], shape), "latent_dims": [latents for _, latents in maps],
    }  # fmt: skip


def _halved(pixels: list[int], shape: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Heights and widths of maps with so many pixels, each half of the one before, rounded down; of several the ones that are most like the image."""
    _, height, width = shape
    firsts = [(edge, pixels[0] // edge) for edge in range(1, pixels[0] + 1) if pixels[0] % edge == 0]
    sizes = [[(h >> level, w >> level) for level in range(len(pixels))] for h, w in firsts]
    fitting = [each for each in sizes if [h * w for h, w in each] == pixels]
    if not fitting:
        raise InvalidInput(f"the file's maps have {', '.join(map(str, pixels))} pixels, which no size and its halves have: only such maps were published.")
    return min(fitting, key=lambda each: abs(math.log(each[0][0] * width / (each[0][1] * height))))


def _square(pixels: int) -> dict:
    edge = round(pixels**0.5)
    if edge * edge != pixels:
        raise InvalidInput(f"the file's images have {pixels} pixels, which is no square: only square images were published.")
    return {"height": edge, "width": edge}


BLOCK = tuple((f"conv{n}", f"conv{n}") for n in (1, 2)) + tuple((f"bn{n}", f"norm{n}") for n in (1, 2))
LAYOUTS = {
    "mnist_fc": Layout(
        "linf_fc_cvae", "mnist", "linf", 28.0,
        ((r"(prior|recognition)\.fc1\.", r"\1.hidden."), (r"(prior|recognition)\.fc21\.", r"\1.mean."), (r"(prior|recognition)\.fc22\.", r"\1.log_var."),
         (r"generator\.fc3\.", "generator.hidden."), (r"generator\.fc4\.", "generator.pixels.")),
        lambda found, shape: {**_square(found["generator.fc4.weight"].shape[0]), "hidden_units": found["generator.fc4.weight"].shape[1], "latent_dim": found["prior.fc21.weight"].shape[0]},
        (("recognition.hidden.weight", 1),), (("generator.hidden.weight", 1),),
    ),
    "mnist_conv": Layout(
        "linf_conv_cvae", "mnist", "linf", 29.0,
        ((r"(prior|recognition)\.conv31\.", r"\1.mean."), (r"(prior|recognition)\.conv32\.", r"\1.log_var."), (r"generator\.downsample3\.", "generator.to_quarter."),
         (r"generator\.downsample4\.", "generator.to_half."), (r"generator\.conv3\.", "generator.conv1."), (r"generator\.conv4\.", "generator.conv2."), (r"generator\.conv5\.", "generator.conv3.")),
        lambda found, shape: {"widths": [found[f"prior.{name}.weight"].shape[0] for name in ("conv1", "conv2", "conv31")]},
        (("recognition.conv1.weight", 1),), tuple((f"generator.conv{n}.weight", 1) for n in (1, 2, 3)), lambda weight: -1,
    ),
    "mnist_stn": Layout(
        "rts_cvae", "mnist", "rts", 14.0,
        ((r"(prior|recognition)\.fc31\.", r"\1.mean."), (r"(prior|recognition)\.fc32\.", r"\1.log_var."), (r"generator\.fc\.", "generator.control."), (r"generator\.conv\.", "generator.merge."),
         (r"stns\.(\d+)\.localization\.1\.", r"transformers.\1.localization.0."), (r"stns\.(\d+)\.localization\.3\.", r"transformers.\1.localization.2."), (r"stns\.(\d+)\.fc\.", r"transformers.\1.affine."), (r"block\.bn", "block.norm")),
        lambda found, shape: {
            **_square(found["generator.fc.weight"].shape[0]), "latent_dim": found["generator.fc.weight"].shape[1],
            "transformers": len({name.split(".")[2] for name in found if name.startswith("generator.stns.")}),
            "localization_widths": [found[f"generator.stns.0.localization.{n}.weight"].shape[0] for n in (1, 3)],
        },
        (*((f"recognition.block.norm1.{name}", 0) for name in ("weight", "bias", "running_mean", "running_var")), ("recognition.block.conv1.weight", 1)),
    ),
    "cifar10_rectangle": Layout(
        "residual_cvae", "cifar10", "corruptions", 28.0,
        ((r"(prior|recognition)\.encoder\.0\.", r"\1.trunk.first."), (r"(prior|recognition)\.encoder\.5\.", r"\1.trunk.norm."), (r"(prior|recognition)\.encoder\.7\.", r"\1.trunk.last."),
         (r"(prior|recognition)\.encoder\.8\.", r"\1.norm."), (r"(prior|recognition)\.fc1\.", r"\1.mean."), (r"(prior|recognition)\.fc2\.", r"\1.log_var."), (r"generator\.fc\.", "generator.control."),
         (r"generator\.decoder\.0\.", "generator.trunk.first."), (r"generator\.decoder\.5\.", "generator.trunk.norm."), (r"generator\.decoder\.7\.", "generator.trunk.last."),
         *((rf"(prior|recognition)\.encoder\.{n}\.", rf"\1.trunk.blocks.{n - 1}.") for n in range(1, 5)), *((rf"generator\.decoder\.{n}\.", f"generator.trunk.blocks.{n - 1}.") for n in range(1, 5)),
         (r"(blocks\.\d)\.bn", r"\1.norm")),
        _residual, (("recognition.trunk.first.weight", 1),), (("generator.trunk.first.weight", 1),), lambda weight: 1, flipped=True,
    ),
    "mi_unet": Layout(
        "unet_cvae", "multi_illumination-mip5", "lights", 17.0,
        (*UNET, (r"(prior|recognition)\.conv\.", r"\1.reduce."), (r"(prior|recognition)\.fc1\.", r"\1.mean."), (r"(prior|recognition)\.fc2\.", r"\1.log_var."), (r"generator\.fc\.", "generator.maps."),
         (r"generator\.outc\.conv\.", "generator.last.")),
        _unet, (("recognition.contraction.blocks.0.0.weight", 1),), flipped=True,
    ),
}  # fmt: skip
"""By the names of the published configurations."""
SIGNS = {"mnist_fc": "prior.fc21.weight", "mnist_conv": "prior.conv31.weight", "mnist_stn": "generator.stns.0.fc.weight", "cifar10_rectangle": "generator.decoder.0.weight", "mi_unet": "generator.outc.conv.weight"}


@dataclass(frozen=True)
class PublishedSettings:
    """What the file does not say. `pairs` and `dataset` where they are other than the published network's usual ones; `radius` where it is not
    to be measured on validation pairs."""

    name: str = ""
    dataset: str = ""
    pairs: str = ""
    radius: float | None = None


@dataclass(frozen=True, eq=False)
class ImportedSet:
    """A learned set, or a segmenter that was trained in one, with the header of its checkpoint, and what there is to say about it."""

    model: nn.Module
    header: Header
    notes: tuple[str, ...]


def import_published(
    path: Path, settings: PublishedSettings, root: Path | None, device: torch.device, progress: Progress, named: Callable[[str], object] = lambda name: None
) -> ImportedSet:
    """`named` is told the checkpoint's name before the long work, and may raise. Raises CheckpointUnreadable for a file that holds more than tensors and numbers, InvalidInput where no published network has its tensors,
    UnknownName, Cancelled."""
    tensors, content = read_tensor_file(path)
    origin = {"imported_from": path.name[:200], "sha256": hashlib.sha256(content).hexdigest()}
    del content
    if is_segmenter(tensors):
        return _segmenter(path, tensors, origin, settings, root, device, progress, named)
    name, layout = _recognised(path, tensors)
    found = {_renamed(key, layout): value for key, value in tensors.items()}
    kind, data = pair_kind(settings.pairs or layout.pairs), settings.dataset or layout.dataset
    own_name = settings.name or "-".join(["published", name.replace("_", "-"), *([data] if data != layout.dataset else [])])
    named(own_name)
    source, at_hand, stood_in = kind.at_hand(data, root)
    shape = source.image_shape(tuple(source.images.images.shape[1:]))
    try:
        config = layout.sizes(tensors, shape)
    except (KeyError, IndexError, ValueError) as error:
        raise InvalidInput(f"{path.name} begins like {name}, and then has other tensors ({error}): it is another network, or not whole.") from None
    config |= {"log_var_bounds": list(LOG_VAR_BOUNDS)} if layout.flipped else {}
    model = build_model(layout.model, config)
    state, _ = adopted(model.state_dict(), found, layout.model)
    model.load_state_dict(_unflipped(state) if layout.flipped else state)
    if shape != model.image_shape:
        raise InvalidInput(f"{path.name} takes images of {model.image_shape}, the pairs of {at_hand.name} are {shape}: it is of another resolution. Name its --dataset.")
    model = model.to(device).eval().requires_grad_(False)
    clean, perturbed = source.fixed(range(min(TRIED, len(source)))).to(device).both
    order, errors = _best_order(model, layout, clean, perturbed)
    notes = [f"Recognised as {name} by the shapes of its {len(tensors)} tensors. Of {len(errors)} orders of its inputs the one that reconstructs real pairs best is taken: squared error {min(errors):.5f} per pixel, the others {', '.join(f'{each:.5f}' for each in sorted(errors)[1:])}."]
    notes += [f"It is taken for a network of {shape[1]} × {shape[2]} pixels, those of {data}; name another --dataset if it was trained at another resolution."] if layout.model == "unet_cvae" else []
    notes += ["Its variance is given by a tanh of flipped sign, which the last layer now carries."] if layout.flipped else []
    notes += [stood_in] if stood_in else []
    radii = {}
    if settings.radius is None and stood_in is None:
        try:
            radii = percentile_radii(all_norms(model, kind.open(data, "validation", root, None), device, progress))
        except DataNotFound as error:
            notes.append(str(error))
    published = RADII.get(data, layout.radius)
    if settings.radius is None and not radii:
        whose = "" if data in RADII else f" of {layout.dataset}"
        notes.append(f"Its radius could not be measured without its data: {published:g} is the published one{whose}. Give another with --radius.")
    radius = settings.radius if settings.radius is not None else radii.get("100", published)
    header = Header(
        kind=KIND, name=own_name, model=layout.model, model_config=config,
        dataset={"name": data, "pairs": settings.pairs or layout.pairs, "types": list(source.type_names)}, training=origin,
        metrics={"squared_error_per_pixel": min(errors)}, seed=0, radius=radius, percentile_radii=radii or {"100": radius},
        description=f"Imported from {path.name[:100]}. {' '.join(notes)}"[:1000], versions=library_versions(), revision=code_revision(),
    )  # fmt: skip
    return ImportedSet(model, header, tuple(notes))


def _segmenter(path: Path, tensors: Tensors, origin: dict, settings: PublishedSettings, root: Path | None, device: torch.device, progress: Progress, named: Callable[[str], object]) -> ImportedSet:
    if settings.radius is not None or settings.pairs:
        raise InvalidInput(f"{path.name} holds a segmenter, which has no --radius and no --pairs of its own. Leave them out.")
    data = settings.dataset or SCENES
    name = settings.name or "-".join(["published-segmenter", *([data] if data != SCENES else [])])
    named(name)
    try:
        model, config, pairs, measured = published_segmenter(tensors, data, root, device, progress)
    except InvalidInput as error:
        raise InvalidInput(f"{path.name}: {error}") from None
    note = f"Recognised as a segmenter by its {len(tensors)} tensors: it names {100 * measured['accuracy']:.1f} % of the pixels right in {measured['pictures']:.0f} pictures of {data}, of {config['height']} × {config['width']} pixels."
    header = Header(
        kind=SEGMENTER, name=name, model=SEGMENTER_MODEL, model_config=config, dataset={"name": data, "pairs": LIGHT_PAIRS}, training={**origin, "materials": list(pairs.scenes.material_names)},
        metrics=measured, seed=0, radius=0.0, percentile_radii={}, description=f"Imported from {path.name[:100]}. {note}"[:1000], versions=library_versions(), revision=code_revision(),
    )  # fmt: skip
    return ImportedSet(model, header, (note,))


def _recognised(path: Path, tensors: Tensors) -> tuple[str, Layout]:
    for name, sign in SIGNS.items():
        if sign in tensors and all(any(key.startswith(f"{part}.") for key in tensors) for part in ("prior", "recognition", "generator")):
            return name, LAYOUTS[name]
    raise InvalidInput(f"{path.name} has the tensors of none of the published networks {', '.join(LAYOUTS)}: its first are {', '.join(list(tensors)[:3])}.")


def _renamed(key: str, layout: Layout) -> str:
    for pattern, ours in layout.names:
        key = re.sub(pattern, ours, key)
    return key


def _unflipped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The log-variances' linear layers for a tanh of the right sign and of slope 1 in the middle."""
    middle, half = sum(LOG_VAR_BOUNDS) / 2, (LOG_VAR_BOUNDS[1] - LOG_VAR_BOUNDS[0]) / 2
    changed = {}
    for name in state:
        if re.fullmatch(r"(prior|recognition)\.log_var\..*(weight|bias)", name):
            changed[name] = (middle if name.endswith("bias") else 0.0) - half * state[name]
    return {**state, **changed}


def _best_order(model: ConditionalVAE, layout: Layout, clean: Tensor, perturbed: Tensor) -> tuple[tuple[bool, bool], list[float]]:
    """The model is left with that order of its inputs; the errors are those of all orders."""
    start = {name: value.clone() for name, value in model.state_dict().items()}
    orders = list(itertools.product((False, True), (False, True) if layout.generator else (False,)))
    errors = []
    for order in orders:
        model.load_state_dict(_rolled(start, layout, order))
        with torch.inference_mode():
            together = as_many(TRIED, clean.shape)
            pieces = zip(clean.split(together), perturbed.split(together))
            errors.append(float(torch.cat([(model.decode(x, model.encode(x, y).mean) - y).square().flatten(1).mean(1) for x, y in pieces]).mean()))
    best = orders[min(range(len(orders)), key=errors.__getitem__)]
    model.load_state_dict(_rolled(start, layout, best))
    return best, errors


def _rolled(state: dict[str, Tensor], layout: Layout, order: tuple[bool, bool]) -> dict[str, Tensor]:
    changed = dict(state)
    for name, dimension in layout.recognition if order[0] else ():
        changed[name] = state[name].roll(state[name].shape[dimension] // 2, dimension)
    for name, dimension in layout.generator if order[1] else ():
        changed[name] = state[name].roll(layout.roll(state[name]), dimension)
    return changed
