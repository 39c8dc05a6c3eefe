import pytest
import torch

from explorer.errors import ConfigurationError, UnknownName
from explorer.models import build_model
from explorer.models.blocks import ReflectedConv2d, SpatialTransformer


def test_the_papers_model_has_its_published_number_of_parameters():
    model = build_model("rts_cvae", {})
    assert sum(p.numel() for p in model.parameters()) == 6_435_084


def test_the_compact_variant_drops_no_component():
    compact = build_model("rts_cvae", {"latent_dim": 32, "localization_widths": [64, 32]})
    assert compact.state_dict().keys() == build_model("rts_cvae", {}).state_dict().keys()


@pytest.mark.parametrize("shape", [(1, 42, 42), (3, 20, 33)], ids=str)
def test_images_of_any_size_and_colour_pass(shape):
    channels, height, width = shape
    config = {"channels": channels, "height": height, "width": width, "latent_dim": 5, "localization_widths": [8]}
    model = build_model("rts_cvae", config).eval()
    x = torch.rand(2, *shape)
    decoded, posterior, prior = model(x, x, torch.randn(2, 5))
    assert decoded.shape == x.shape and posterior.mean.shape == prior.log_var.shape == (2, 5)
    assert 0 <= decoded.min() and decoded.max() <= 1


def test_the_log_variance_stays_between_its_bounds():
    model = build_model("rts_cvae", {"height": 16, "width": 16, "latent_dim": 4, "log_var_bounds": [-2.0, 1.0]}).eval()
    log_var = model.prior(1000 * torch.randn(8, 1, 16, 16)).log_var
    assert -2 <= log_var.min() and log_var.max() <= 1


def test_a_spatial_transformer_without_a_finite_map_gives_nan_instead_of_a_crash():
    transformer = SpatialTransformer(5, (4,))
    moved = transformer(torch.rand(2, 1, 42, 42), torch.tensor([[torch.nan] * 5, [0.0] * 5]))
    assert moved[0].isnan().all() and moved[1].isfinite().all()


def test_a_new_spatial_transformer_is_the_identity():
    image = torch.rand(2, 1, 9, 12)
    moved = SpatialTransformer(5, (4,))(image, torch.randn(2, 5))
    assert torch.allclose(moved, image, atol=1e-5)


def test_the_fast_convolution_has_torchs_values_and_gradients():
    torch.manual_seed(0)
    layer = ReflectedConv2d(2, 3, 5).double()
    x = torch.rand(4, 2, 9, 11, dtype=torch.double, requires_grad=True)
    fast, slow = layer(x), torch.nn.Conv2d.forward(layer, x)
    direction = torch.rand_like(fast)
    assert torch.allclose(fast, slow)
    for ours, torchs in zip(*(torch.autograd.grad(y, (x, layer.weight, layer.bias), direction) for y in (fast, slow))):
        assert torch.allclose(ours, torchs)


def test_examples_do_not_influence_each_other(tiny_model):
    x, u = torch.rand(3, 1, 16, 16), torch.randn(3, 6)
    assert torch.allclose(tiny_model.decode(x, u)[:1], tiny_model.decode(x[:1], u[:1]), atol=1e-6)


def test_all_impossible_fields_are_reported_at_once():
    with pytest.raises(ConfigurationError) as caught:
        build_model("rts_cvae", {"latent_dim": "many", "colour": 3, "log_var_bounds": [1]})
    assert len(caught.value.problems) == 3


def test_an_unknown_model_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownName, match="Did you mean 'rts_cvae'"):
        build_model("rts_vae", {})


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 1e30])
def test_a_latent_that_is_not_finite_gives_nan_for_its_own_example_only(tiny_model, value):
    x, z = torch.rand(2, 1, 16, 16), torch.randn(2, 6)
    broken = torch.stack([torch.full((6,), value), z[1]]).requires_grad_()
    decoded = tiny_model.decode(x, broken)
    decoded.sum().backward()
    assert torch.allclose(decoded[1:], tiny_model.decode(x[1:], z[1:]), atol=1e-6)
    assert decoded[0].isnan().all() or decoded[0].isfinite().all()
