import pytest
import torch

from explorer import checkpoints
from explorer.errors import ConfigurationError
from explorer.models import build_model
from explorer.models.unet_cvae import POOLED, UNetCvaeConfig
from tests.tiny_light import TINY_SEGMENTER, TINY_UNET


def model(**changes):
    torch.manual_seed(0)
    return build_model("unet_cvae", {**TINY_UNET, **changes}).eval()


@pytest.mark.parametrize(("name", "count", "tensors"), [("unet_cvae", 258_066_597, 338), ("segmentation_unet", 17_269_668, None)])
def test_the_papers_models_have_their_published_number_of_parameters(name, count, tensors):
    with torch.device("meta"):
        built = build_model(name, {})
    assert sum(p.numel() for p in built.parameters()) == count and tensors in (None, len(built.state_dict()))


def test_pooling_changes_nothing_at_the_resolution_it_is_named_after():
    """Appendix F.1: "the effect of a null operator for the MIP5 resolution"."""
    sizes = [(125, 187)]
    while len(sizes) < 5:
        sizes.append((sizes[-1][0] // 2, sizes[-1][1] // 2))
    assert tuple(sizes) == POOLED == UNetCvaeConfig().pooled


def test_the_same_weights_serve_every_resolution():
    small, large = model(), model(height=37, width=50)
    large.load_state_dict(small.state_dict())
    x = torch.rand(2, 3, 37, 50)
    decoded, posterior, prior = large(x, x, torch.randn(2, 6))
    assert decoded.shape == x.shape and posterior.mean.shape == prior.mean.shape == (2, 6)
    assert 0 <= decoded.min() and decoded.max() <= 1


def test_every_level_of_the_latent_reaches_the_picture():
    built, x = model(), torch.rand(1, 3, 16, 24).expand(7, -1, -1, -1)
    with torch.no_grad():
        decoded = built.decode(x, torch.cat([torch.zeros(1, 6), 5 * torch.eye(6)]))
    assert ((decoded[1:] - decoded[:1]).abs().amax((1, 2, 3)) > 1e-6).all()


def test_log_variances_stay_between_a_thousandth_and_ten():
    log_var = model().prior(1000 * torch.randn(8, 3, 16, 24)).log_var.exp()
    assert 0.99e-3 <= log_var.min() and log_var.max() <= 10.01


@pytest.mark.parametrize(("name", "config"), [("unet_cvae", TINY_UNET), ("segmentation_unet", TINY_SEGMENTER)])
def test_what_is_saved_is_what_is_loaded(name, config, tmp_path):
    torch.manual_seed(0)
    built, x = build_model(name, config).eval(), torch.rand(2, 3, 16, 24)
    checkpoints.save(tmp_path / "a.safetensors", built, _header(name, config))
    loaded = checkpoints.load(tmp_path / "a.safetensors", "cpu").model
    outputs = [each.prior(x).mean if name == "unet_cvae" else each(x) for each in (built, loaded)]
    assert torch.allclose(*outputs, atol=1e-6)


def test_a_segmenter_names_every_pixel():
    logits = build_model("segmentation_unet", TINY_SEGMENTER).eval()(torch.rand(2, 3, 16, 24))
    assert logits.shape == (2, 5, 16, 24)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"pooled": [[4, 6]]}, "3, 1 and 3 levels"), ({"height": 3}, "too small to be halved 2 times"), ({"log_var_bounds": [1.0, 0.0]}, "lower < upper"), ({"pooled": [[4, 6], [4, 0], [2, 3]]}, "1 to 8192")],
)
def test_impossible_configurations_are_refused(wrong, message):
    with pytest.raises(ConfigurationError, match=message):
        build_model("unet_cvae", {**TINY_UNET, **wrong})


def _header(name, config):
    return checkpoints.Header(kind="learned_set", name="a", model=name, model_config=config, dataset={}, training={}, metrics={}, seed=0, radius=1.0, percentile_radii={})
