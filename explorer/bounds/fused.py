"""Steps of bound propagation with gradients written by hand: the same values as the plain formulas, in fewer passes over memory. They
can be differentiated once."""

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from .transposed import transposed_convolution


class Halves(torch.autograd.Function):
    """(lower, upper) -> (centre, radius)."""

    @staticmethod
    def forward(ctx, lower, upper):
        center = torch.add(lower, upper).mul_(0.5)
        return center, upper - center

    @staticmethod
    @once_differentiable
    def backward(ctx, center, radius):
        return torch.sub(center, radius).mul_(0.5), torch.add(center, radius).mul_(0.5)


class Ends(torch.autograd.Function):
    """(centre, radius) -> (lower, upper)."""

    @staticmethod
    def forward(ctx, center, radius):
        return center - radius, center + radius

    @staticmethod
    @once_differentiable
    def backward(ctx, lower, upper):
        return lower + upper, upper - lower


class AbsoluteLinear(torch.autograd.Function):
    """(radius, weight) -> radius @ |weight|ᵀ, a block of rows at a time, so that |weight| never leaves the processor's cache."""

    @staticmethod
    def forward(ctx, radius, weight, rows):
        ctx.save_for_backward(radius, weight)
        ctx.rows = rows
        return torch.cat([radius @ block.abs().T for block in weight.split(rows)], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        radius, weight = ctx.saved_tensors
        to_radius = to_weight = None
        if ctx.needs_input_grad[0]:
            to_radius = sum(part @ block.abs() for part, block in zip(gradient.split(ctx.rows, -1), weight.split(ctx.rows)))
        if ctx.needs_input_grad[1]:
            to_weight = torch.empty_like(weight)
            for part, block, out in zip(gradient.split(ctx.rows, -1), weight.split(ctx.rows), to_weight.split(ctx.rows)):
                torch.mm(part.T, radius, out=out).mul_(block.sign())
        return to_radius, to_weight, None


class Convolution(torch.autograd.Function):
    """conv2d, whose gradient goes back to its input by the faster of the transposed convolutions: to an image of one channel, as budgets of
    pixels need it, in a sixth of the time."""

    @staticmethod
    def forward(ctx, x, weight, bias, stride, padding, dilation, groups):
        ctx.save_for_backward(x, weight)
        ctx.options, ctx.biased = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}, bias is not None
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        to_x = to_weight = to_bias = None
        if ctx.needs_input_grad[0]:
            to_x = transposed_convolution(gradient, weight, **ctx.options, size=tuple(x.shape[2:]))
        if ctx.needs_input_grad[1]:
            to_weight = torch.nn.grad.conv2d_weight(x, weight.shape, gradient, **ctx.options)
        if ctx.biased and ctx.needs_input_grad[2]:
            to_bias = gradient.sum((0, 2, 3))
        return to_x, to_weight, to_bias, None, None, None, None


class BackThroughRelu(torch.autograd.Function):
    """(rows, lower, upper, below) -> coefficients before the ReLU and what its offsets add to the bound. Above a negative coefficient
    lies the chord; `below` is the slope of the line below, a constant."""

    @staticmethod
    def forward(ctx, rows, lower, upper, below):
        low, high = lower.clamp(max=0), upper.clamp(min=0)
        width = high - low
        chord = high / width.masked_fill_(width == 0, 1.0)
        negative = rows.clamp(max=0)
        back = torch.mul(rows, below.unsqueeze(1)).addcmul_(negative, (chord - below).unsqueeze(1))
        offset = -torch.linalg.vecdot(negative.flatten(2), (low * chord).flatten(1).unsqueeze(1))
        ctx.save_for_backward(rows, lower, upper, below, chord, width)
        return back, offset

    @staticmethod
    @once_differentiable
    def backward(ctx, to_back, to_offset):
        rows, lower, upper, below, chord, width = ctx.saved_tensors
        negative, low = rows.clamp(max=0), lower.clamp(max=0)
        weight = to_offset.view(*to_offset.shape, *[1] * (rows.ndim - 2))
        by_chord, by_offset = (to_back * negative).sum(1), (weight * negative).sum(1)
        to_chord = by_chord.addcmul_(low, by_offset, value=-1) / width
        to_upper = torch.mul(to_chord, low).div_(width).neg_().mul_(upper > 0)
        to_lower = (to_chord - by_offset).mul_(chord).mul_(lower < 0)
        slope = torch.where(rows < 0, chord.unsqueeze(1), below.unsqueeze(1))
        to_rows = torch.mul(to_back, slope).addcmul_(weight * (rows < 0), (low * chord).unsqueeze(1), value=-1)
        return to_rows, to_lower, to_upper, None
