"""An ONNX file's bytes as a classifier of images in [0, 1]."""

from dataclasses import asdict

import torch

from explorer.errors import ConfigurationError, InvalidInput

from ..classifiers import Classifier
from .convert import Converted, convert
from .file import read_onnx
from .graph import FAILURES, OnnxConfig, classifier_of

EXPORT = "Export it with a free batch: torch.onnx.export(model.eval(), (images,), path, dynamic_shapes=({0: torch.export.Dim.DYNAMIC},), external_data=False)."
CLOSE = 1e-4  # to the answers for each image alone, in units of the largest


def open_onnx(
    content: bytes, image_shape: tuple[int, int, int], *, mean: tuple[float, ...] | None = None, std: tuple[float, ...] | None = None, output: str | None = None, cut_softmax: bool = False
) -> tuple[dict, Classifier]:
    """The configuration of a model "onnx_graph", and that model with the file's weights, in evaluation mode.

    `mean` and `std` become part of the model, for files that expect normalised images; `output` names the one with the logits where there
    are several. Raises CheckpointUnreadable for a damaged file, UnsupportedOperation for what it uses and is not known here, InvalidInput
    for a network that does not take such images or mixes those of a batch."""
    file = read_onnx(content)
    converted = convert(file, image_shape, output, cut_softmax=cut_softmax)
    broken = [name for name, value in converted.tensors.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise InvalidInput(f"{len(broken)} of its tensors hold NaN or infinite numbers: the training diverged.")
    (given,) = file.inputs.values()
    ways = (False, True) if given and given[0] == 1 else (False,)
    for one_by_one in ways:
        try:
            return _classifier(converted, image_shape, mean, std, one_by_one)
        except InvalidInput as error:
            if one_by_one == ways[-1] or isinstance(error, ConfigurationError):
                fixed = f" It was exported for {given[0]} images. {EXPORT}" if given and given[0] not in (None, 1) else ""
                raise error if not fixed else InvalidInput(f"{error}{fixed}") from None
    raise AssertionError


def _classifier(converted: Converted, image_shape: tuple[int, int, int], mean: tuple | None, std: tuple | None, one_by_one: bool) -> tuple[dict, Classifier]:
    config = OnnxConfig(*image_shape, converted.classes, converted.shapes, converted.lines, mean, std, one_by_one)
    model = classifier_of(config)
    model.features.load_state_dict(converted.tensors)
    model.eval().requires_grad_(False)
    _check_apart(model)
    return {name: value for name, value in asdict(config).items() if value is not None}, model


def _check_apart(model: Classifier) -> None:
    """Raises InvalidInput where an image's answer depends on the others of its batch, or is not finite."""
    images = torch.rand(3, *model.image_shape, generator=torch.Generator().manual_seed(0))
    try:
        with torch.no_grad():
            together, alone = model(images), torch.cat([model(image[None]) for image in images])
    except FAILURES as error:
        raise InvalidInput(f"the network does not run: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}") from None
    if not together.isfinite().all():
        raise InvalidInput("the network answers an image of noise with NaN or infinite numbers. Check its weights and its normalisation.")
    if together.shape != alone.shape or not torch.allclose(together, alone, rtol=0, atol=CLOSE * float(alone.abs().max() + 1)):
        raise InvalidInput(f"an image's answer depends on the others of its batch. {EXPORT}")

