"""The U-Net that names the material of every pixel (Perturbation sets, §5.2 and Appendix F.3; Ronneberger et al., 2015)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from explorer.configuration import out_of_range
from explorer.errors import ConfigurationError

from .unet_blocks import WIDTHS, Contraction, Expansion, shape_problems

SEGMENTER = "segmenter"  # the kind of the checkpoints that hold one


@dataclass(frozen=True)
class SegmentationConfig:
    """{} is the published size, 17,269,668 parameters for the 36 materials of the multi-illumination scenes."""

    channels: int = 3
    height: int = 125
    width: int = 187
    classes: int = 36
    widths: tuple[int, ...] = WIDTHS

    def __post_init__(self):
        if problems := shape_problems(self, "widths") + out_of_range(self, classes=(2, 65536)):
            raise ConfigurationError(problems)


class SegmentationUNet(nn.Module):
    """Images in [0, 1] to logits for each pixel; `image_shape` (channels, height, width) and `classes` say what it takes and gives."""

    def __init__(self, config: SegmentationConfig):
        super().__init__()
        self.image_shape, self.classes = (config.channels, config.height, config.width), config.classes
        self.contraction, self.expansion = Contraction(config.channels, config.widths), Expansion(config.widths)
        self.head = nn.Conv2d(config.widths[0], config.classes, 1)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch classes height width"]:
        return self.head(self.expansion(self.contraction(x)))


def segmentation_unet(config: SegmentationConfig) -> SegmentationUNet:
    return SegmentationUNet(config).to(memory_format=torch.channels_last)
