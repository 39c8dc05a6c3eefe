"""Layers that several networks share."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class _StrideOneConvolution(torch.autograd.Function):
    """A convolution whose gradient with respect to its input is computed as a forward convolution with the flipped kernel:
    the same numbers, three times faster on CPU for the few channels of these networks (benchmarks, "training")."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, bias)

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            flipped = weight.flip(2, 3).transpose(0, 1)
            grad_x = F.conv2d(gradient, flipped, padding=[size - 1 for size in weight.shape[2:]])
        if ctx.needs_input_grad[1]:
            grad_weight = torch.nn.grad.conv2d_weight(x, weight.shape, gradient)
        if ctx.needs_input_grad[2]:
            grad_bias = gradient.sum((0, 2, 3))
        return grad_x, grad_weight, grad_bias


class ReflectedConv2d(nn.Conv2d):
    """A stride-1 convolution that keeps the image's size by reflecting its border."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int):
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2, padding_mode="reflect")

    def forward(self, x: Float[Tensor, "batch inputs height width"]) -> Float[Tensor, "batch outputs height width"]:
        if x.device.type != "cpu" or not torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        padding = self.kernel_size[0] // 2
        return _StrideOneConvolution.apply(F.pad(x, [padding] * 4, mode="reflect"), self.weight, self.bias)


class SteppingConv2d(nn.Conv2d):
    """A 1×1 convolution of every second, or third, pixel. In the gradient of its weights for fewer than eight maps that lie pixel by pixel in memory,
    torch 2.15 writes outside its memory on processors without AVX-512: such maps are laid out one after the other first."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, bias: bool = True):
        super().__init__(in_channels, out_channels, 1, stride, bias=bias)

    def forward(self, x: Float[Tensor, "batch inputs height width"]) -> Float[Tensor, "batch outputs smaller_height smaller_width"]:
        return super().forward(x.contiguous() if self.in_channels < 8 and x.device.type == "cpu" and not x.is_contiguous() else x)


class PreActivationBlock(nn.Module):
    """Two convolutions with reflection padding, each pre-activated with batch norm and ReLU
    (Perturbation sets, Appendix D.1, "RTS details"; its size of 5 follows from the number of parameters)."""

    def __init__(self, channels: int, kernel_size: int = 5):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.conv1, self.conv2 = (ReflectedConv2d(channels, channels, kernel_size) for _ in range(2))

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        hidden = self.conv1(F.relu(self.norm1(x)))
        return self.conv2(F.relu(self.norm2(hidden)))


LARGEST_COORDINATE = 1e6  # in half edges of the image: everything there is border


class SpatialTransformer(nn.Module):
    """Moves an image by an affine map computed from a control map, starting from the identity
    (Jaderberg et al., 2015; bilinear, border pixels repeated)."""

    def __init__(self, control_size: int, widths: Sequence[int] = (512, 128)):
        super().__init__()
        sizes = (control_size, *widths)
        layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
        self.localization = nn.Sequential(*layers)
        self.affine = nn.Linear(sizes[-1], 6)
        nn.init.zeros_(self.affine.weight)
        with torch.no_grad():
            self.affine.bias.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0]))

    def forward(
        self, image: Float[Tensor, "batch channels height width"], control: Float[Tensor, "batch control"]
    ) -> Float[Tensor, "batch channels height width"]:
        theta = self.affine(self.localization(control)).view(-1, 2, 3)
        if image.device.type == "cpu" and not (usable := theta.abs() < LARGEST_COORDINATE).all():
            return self._without_crash(image, theta, usable.all(2).all(1))
        return self._sample(image, theta)

    @staticmethod
    def _sample(image: Tensor, theta: Tensor) -> Tensor:
        grid = F.affine_grid(theta, list(image.shape), align_corners=False)
        return F.grid_sample(image, grid, padding_mode="border", align_corners=False)

    def _without_crash(self, image: Tensor, theta: Tensor, usable: Tensor) -> Tensor:
        """NaN for examples whose map is not finite: torch's CPU kernel reads outside its memory there and ends the process."""
        moved = self._sample(image, torch.where(usable[:, None, None], theta, 0.0))
        return torch.where(usable[:, None, None, None], moved, torch.nan)
