"""Layers that several networks share."""

import pytest
import torch

from explorer.models.blocks import SteppingConv2d


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last], ids=["map by map", "pixel by pixel"])
def test_a_convolution_of_every_second_pixel_is_that_of_the_library(memory):
    torch.manual_seed(0)
    ours, x = SteppingConv2d(4, 6, 2), torch.randn(20, 4, 10, 10).contiguous(memory_format=memory).requires_grad_()
    plain = torch.randn(20, 4, 10, 10).copy_(x.detach()).requires_grad_()
    mine, theirs = ours(x), torch.nn.functional.conv2d(plain[..., ::2, ::2], ours.weight, ours.bias)
    torch.testing.assert_close(mine, theirs)
    found = [torch.autograd.grad(out.square().sum(), [image, ours.weight, ours.bias]) for out, image in ((mine, x), (theirs, plain))]
    for one, other in zip(*found):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
