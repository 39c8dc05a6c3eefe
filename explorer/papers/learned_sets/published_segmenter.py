"""The segmenters of the paper's published code as our own: U-Nets of multi-illumination scenes, recognised by their tensors."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from explorer.batches import as_many
from explorer.data import pair_kind
from explorer.data.illumination_pairs import LightPairs
from explorer.errors import InvalidInput
from explorer.models import build_model
from explorer.models.adopting import adopted
from explorer.models.segmentation import SegmentationUNet
from explorer.types import Progress

from .segmentation_config import LIGHT_PAIRS
from .segmentation_training import named_right

MODEL, DATASET = "segmentation_unet", "multi_illumination-mip5"
FIRST, LAST = "inc.double_conv.0.weight", "outc.conv.weight"
TRIED = 100  # pictures
UNET = (  # the names of the published U-Nets' two halves, and ours
    (r"\binc\.double_conv\.", "contraction.blocks.0."), (r"\bdown(\d)\.maxpool_conv\.1\.double_conv\.", r"contraction.blocks.\1."),
    *((rf"\bup{n}\.conv\.double_conv\.", f"expansion.blocks.{n - 1}.") for n in range(1, 5)),
)  # fmt: skip


def unet_widths(found: Mapping[str, Tensor], part: str = "") -> list[int]:
    """The channels of its levels, from the tensors of the falling half of that part of the network."""
    levels = len({name for name in found if re.fullmatch(rf"{re.escape(part)}down\d+\.maxpool_conv\.1\.double_conv\.0\.weight", name)})
    firsts = ["inc.double_conv.0", *(f"down{level}.maxpool_conv.1.double_conv.0" for level in range(1, levels + 1))]
    return [found[f"{part}{first}.weight"].shape[0] for first in firsts]


def is_segmenter(tensors: Mapping[str, Tensor]) -> bool:
    return FIRST in tensors and LAST in tensors


def published_segmenter(tensors: Mapping[str, Tensor], dataset: str, root: Path | None, device: torch.device, progress: Progress) -> tuple[SegmentationUNet, dict, LightPairs, dict[str, float]]:
    """The network with its configuration, the test scenes, and what it has on the first pictures of them. Raises InvalidInput where it names other
    materials than those of the scenes, DataNotFound, and Cancelled."""
    pairs, *_ = pair_kind(LIGHT_PAIRS).at_hand(dataset, root)
    channels, height, width = pairs.scenes.image_shape
    try:
        config = {"channels": channels, "height": height, "width": width, "classes": tensors[LAST].shape[0], "widths": unet_widths(tensors)}
    except (KeyError, IndexError) as error:
        raise InvalidInput(f"the file begins like a segmenter, and then has other tensors ({error}): it is another network, or not whole.") from None
    if config["classes"] != len(pairs.scenes.material_names):
        raise InvalidInput(f"the file names {config['classes']} materials, {dataset} has {len(pairs.scenes.material_names)}. Name the --dataset that it was trained on.")
    model = build_model(MODEL, config)
    state, _ = adopted(model.state_dict(), {_renamed(name): value for name, value in tensors.items()}, MODEL)
    model.load_state_dict(state)
    model = model.to(device).eval().requires_grad_(False)
    return model, config, pairs, named_right(model, pairs, as_many(64, pairs.scenes.image_shape), device, TRIED, progress)


def _renamed(name: str) -> str:
    for pattern, ours in (*UNET, (r"outc\.conv\.", "head.")):
        name = re.sub(pattern, ours, name)
    return name
