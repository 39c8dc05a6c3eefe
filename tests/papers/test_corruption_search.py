"""AdA's search: Algorithm 1 as it stands, weights that are worse than random ones, and images that are not lost."""

import pytest
import torch
from torch import nn
from torch.func import functional_call

from explorer.errors import Cancelled, InvalidInput
from explorer.metrics import ssim
from explorer.models import build_model
from explorer.papers.adversarial_augmentation.search import adversarial_corruptions, random_corruptions
from explorer.randomness import Streams
from explorer.sets import WeightBall
from tests.stopping import Stopped

COUNT = 5
SMOOTH = nn.functional.interpolate(torch.rand(COUNT, 3, 4, 4, generator=torch.Generator().manual_seed(1)), (16, 16), mode="bilinear")
LABELS = torch.arange(COUNT) % 3


def backbone():
    torch.manual_seed(0)
    return build_model("edsr", {"features": 4, "blocks": 1}).eval()


def classifier():
    torch.manual_seed(2)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 3)).eval()


def searched(search=adversarial_corruptions, radius=0.05, chunk=None, **options):
    steps = {"steps": 3} if search is adversarial_corruptions else {}
    return search(classifier(), WeightBall(backbone(), radius, chunk), SMOOTH, LABELS, streams=Streams(0, range(COUNT)), **{**steps, **options})


def test_it_is_algorithm_1():
    network, judge, radius, steps = backbone(), classifier(), 0.05, 4
    found = searched(radius=radius, steps=steps, limit=None, keep_delta=True)
    ball, index = WeightBall(network, radius), 3
    start = ball.at(SMOOTH[index:][:1]).region.sample(Streams(0, [index]), "uniform-norm")[0]
    parameters = dict(network.named_parameters())
    parts = dict(zip(parameters, start.split([each.numel() for each in parameters.values()]), strict=True))
    delta = {name: part.view_as(parameters[name]) for name, part in parts.items()}
    radii = {layer: radius * torch.cat([each.flatten() for name, each in parameters.items() if name.rpartition(".")[0] == layer]).norm() for layer in {name.rpartition(".")[0] for name in parameters}}
    step = 0.25 * torch.stack(list(radii.values())).median() * 10 / steps

    def image(delta):
        return functional_call(network, {name: parameters[name].detach() + delta[name] for name in delta}, (SMOOTH[index:][:1],)).clamp(0, 1)

    for _ in range(steps):
        delta = {name: each.detach().requires_grad_() for name, each in delta.items()}
        loss = nn.functional.cross_entropy(judge(image(delta)), LABELS[index:][:1])
        gradients = torch.autograd.grad(loss, list(delta.values()))
        delta = {name: (each + step * gradient.sign()).detach() for (name, each), gradient in zip(delta.items(), gradients, strict=True)}
        for layer, allowed in radii.items():
            own = [name for name in delta if name.rpartition(".")[0] == layer]
            length = torch.cat([delta[name].flatten() for name in own]).norm()
            delta |= {name: delta[name] * (allowed / length).clamp(max=1) for name in own}
    torch.testing.assert_close(found.unguarded[index : index + 1], image(delta), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.delta[index], torch.cat([each.flatten() for each in delta.values()]), atol=1e-5, rtol=1e-3)


def test_adversarial_weights_are_worse_than_random_ones_of_the_same_radius():
    worst, random = searched(limit=None), searched(random_corruptions, limit=None)
    assert (worst.loss > random.loss).all()


def test_random_weights_use_the_whole_radius_of_every_layer():
    region = WeightBall(backbone(), 0.05).at(SMOOTH).region
    torch.testing.assert_close(region.shares(searched(random_corruptions, keep_delta=True).delta), torch.ones(COUNT, 6))
    assert region.shares(searched(random_corruptions, keep_delta=True, at_the_edge=False).delta).amin() < 0.5


def test_no_image_is_further_than_the_limit():
    found = searched(radius=0.5, limit=0.1)
    assert (1 - ssim(SMOOTH, found.unguarded) > 0.1).any()
    assert (1 - ssim(SMOOTH, found.perturbed) <= 0.1 + 1e-5).all() and (found.line.gamma < 1).any()


@pytest.mark.parametrize("search", [adversarial_corruptions, random_corruptions])
def test_nano_batches_change_nothing(search):
    together, chunked = (searched(search, chunk=chunk, keep_delta=True) for chunk in (None, 2))
    torch.testing.assert_close(together.perturbed, chunked.perturbed, atol=1e-4, rtol=0)
    torch.testing.assert_close(together.line.gamma, chunked.line.gamma, atol=1e-3, rtol=0)
    assert together.delta.shape == chunked.delta.shape and together.loss.shape == chunked.loss.shape == (COUNT,)


def test_fewer_steps_are_longer():
    ball = WeightBall(backbone(), 0.05)
    one = adversarial_corruptions(classifier(), ball, SMOOTH, LABELS, streams=Streams(0, range(COUNT)), steps=1, keep_delta=True)
    same = adversarial_corruptions(classifier(), ball, SMOOTH, LABELS, streams=Streams(0, range(COUNT)), steps=1, step_size=10 * ball.step_size, keep_delta=True)
    assert torch.equal(one.delta, same.delta)


def test_an_empty_batch_stays_empty():
    ball = WeightBall(backbone(), 0.05)
    assert adversarial_corruptions(classifier(), ball, SMOOTH[:0], LABELS[:0], streams=Streams(0, [])).perturbed.shape == (0, 3, 16, 16)


def test_it_stops_when_asked():
    with pytest.raises(Cancelled):
        searched(progress=Stopped())


@pytest.mark.parametrize(("radius", "streams", "said"), [(0.0, COUNT, "above 0"), (0.1, 2, "2 streams")])
def test_what_cannot_be_searched_is_told(radius, streams, said):
    with pytest.raises(InvalidInput, match=said):
        adversarial_corruptions(classifier(), WeightBall(backbone(), radius), SMOOTH, LABELS, streams=Streams(0, range(streams)))
