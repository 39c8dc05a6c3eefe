"""A classifier from elsewhere as a checkpoint that every page and command can use: an .onnx file, or tensors of a known architecture, which of
published classifiers of CIFAR-10 say themselves what they belong to."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.checkpoints import HEADER_KEY, MAXIMUM_BYTES, Header, save
from explorer.configuration import out_of_range
from explorer.data import DATASETS, ImageDataset, load_dataset
from explorer.errors import CheckpointUnreadable, ConfigurationError, InvalidInput
from explorer.evaluation.attackable import attack_warnings, check_logits
from explorer.models import MODELS, Classifier, build_model, model_config
from explorer.models.adopting import adopted
from explorer.models.classifiers import KIND
from explorer.models.onnx.opening import open_onnx
from explorer.models.published_classifiers import LAYOUTS, published_classifier
from explorer.models.tensor_files import tensors_of
from explorer.provenance import code_revision, library_versions
from explorer.types import Progress, Silent, stop_if_cancelled

ONNX, TENSORS = ".onnx", ".safetensors"
PICKLED = (".pth", ".pt", ".tar", ".ckpt", ".bin")  # what torch.save has written
ARCHITECTURES = tuple(name for name, entry in MODELS.items() if name not in ("onnx_graph", "budgeted_classifier") and hasattr(entry.config, "classes") and not hasattr(entry.config, "latent_dim"))
PUBLISHED = ("", *{layout.architecture for layout in LAYOUTS})  # architectures whose tensors have names of others' too
RADII = {1: 0.1, 3: 8 / 255}  # that pages start with, for grey and for coloured images
EXECUTABLE = (
    "such a file can carry code that runs when it is opened, so it is not. Export the network: torch.onnx.export(model.eval(), (images,), 'model.onnx', "
    "dynamic_shapes=({0: torch.export.Dim.DYNAMIC},), external_data=False), or save its tensors: safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
)


@dataclass(frozen=True)
class ImportSettings:
    """What a file does not say of itself. `dataset` gives image size, classes and the images that pages show; `mean` and `std` are those that
    the network expects its images to be normalised with, none where it takes images in [0, 1]; `class_names` where other than the data
    set's. `radius` is the one that pages start with. For tensors: `architecture` and its `configuration` as JSON. For ONNX: `output`, the
    name of the logits where there are several outputs, and `cut_softmax`. `limit` images are measured."""

    dataset: str
    name: str = ""
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    class_names: tuple[str, ...] | None = None
    radius: float | None = None
    architecture: str = ""
    configuration: str = "{}"
    output: str = ""
    cut_softmax: bool = False
    limit: int = 1000

    def __post_init__(self):
        problems = out_of_range(self, limit=(1, 1_000_000))
        if self.dataset not in DATASETS:
            problems.append(f"dataset = {self.dataset[:40]!r}: expected one of {', '.join(DATASETS)}")
        if self.architecture and self.architecture not in ARCHITECTURES:
            problems.append(f"architecture = {self.architecture[:40]!r}: expected one of {', '.join(ARCHITECTURES)}")
        if (self.mean is None) != (self.std is None):
            problems.append("mean and std come together: give both, or none")
        elif self.std is not None and (len(self.std) != len(self.mean) or not all(each > 0 for each in self.std)):
            problems.append(f"mean = {self.mean}, std = {self.std}: expected as many of each, and std above 0")
        if self.radius is not None and not 0 < self.radius <= 1:
            problems.append(f"radius = {self.radius}: expected above 0 to 1, in units of pixel intensity")
        if self.class_names is not None and not all(0 < len(name.strip()) <= 60 for name in self.class_names):
            problems.append("class_names: expected names of 1 to 60 letters")
        try:
            if not isinstance(json.loads(self.configuration), dict):
                raise ValueError
        except (ValueError, RecursionError):
            problems.append(f"configuration = {self.configuration[:60]!r}: expected JSON such as {{\"widths\": [6, 16]}}")
        if problems:
            raise ConfigurationError(problems)


@dataclass(frozen=True, eq=False)
class Imported:
    """A classifier, the header of its checkpoint, and what there is to say about it."""

    model: Classifier
    header: Header
    notes: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Raises OutputError."""
        save(path, self.model, self.header)


