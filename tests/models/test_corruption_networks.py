"""Corruption networks: AdA's sizes, images of their own size back, and what each is for."""

import pytest
import torch

from explorer.errors import ConfigurationError, InvalidInput
from explorer.models import build_model

# name, configuration -> parameters (AdA, Appendix B.1)
PARAMETERS = {
    ("completion_unet", ()): 58_627,
    ("edsr", ()): 1_369_859,
    ("edsr", (("scale", 4),)): 1_517_571,
    ("compressive_autoencoder", ()): 2_241_859,
    ("affine_warp", ()): 6,
}


@pytest.mark.parametrize(("name", "config"), PARAMETERS)
def test_sizes_are_the_papers(name, config):
    model = build_model(name, dict(config))
    assert sum(each.numel() for each in model.parameters()) == PARAMETERS[name, config]


def test_the_vq_vaes_size_counts_its_codes_and_their_moving_averages():
    model = build_model("vq_vae", {})
    assert sum(each.numel() for each in model.parameters()) + model.codebook.codes.numel() == 695_491
    assert sum(each.numel() for each in model.state_dict().values()) == 762_053


@pytest.mark.parametrize("name", ["completion_unet", "edsr", "compressive_autoencoder", "vq_vae", "affine_warp"])
@pytest.mark.parametrize("size", [(12, 20), (32, 32)])
def test_images_keep_their_size_and_do_not_influence_each_other(name, size):
    small = {"edsr": {"blocks": 1}, "compressive_autoencoder": {"blocks": 1}}.get(name, {})
    torch.manual_seed(0)
    model, x = build_model(name, small).eval(), torch.rand(3, 3, *size)
    with torch.no_grad():
        together = model(x)
        assert together.shape == x.shape
        torch.testing.assert_close(model(x[1:2]), together[1:2], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(13, 17), (15, 11)])
def test_the_unet_takes_odd_sizes(size):
    assert build_model("completion_unet", {})(torch.rand(1, 3, *size)).shape[2:] == size


def test_super_resolution_averages_what_it_enlarges():
    model, x = build_model("edsr", {"blocks": 1, "features": 4, "scale": 4}), torch.rand(2, 3, 8, 8)
    large = model.enlarge(x)
    assert large.shape == (2, 3, 32, 32)
    torch.testing.assert_close(model(x), large.unflatten(3, (8, 4)).unflatten(2, (8, 4)).mean((3, 5)))


def test_bits_are_drawn_by_noise_and_fixed_without():
    torch.manual_seed(0)
    model, code = build_model("compressive_autoencoder", {}), torch.full((1, 32, 40, 40), 0.5, requires_grad=True)
    bits = model.binarise(code, torch.rand(code.shape))
    assert set(bits.unique().tolist()) == {-1.0, 1.0} and (bits == 1).float().mean() == pytest.approx(0.75, abs=0.01)
    assert (model.train().binarise(code) == 1).all()
    bits.sum().backward()
    assert torch.equal(code.grad, torch.ones_like(code))


def test_codes_move_to_the_means_of_what_they_stand_for():
    torch.manual_seed(0)
    model = build_model("vq_vae", {"codes": 4, "code_size": 2, "decay": 0.5})
    centres = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    model.codebook.codes.copy_(0.3 * centres)
    entries = (centres[torch.randint(4, (8, 5, 5))] + 0.05 * torch.randn(8, 5, 5, 2)).movedim(-1, 1)
    for _ in range(20):
        quantised = model.codebook.train()(entries)
    assert torch.allclose(model.codebook.codes, centres, atol=0.03)
    assert quantised.commitment.max() < 0.01 and quantised.indices.unique().numel() == 4


def test_gradients_pass_the_codes_unchanged():
    model = build_model("vq_vae", {"codes": 4, "code_size": 2}).eval()
    z = torch.randn(1, 2, 3, 3, requires_grad=True)
    weights = torch.randn(1, 2, 3, 3)
    (model.codebook(z).codes * weights).sum().backward()
    assert torch.equal(z.grad, weights)


def test_a_spatial_transformer_starts_with_the_identity():
    x = torch.rand(2, 3, 9, 14)
    assert torch.allclose(build_model("affine_warp", {})(x), x, atol=1e-5)


@pytest.mark.parametrize("name", ["compressive_autoencoder", "vq_vae"])
def test_sizes_that_cannot_be_halved_twice_are_refused(name):
    with pytest.raises(InvalidInput, match="multiples of 4"):
        build_model(name, {})(torch.rand(1, 3, 30, 32))


@pytest.mark.parametrize(("name", "config"), [("completion_unet", {"widths": []}), ("edsr", {"scale": 3}), ("vq_vae", {"decay": 1.5})])
def test_impossible_configurations_are_refused(name, config):
    with pytest.raises(ConfigurationError):
        build_model(name, config)
