import pytest
import torch

from explorer.errors import ConfigurationError
from explorer.models import build_model

SMALL = {
    "linf_fc_cvae": {"height": 8, "width": 8, "hidden_units": 10, "latent_dim": 5},
    "linf_conv_cvae": {"height": 8, "width": 12, "widths": [4, 6, 3]},
}


@pytest.mark.parametrize(("name", "count"), [("linf_fc_cvae", 6_152_832), ("linf_conv_cvae", 426_766)])
def test_the_papers_model_has_its_published_number_of_parameters(name, count):
    assert sum(p.numel() for p in build_model(name, {}).parameters()) == count


def test_the_convolutional_latents_are_128_maps_of_7_by_7():
    assert build_model("linf_conv_cvae", {}).latent_dim == 128 * 7 * 7


@pytest.mark.parametrize("name", SMALL)
def test_a_model_decodes_images_of_its_shape(name):
    model = build_model(name, SMALL[name]).eval()
    x = torch.rand(3, *model.image_shape)
    decoded, posterior, prior = model(x, x, torch.randn(3, model.latent_dim))
    assert decoded.shape == x.shape and 0 <= decoded.min() and decoded.max() <= 1
    assert posterior.mean.shape == prior.log_var.shape == (3, model.latent_dim)


@pytest.mark.parametrize("name", SMALL)
def test_examples_do_not_influence_each_other(name):
    model = build_model(name, SMALL[name]).eval()
    x, z = torch.rand(3, *model.image_shape), torch.randn(3, model.latent_dim)
    assert torch.allclose(model.decode(x, z)[:1], model.decode(x[:1], z[:1]), atol=1e-6)


def test_an_edge_that_cannot_be_halved_twice_is_refused():
    with pytest.raises(ConfigurationError, match="multiples of 4"):
        build_model("linf_conv_cvae", {"height": 30})


def test_all_impossible_fields_are_reported_at_once():
    with pytest.raises(ConfigurationError) as caught:
        build_model("linf_fc_cvae", {"latent_dim": 0, "hidden_units": 10**9})
    assert len(caught.value.problems) == 2
