"""One network on many images at once, with weights of its own for each image."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.overrides import TorchFunctionMode

LANES = 8  # numbers that a processor's kernels compute together


def with_own_weights(network: nn.Module, weights: dict[str, Tensor], images: Float[Tensor, "some channels height width"]) -> Tensor:
    """What the network makes of each image with its own row of each of the weights, which are named as the network's parameters."""
    if len(images) == 1:
        return functional_call(network, {name: own[0] for name, own in weights.items()}, (images,))
    with FullLanes():
        return vmap(lambda own, image: functional_call(network, own, (image[None],))[0])(weights, images)


class FullLanes(TorchFunctionMode):
    """Convolutions on the CPU get channels of zeros until their number fills the lanes: as one group for each image of a grouped convolution,
    16 channels to 3 take five times as long as 16 to 8 (`python -m benchmarks corruptions`)."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.conv2d and not kwargs and len(args) == 7 and args[6] == 1 and args[1].device.type == "cpu":
            return _convolved(*args[:6])
        return func(*args, **(kwargs or {}))


def _convolved(x: Tensor, weight: Float[Tensor, "outputs inputs rows columns"], bias: Tensor | None, *where) -> Tensor:
    outputs, inputs = weight.shape[:2]
    more_outputs, more_inputs = -outputs % LANES, -inputs % LANES
    if more_outputs or more_inputs:
        weight = F.pad(weight, (0, 0, 0, 0, 0, more_inputs, 0, more_outputs))
    if more_inputs:
        x = F.pad(x, (0, 0, 0, 0, 0, more_inputs))
    if bias is not None and more_outputs:
        bias = F.pad(bias, (0, more_outputs))
    return torch.conv2d(x, weight, bias, *where).narrow(-3, 0, outputs)