def import_classifier(path: str | Path, settings: ImportSettings, root: str | Path | None = None, progress: Progress | None = None, name: str | None = None, pickled: bool = False) -> Imported:
    """Open a file and try it on the test images of its data set. `name` is the file's where the path has another. With `pickled` the tensors of a file
    that torch.save has written are read too, by an unpickler that builds nothing but tensors and numbers.

    Raises CheckpointUnreadable for a damaged or foreign file, UnsupportedOperation for an ONNX operation that is not known, InvalidInput for
    a network that does not answer such images with a finite logit for each class, DataNotFound, Cancelled."""
    path = Path(path)
    name = name or path.name
    content = _content(path, name, pickled)
    split = load_dataset(settings.dataset, "test", root, download=False)
    images = split[: settings.limit]
    try:
        if name.lower().endswith(ONNX):
            architecture, config, model, note = _from_onnx(content, settings, images)
        else:
            read = _read_safetensors if name.lower().endswith(TENSORS) else tensors_of
            architecture, config, model, note = _from_tensors(read(content, name), settings, images)
        notes = [note] if note else []
        notes += _try(model, images, settings)
    except InvalidInput as error:
        raise type(error)([f"{name}: {each}" for each in error.problems]) if isinstance(error, ConfigurationError) else InvalidInput(f"{name}: {error}") from None
    accuracy = _accuracy(model, images, progress or Silent())
    if accuracy < 1.5 / model.classes:
        notes.append(f"It is right on {100 * accuracy:.1f} % of the test images, hardly more than by chance: check mean and std, and the order of its classes.")
    header = Header(
        kind=KIND, name=settings.name or Path(name).stem[:60], model=architecture, model_config=config, dataset=_dataset(settings, images),
        training={"imported_from": name[:200], "sha256": hashlib.sha256(content).hexdigest()}, metrics={"clean" if len(images) == len(split) else f"clean_first_{len(images)}": accuracy},
        seed=0, radius=settings.radius or RADII.get(model.image_shape[0], 0.1), percentile_radii={},
        description=f"Imported from {name[:100]}. {' '.join(notes)}".strip()[:1000], versions=library_versions(), revision=code_revision(),
    )  # fmt: skip
    return Imported(model, header, tuple(notes))


def _content(path: Path, name: str, pickled: bool) -> bytes:
    """Raises CheckpointUnreadable for what is not opened here."""
    opened = (ONNX, TENSORS, *(PICKLED if pickled else ()))
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            start = file.read(8)
            if not name.lower().endswith(opened):
                expected = f"expected a file that ends with {', '.join(opened)}"
                foreign = start[:2] in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05") or name.lower().endswith((".pt", ".pth", ".pt2", ".pkl", ".ckpt", ".bin"))
                raise CheckpointUnreadable(f"{name}: {EXECUTABLE if foreign else expected}.")
            if size > MAXIMUM_BYTES:
                raise CheckpointUnreadable(f"{name} has {size / 1e9:.1f} GB. At most {MAXIMUM_BYTES >> 30} GB are read.")
            if start[:2] == b"PK" and not name.lower().endswith(PICKLED):
                raise CheckpointUnreadable(f"{name} is a zip file as torch.save writes it: {EXECUTABLE}.")
            return start + file.read()
    except OSError as error:
        raise CheckpointUnreadable(f"{path} cannot be read: {error.strerror or error}.") from None


def _from_onnx(content: bytes, settings: ImportSettings, images: ImageDataset) -> tuple[str, dict, Classifier, str | None]:
    if settings.architecture or settings.configuration != "{}":
        raise InvalidInput("architecture and configuration are for tensors: an ONNX file says itself what it computes.")
    shape = tuple(images.images.shape[1:])
    config, model = open_onnx(content, shape, mean=settings.mean, std=settings.std, output=settings.output or None, cut_softmax=settings.cut_softmax)
    return "onnx_graph", config, model, None


def _read_safetensors(content: bytes, name: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    length = int.from_bytes(content[:8], "little")
    if HEADER_KEY.encode() in content[8 : 8 + min(length, 1 << 20)] and b'"__metadata__"' in content[8 : 8 + min(length, 1 << 20)]:
        raise InvalidInput("this is a checkpoint of the explorer already: open it as it is.")
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError, OverflowError) as error:
        raise CheckpointUnreadable(f"not a safetensors file, or it is truncated ({str(error)[:100]}). Copy or download it again.") from None


