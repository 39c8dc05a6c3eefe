"""Classifiers of CIFAR-10 as others publish them, from networks written here after their descriptions."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from explorer.errors import InvalidInput
from explorer.models import build_model
from explorer.models.published_classifiers import published_classifier


def conv(inputs, outputs, size, stride=1):
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)


class WideBlock(nn.Module):
    """Batch norm and ReLU first; the shortcut's convolution, where the shape changes, after them."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1, self.bn2, self.conv2 = nn.BatchNorm2d(inputs), conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), conv(outputs, outputs, 3)
        self.convShortcut = conv(inputs, outputs, 1, stride) if inputs != outputs else None

    def forward(self, x):
        first = F.relu(self.bn1(x))
        hidden = self.conv2(F.relu(self.bn2(self.conv1(first))))
        return hidden + (self.convShortcut(first) if self.convShortcut is not None else x)


class Stage(nn.Module):
    def __init__(self, depth, inputs, outputs, stride):
        super().__init__()
        self.layer = nn.Sequential(*(WideBlock(outputs if number else inputs, outputs, 1 if number else stride) for number in range(depth)))

    def forward(self, x):
        return self.layer(x)


class Wide(nn.Module):
    def __init__(self, depth=2, widths=(4, 8, 12, 16)):
        super().__init__()
        self.conv1 = conv(3, widths[0], 3)
        self.sub_block1 = Stage(depth, widths[0], widths[1], 1)  # as in TRADES' code: never called
        self.block1, self.block2, self.block3 = (Stage(depth, widths[n], widths[n + 1], 2 if n else 1) for n in range(3))
        self.bn1, self.fc = nn.BatchNorm2d(widths[3]), nn.Linear(widths[3], 10)

    def forward(self, x):
        return self.fc(F.relu(self.bn1(self.block3(self.block2(self.block1(self.conv1(x)))))).mean((2, 3)))


class PreAct(nn.Module):
    """A block of a pre-activation ResNet, whose shortcut is a sequence of one convolution."""

    def __init__(self, inputs, outputs, stride, bottleneck):
        super().__init__()
        self.bn1, self.bottleneck = nn.BatchNorm2d(inputs), bottleneck
        whole = 4 * outputs if bottleneck else outputs
        if bottleneck:
            self.conv1, self.bn2, self.conv2 = conv(inputs, outputs, 1), nn.BatchNorm2d(outputs), conv(outputs, outputs, 3, stride)
            self.bn3, self.conv3 = nn.BatchNorm2d(outputs), conv(outputs, whole, 1)
        else:
            self.conv1, self.bn2, self.conv2 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), conv(outputs, outputs, 3)
        if stride != 1 or inputs != whole:
            self.shortcut = nn.Sequential(conv(inputs, whole, 1, stride))

    def forward(self, x):
        first = F.relu(self.bn1(x))
        hidden = self.conv2(F.relu(self.bn2(self.conv1(first))))
        if self.bottleneck:
            hidden = self.conv3(F.relu(self.bn3(hidden)))
        return hidden + (self.shortcut(first) if hasattr(self, "shortcut") else x)


class PreActNet(nn.Module):
    def __init__(self, bottleneck=False, last_norm=True):
        super().__init__()
        more = 4 if bottleneck else 1
        self.conv1 = conv(3, 4, 3)
        self.layer1 = nn.Sequential(PreAct(4, 4, 1, bottleneck), PreAct(4 * more, 4, 1, bottleneck))
        self.layer2 = nn.Sequential(PreAct(4 * more, 8, 2, bottleneck))
        if last_norm:
            self.bn = nn.BatchNorm2d(8 * more)
        self.linear = nn.Linear(8 * more, 10)

    def forward(self, x):
        hidden = self.layer2(self.layer1(self.conv1(x)))
        return self.linear((F.relu(self.bn(hidden)) if hasattr(self, "bn") else hidden).mean((2, 3)))


class Basic(nn.Module):
    """ReLU after the sum; a shortcut takes every second pixel and adds empty maps on both sides."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1, self.conv2, self.bn2 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), conv(outputs, outputs, 3), nn.BatchNorm2d(outputs)
        self.added = (outputs - inputs) // 2

    def forward(self, x):
        shortcut = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.added, self.added)) if self.added else x
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + shortcut)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 4, 3), nn.BatchNorm2d(4)
        self.layer1, self.layer2 = nn.Sequential(Basic(4, 4, 1), Basic(4, 4, 1)), nn.Sequential(Basic(4, 8, 2))
        self.linear = nn.Linear(8, 10)

    def forward(self, x):
        return self.linear(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))).mean((2, 3)))


class Normalised(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.mu, self.std = (nn.Parameter(torch.tensor(values).view(1, 3, 1, 1), requires_grad=False) for values in (mean, std))

    def forward(self, x):
        return (x - self.mu) / self.std


def lively(network):
    """Batch norms with statistics and factors of their own."""
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if value.is_floating_point() and "mu" not in name and "std" not in name:
            value.copy_(0.5 + torch.rand(value.shape, generator=generator) if "var" in name or value.dim() == 1 else 0.4 * torch.randn(value.shape, generator=generator))
    return network.eval()


NETWORKS = {
    "wide": (Wide, "wide_resnet", {"stem": 4, "widths": [8, 12, 16], "depths": [2, 2, 2]}),
    "pre-activation": (PreActNet, "preact_resnet", {"stem": 4, "widths": [4, 8], "depths": [2, 1], "bottleneck": False}),
    "pre-activation, bottlenecks": (lambda: PreActNet(True), "preact_resnet", {"stem": 4, "widths": [4, 8], "depths": [2, 1], "bottleneck": True}),
    "residual": (Residual, "resnet32", {"widths": [4, 8], "depths": [2, 1]}),
}


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_published_network_is_recognised_and_answers_the_same(name, wrapped):
    make, architecture, configuration = NETWORKS[name]
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
    network = lively(nn.Sequential(Normalised(mean, std), make()) if wrapped else make())
    found = published_classifier(network.state_dict())
    assert found.architecture == architecture and found.configuration == configuration
    assert (found.mean, found.std) == ((pytest.approx(mean), pytest.approx(std)) if wrapped else (None, None))
    model = build_model(architecture, {**found.configuration, **({"mean": found.mean, "std": found.std} if wrapped else {})}).eval()
    missing = model.load_state_dict(found.tensors, strict=False)
    assert not missing.unexpected_keys and all(key.endswith("num_batches_tracked") for key in missing.missing_keys)
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(model(images), network(images), atol=1e-5, rtol=1e-5)


def test_wrappers_are_taken_off_by_their_names():
    state = {f"module.model.{name}": value for name, value in Wide().state_dict().items()}
    assert published_classifier(state).architecture == "wide_resnet"


def test_a_network_of_no_known_kind_is_none():
    assert published_classifier(nn.Sequential(nn.Linear(3, 2)).state_dict()) is None
    assert published_classifier(PreActNet(last_norm=False).state_dict()) is None, "without its last batch norm it is another network"


def test_a_known_network_with_more_in_it_is_refused():
    state = Wide().state_dict()
    with pytest.raises(InvalidInput, match="attention.weight too.*another network"):
        published_classifier({**state, "attention.weight": torch.zeros(3)})
