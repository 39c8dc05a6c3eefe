import math

import pytest
import torch

from explorer.errors import ConfigurationError, InvalidInput
from explorer.models import build_model
from explorer.sets import ManifoldLatent

CNN = {"channels": 1, "height": 16, "width": 16, "classes": 3, "latent_dim": 4, "widths": [2, 3, 4, 5]}
MLP = {"height": 16, "width": 16, "classes": 3, "latent_dim": 4, "hidden_units": 8}


@pytest.fixture(params=[("class_mlp_cvae", MLP), ("class_cnn_cvae", CNN)], ids=["mlp", "cnn"])
def model(request):
    torch.manual_seed(0)
    return build_model(*request.param).eval()


def test_the_centre_is_the_decoded_mean_of_the_image_and_its_class(model):
    x, labels = torch.rand(3, 1, 16, 16), torch.tensor([0, 2, 1])
    at = ManifoldLatent(model, 1.0).at(x, labels)
    torch.testing.assert_close(at.perturb(torch.zeros(3, 4)), model.decode(model.encode(x, labels).mean, labels))


def test_another_class_is_another_manifold(model):
    x = torch.rand(1, 1, 16, 16)
    zero, one = (ManifoldLatent(model, 1.0).at(x, torch.tensor([label])).perturb(torch.zeros(1, 4)) for label in (0, 1))
    assert (zero - one).abs().max() > 1e-4


def test_a_sign_step_is_the_steepest_ascent_of_the_box(model):
    region = ManifoldLatent(model, 0.7).at(torch.rand(2, 1, 16, 16), torch.tensor([0, 1])).region
    gradient = torch.randn(2, 4)
    assert torch.equal(region.ascent_direction(gradient), 0.7 * gradient.sign())


def test_decoded_images_lie_in_the_unit_range(model):
    decoded = model.decode(100 * torch.randn(20, 4), torch.zeros(20, dtype=torch.long))
    assert decoded.shape == (20, 1, 16, 16) and decoded.min() >= 0 and decoded.max() <= 1


def test_the_papers_size_of_mnist_is_two_layers_of_256_and_784():
    with torch.device("meta"):
        assert sum(each.numel() for each in build_model("class_mlp_cvae", {}).parameters()) == (794 + 1) * 256 + 257 * 20 + 21 * 256 + 257 * 784 == 415_524


@pytest.mark.parametrize("labels", [None, torch.tensor([0]), torch.tensor([0, 3]), torch.tensor([-1, 0])])
def test_images_without_a_known_class_are_refused(model, labels):
    with pytest.raises(InvalidInput, match="class|labels"):
        ManifoldLatent(model, 1.0).at(torch.rand(2, 1, 16, 16), labels)


def test_images_of_another_size_are_refused(model):
    with pytest.raises(InvalidInput, match="takes images"):
        ManifoldLatent(model, 1.0).at(torch.rand(1, 1, 12, 12), torch.tensor([0]))


@pytest.mark.parametrize(("radius", "norm"), [(-1.0, 2), (math.inf, 2), (1.0, 1)])
def test_impossible_sets_are_errors(model, radius, norm):
    with pytest.raises(InvalidInput):
        ManifoldLatent(model, radius, norm)


def test_an_image_that_cannot_be_halved_four_times_is_an_error():
    with pytest.raises(ConfigurationError, match="multiples of 16"):
        build_model("class_cnn_cvae", {"height": 28})
