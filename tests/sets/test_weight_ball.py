"""The weight ball: another set of weights for each image, each layer near the network's own."""

import pytest
import torch

from explorer.attacks import pgd
from explorer.errors import InvalidInput
from explorer.models import build_model
from explorer.randomness import Streams
from explorer.sets import WeightBall

TINY = {
    "completion_unet": {"widths": [3, 4, 5]},
    "edsr": {"features": 3, "blocks": 1},
    "compressive_autoencoder": {"widths": [3, 4], "bits": 3, "decoder": [3, 4, 2], "blocks": 1},
    "vq_vae": {"width": 6, "residual_width": 2, "residual_blocks": 1, "codes": 8, "code_size": 3},
    "affine_warp": {},
}
IMAGES = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=TINY)
def network(request):
    torch.manual_seed(0)
    return build_model(request.param, TINY[request.param]).eval()


def far(perturbed):
    return (perturbed - 0.3).square().flatten(1).sum(1)


def test_without_a_change_of_weights_it_is_the_network(network):
    at = WeightBall(network, 0.1).at(IMAGES)
    with torch.no_grad():
        torch.testing.assert_close(at.perturb(torch.zeros(4, *at.region.shape)), network(IMAGES).clamp(0, 1), atol=1e-5, rtol=0)


def test_each_image_is_computed_with_its_own_weights(network):
    at = WeightBall(network, 0.2).at(IMAGES)
    delta = at.region.sample(Streams(0, range(4)), "uniform-norm")
    names = [name for name, _ in network.named_parameters()]
    shapes = [each.shape for each in network.parameters()]
    for index in range(4):
        parts = delta[index].split([shape.numel() for shape in shapes])
        weights = {name: own + part.view(shape) for name, own, part, shape in zip(names, network.parameters(), parts, shapes, strict=True)}
        alone = torch.func.functional_call(network, weights, (IMAGES[index : index + 1],)).clamp(0, 1)
        torch.testing.assert_close(at.perturb(delta)[index : index + 1], alone, atol=1e-5, rtol=0)


def test_every_layer_stays_within_its_share_of_its_norm(network):
    ball = WeightBall(network, 0.1)
    at = ball.at(IMAGES)
    found = pgd(at, far, steps=3, step_size=ball.step_size, step="sign", start="uniform-norm", streams=Streams(0, range(4)))
    for layer, part in zip(ball.layers, found.delta.split(at.region.sizes, 1), strict=True):
        assert (part.norm(dim=1) <= 0.1 * layer.norm * (1 + 1e-6)).all(), layer.path


@pytest.mark.parametrize("chunk", [1, 3, 4])
def test_chunks_change_nothing(network, chunk):
    delta = WeightBall(network, 0.1).at(IMAGES).region.sample(Streams(0, range(4)))
    together, chunked = (WeightBall(network, 0.1, chunk=each).at(IMAGES).perturb(delta) for each in (None, chunk))
    torch.testing.assert_close(together, chunked, atol=1e-5, rtol=0)


def test_steps_are_a_quarter_of_the_median_radius():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.Conv2d(1, 1, 1), torch.nn.Conv2d(1, 1, 1))
    for layer, norm in zip(network, (1.0, 2.0, 10.0), strict=True):
        torch.nn.init.constant_(layer.weight, 0.6 * norm)
        torch.nn.init.constant_(layer.bias, 0.8 * norm)
    ball = WeightBall(network, 0.5)
    assert ball.radii.tolist() == pytest.approx([0.5, 1.0, 5.0]) and ball.step_size == pytest.approx(0.25)


def test_the_networks_own_weights_are_left_alone(network):
    before = {name: each.clone() for name, each in network.state_dict().items()}
    network.train()
    ball = WeightBall(network, 0.1)
    pgd(ball.at(IMAGES), far, steps=2, step_size=ball.step_size, step="sign", streams=Streams(0, range(4)))
    assert network.training and all(torch.equal(each, before[name]) for name, each in network.state_dict().items())
    assert all(each.grad is None for each in network.parameters())


def test_whether_images_fit_is_found_out_once_for_each_shape(network):
    passes = []
    ball = WeightBall(network, 0.1)
    network.register_forward_hook(lambda *_: passes.append(1))
    for size in (16, 16, 20, 16):
        ball.at(torch.rand(2, 3, size, size))
    assert len(passes) == 2


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: WeightBall(torch.nn.ReLU(), 0.1), "no parameters"),
        (lambda: WeightBall(build_model("affine_warp", {}), -0.1), "at least 0"),
        (lambda: WeightBall(build_model("affine_warp", {}), 0.1, chunk=0), "at least 1"),
        (lambda: WeightBall(torch.nn.Conv2d(3, 3, 3), 0.1).at(IMAGES), "keeps the image's shape"),
        (lambda: WeightBall(torch.nn.Conv2d(1, 1, 1), 0.1).at(IMAGES), "does not take images"),
        (lambda: WeightBall(build_model("vq_vae", TINY["vq_vae"]), 0.1).at(torch.rand(1, 3, 18, 18)), "multiples of 4"),
    ],
)
def test_what_cannot_be_perturbed_is_told(made, said):
    with pytest.raises(InvalidInput, match=said):
        made()
