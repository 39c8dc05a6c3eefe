import pytest
import torch

from explorer.bounds import Interval, bounds
from explorer.errors import ConfigurationError
from explorer.models import build_model

NARROW = {"height": 14, "width": 14, "classes": 3}
NARROW_MODELS = [
    ("dm_small", {**NARROW, "widths": [2, 3], "hidden_units": [5]}),
    ("dm_medium", {**NARROW, "height": 22, "width": 22, "widths": [2, 2, 3, 3], "hidden_units": [5, 4]}),
    ("dm_large", {**NARROW, "widths": [2, 2, 3, 3, 3], "hidden_units": [5]}),
    ("lenet5", {**NARROW, "widths": [2, 3], "hidden_units": [5]}),
    ("resnet32", {**NARROW, "channels": 1, "widths": [2, 3, 4], "depths": [2, 1, 1]}),
    ("resnet50", {**NARROW, "channels": 1, "stem": 2, "widths": [2, 3], "depths": [1, 2]}),
    ("preact_resnet", {**NARROW, "channels": 1, "stem": 2, "widths": [2, 3], "depths": [1, 2]}),
    ("preact_resnet", {**NARROW, "channels": 1, "stem": 2, "widths": [2, 3], "depths": [1, 2], "bottleneck": True}),
    ("wide_resnet", {**NARROW, "channels": 1, "stem": 2, "widths": [3, 4], "depths": [1, 1]}),
]


@pytest.mark.parametrize(
    ("name", "config", "parameters"),
    [
        ("dm_small", {}, 329_606),
        ("dm_medium", {}, 893_418),
        ("dm_large", {"channels": 3, "height": 32, "width": 32}, 17_190_602),
        ("lenet5", {}, 61_706),
        ("resnet32", {}, 464_154),
        ("resnet50", {}, 25_557_032),
        ("preact_resnet", {}, 11_172_170),
        ("wide_resnet", {}, 36_479_194),
    ],
)
def test_the_papers_sizes_have_the_papers_parameters(name, config, parameters):
    with torch.device("meta"):
        assert sum(each.numel() for each in build_model(name, config).parameters()) == parameters


@pytest.mark.parametrize(("name", "config"), NARROW_MODELS)
def test_a_row_of_logits_for_each_image(name, config):
    model = build_model(name, config)
    assert model(torch.rand(4, *model.image_shape)).shape == (4, 3)


@pytest.mark.parametrize(("name", "config"), NARROW_MODELS)
def test_every_classifier_can_be_bounded(name, config):
    model = build_model(name, {**config, "mean": [0.2], "std": [0.5]}).eval()
    x = torch.rand(2, *model.image_shape)
    found = bounds(model, Interval.around(x, 0.01), "crown-ibp")
    assert found.holds(model(x), 1e-5).all() and (found.width >= 0).all()  # so narrow a network can be dead: no width at all


def test_normalisation_is_that_of_its_channel():
    config = {"channels": 2, "height": 10, "width": 10, "widths": [2, 2], "hidden_units": [3]}
    plain, normalised = build_model("dm_small", config), build_model("dm_small", {**config, "mean": [0.5, 0.1], "std": [2.0, 4.0]})
    normalised.load_state_dict(plain.state_dict())
    x = torch.rand(1, 2, 10, 10)
    by_hand = torch.stack([(x[:, 0] - 0.5) / 2, (x[:, 1] - 0.1) / 4], 1)
    torch.testing.assert_close(normalised(x), plain(by_hand))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"height": 6}, "nothing is left"),
        ({"mean": [0.1]}, "come together"),
        ({"mean": [0.1, 0.2], "std": [1.0, 1.0]}, "each of 1 channels"),
        ({"mean": [0.1], "std": [0.0]}, "above 0"),
        ({"classes": 1}, "classes = 1"),
        ({"hidden_units": [0]}, "hidden_units"),
    ],
)
def test_impossible_configurations_say_what_is_wrong(config, words):
    with pytest.raises(ConfigurationError, match=words):
        build_model("dm_small", config)
