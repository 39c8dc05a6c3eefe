"""One network on many images, each with weights of its own."""

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

from explorer.sets.own_weights import FullLanes, with_own_weights

IMAGES = 3


class Layers(nn.Module):
    """Convolutions whose channels do not fill the lanes, with and without bias, with strides, dilation, groups, padding by name, and a transposed one."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList([
            nn.Conv2d(3, 5, 3, padding=1), nn.Conv2d(5, 16, 3, stride=2, padding=1, bias=False), nn.Conv2d(16, 6, 3, padding="same", dilation=2),
            nn.Conv2d(6, 4, 1, groups=2), nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1),
        ])  # fmt: skip

    def forward(self, x):
        for each in self.convolutions:
            x = each(x).tanh()
        return x


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Layers().double()


def test_each_image_is_what_its_own_network_makes_of_it_and_so_are_the_gradients(network):
    images = torch.rand(IMAGES, 3, 8, 8, dtype=torch.float64)
    weights = {name: (each + 0.1 * torch.randn(IMAGES, *each.shape, dtype=torch.float64)).detach().requires_grad_() for name, each in network.named_parameters()}
    together = with_own_weights(network, weights, images)
    alone = torch.cat([functional_call(network, {name: each[row] for name, each in weights.items()}, (images[row : row + 1],)) for row in range(IMAGES)])
    assert torch.allclose(together, alone, atol=1e-12)
    for ours, plain in zip(*(torch.autograd.grad(made.square().sum(), list(weights.values())) for made in (together, alone)), strict=True):
        assert torch.allclose(ours, plain, atol=1e-12)


class Watched(TorchFunctionMode):
    """Notes the weights of every convolution that is computed."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.conv2d:
            self.shapes.append(tuple(args[1].shape[:2]))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("inputs", "outputs", "computed"), [(3, 16, (16, 8)), (16, 3, (8, 16)), (3, 3, (8, 8)), (8, 16, (16, 8))])
def test_channels_fill_the_lanes_and_the_added_ones_are_cut_off(inputs, outputs, computed):
    x, layer = torch.rand(2, inputs, 6, 6), nn.Conv2d(inputs, outputs, 3, padding=1)
    with Watched() as watched, FullLanes():
        made = layer(x)
    assert watched.shapes == [computed]
    assert made.shape == (2, outputs, 6, 6) and torch.allclose(made, layer(x), atol=1e-6)