def _from_tensors(tensors: Mapping[str, Tensor], settings: ImportSettings, images: ImageDataset) -> tuple[str, dict, Classifier, str | None]:
    if settings.output or settings.cut_softmax:
        raise InvalidInput("output and cut_softmax are for ONNX files.")
    known = published_classifier(tensors) if settings.architecture in PUBLISHED else None
    if known is None and not settings.architecture:
        raise InvalidInput(f"tensors do not say what they belong to: give the architecture, one of {', '.join(ARCHITECTURES)}.")
    told = None
    if known and settings.architecture in ("", known.architecture):
        _check_classes(len(known.tensors["head.2.weight"]), settings, images)
        told = f"Recognised as a published {known.architecture!r} by its tensors: {', '.join(f'{key} {value}' for key, value in known.configuration.items())}."
        if known.mean and settings.mean is None:
            settings = replace(settings, mean=known.mean, std=known.std)
            told += f" As the file says, images are normalised with mean {known.mean} and std {known.std}."
        tensors, given = known.tensors, known.configuration | json.loads(settings.configuration)
        settings = replace(settings, architecture=known.architecture, configuration=json.dumps(given))
    own = _model_fields(settings, images)
    model = build_model(settings.architecture, own)
    found, note = adopted(model.state_dict(), tensors, settings.architecture)
    model.load_state_dict(found)
    return settings.architecture, own, model.eval().requires_grad_(False), told or note


def _model_fields(settings: ImportSettings, images: ImageDataset) -> dict:
    """The architecture's configuration: what was given, then what the data set says."""
    channels, height, width = images.images.shape[1:]
    given = json.loads(settings.configuration)
    implied = {"channels": channels, "height": height, "width": width, "classes": len(images.class_names), "mean": settings.mean, "std": settings.std}
    config = model_config(settings.architecture, {**{key: value for key, value in implied.items() if value is not None}, **given})
    if twice := [key for key in given if key in implied]:
        raise InvalidInput(f"{', '.join(twice)} of the configuration follow from the data set and from mean and std: leave them out.")
    return {field.name: getattr(config, field.name) for field in fields(config) if getattr(config, field.name) is not None}


def _try(model: Classifier, images: ImageDataset, settings: ImportSettings) -> list[str]:
    """What there is to say of its answers. Raises InvalidInput where they are no logits for the data set's classes."""
    classes = len(images.class_names)
    _check_classes(model.classes, settings, images)
    if settings.class_names is not None and len(settings.class_names) != classes:
        raise InvalidInput(f"{len(settings.class_names)} class names were given for {classes} classes.")
    few = images[:32]
    logits = check_logits(model, few.images, few.labels)
    if (logits >= 0).all() and ((logits.sum(1) - 1).abs() < 1e-3).all():
        cut = "cut_softmax takes it off" if not settings.cut_softmax else "Export it without"
        raise InvalidInput(f"it answers with probabilities (they sum to 1), expected logits: attacks on probabilities find little and would mislead. Its last operation is a softmax: {cut}.")
    return list(attack_warnings(model, few.images, few.labels))


def _check_classes(known: int, settings: ImportSettings, images: ImageDataset) -> None:
    if known != len(images.class_names):
        raise InvalidInput(f"it knows {known} classes, {settings.dataset!r} has {len(images.class_names)}. Choose the data set that it was trained for.")


def _accuracy(model: nn.Module, images: ImageDataset, progress: Progress, batch_size: int = 100) -> float:
    right = 0
    with torch.no_grad():
        for start in range(0, len(images), batch_size):
            stop_if_cancelled(progress)
            few = images[start : start + batch_size]
            right += int((model(few.images).argmax(1) == few.labels).sum())
            progress.advance(min(start + batch_size, len(images)), len(images))
    return right / len(images)


def _dataset(settings: ImportSettings, images: ImageDataset) -> dict:
    found = {"name": settings.dataset, "fingerprint": images.fingerprint(), "measured": len(images)}
    return found if settings.class_names is None else {**found, "class_names": list(settings.class_names)}

