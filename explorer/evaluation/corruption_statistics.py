"""What corruptions do to images, as curves over the severities, so that two implementations can be compared that draw different random numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from jaxtyping import Float
from torch import Tensor

from explorer.data.corruptions import SEVERITIES, applicable, corrupt
from explorer.errors import InvalidInput
from explorer.metrics import ssim
from explorer.randomness import Streams
from explorer.types import Progress, Silent, stop_if_cancelled


@dataclass(frozen=True)
class CorruptionStatistics:
    """Means over the images, pixels in [0, 1]: the similarity to the clean image, the absolute and the signed change of a pixel, and of the
    corrupted image its pixels' standard deviation and its total variation, the mean absolute step to the next pixel across and down."""

    ssim: float
    absolute: float
    signed: float
    deviation: float
    variation: float


STATISTICS = tuple(field.name for field in fields(CorruptionStatistics))


def statistics(clean: Float[Tensor, "n c h w"], corrupted: Float[Tensor, "n c h w"]) -> CorruptionStatistics:
    """Raises InvalidInput below 11 pixels, and for batches of different shapes or without an image."""
    if not len(clean):
        raise InvalidInput("expected at least one image.")
    change = corrupted - clean
    across, down = corrupted.diff(dim=3).abs().mean((1, 2, 3)), corrupted.diff(dim=2).abs().mean((1, 2, 3))
    columns = ssim(clean, corrupted), change.abs().flatten(1).mean(1), change.flatten(1).mean(1), corrupted.flatten(1).std(1, correction=0), across + down
    return CorruptionStatistics(*(float(column.double().mean()) for column in columns))


def severity_curves(
    images: Float[Tensor, "n c h w"], *, names: tuple[str, ...] | None = None, severities: tuple[int, ...] = SEVERITIES, seed: int = 0, progress: Progress | None = None
) -> Mapping[str, Mapping[int, CorruptionStatistics]]:
    """Of each corruption at each severity; None: all that the images' channels allow. Each image has its own stream, the same at all severities.

    Raises what `corrupt` and `statistics` raise, and Cancelled."""
    names = applicable(images.shape[1]) if names is None else names
    progress, cases = progress or Silent(), [(name, severity) for name in names for severity in severities]
    curves: dict[str, dict[int, CorruptionStatistics]] = {name: {} for name in names}
    for done, (name, severity) in enumerate(cases, 1):
        stop_if_cancelled(progress)
        curves[name][severity] = statistics(images, corrupt(images, name, severity, Streams(seed, range(len(images)), purpose="corruption")))
        progress.advance(done, len(cases), name)
    return curves
