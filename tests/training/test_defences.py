import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from explorer.data import LinfPairs, RtsPairs, load_dataset
from explorer.models import build_model
from explorer.sets import LpBall
from explorer.training import State, attacked, beginning_with, clean, cross_entropy_of, paired, sampled


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3))


@pytest.fixture
def batch():
    return torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(1)), torch.tensor([0, 1, 2, 0, 1])


def state(seed=0, epoch=0.0):
    return State(epoch, {}, torch.Generator().manual_seed(seed))


PGD = attacked(LpBall(math.inf, 0.1), steps=3, step_size=0.5)


def test_the_clean_source_is_the_images(model, batch):
    assert clean(model, batch, state()) is batch[0]


def test_an_attack_stays_in_its_set_and_raises_the_loss(model, batch):
    found = PGD(model, batch, state())
    assert (found - batch[0]).abs().max() <= 0.1 + 1e-6 and 0 <= found.min() and found.max() <= 1
    assert (F.cross_entropy(model(found), batch[1], reduction="none") > F.cross_entropy(model(batch[0]), batch[1], reduction="none")).all()


def test_a_linear_model_is_attacked_by_one_sign_step_at_the_worst_point(model, batch):
    inner = (0.4 + 0.2 * batch[0], batch[1])
    fgsm = attacked(LpBall(math.inf, 0.1), steps=1, step_size=1.0, start="zero")(model, inner, state())
    delta = (fgsm - inner[0]).abs()
    assert torch.allclose(delta, torch.full_like(delta, 0.1), atol=1e-6)


def test_the_same_generator_gives_the_same_attack(model, batch):
    assert torch.equal(PGD(model, batch, state(3)), PGD(model, batch, state(3)))
    assert not torch.equal(PGD(model, batch, state(3)), PGD(model, batch, state(4)))


def test_the_attack_leaves_batch_norm_and_gradients_as_they_were(batch):
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(16, 3)).train()
    PGD(model, batch, state())
    assert model.training and model[0].num_batches_tracked == 0 and all(each.grad is None for each in model.parameters())


def test_the_mean_and_the_larger_loss_of_two_sources(model, batch):
    plain, worst = (cross_entropy_of([source])(model, batch, state()) for source in (clean, PGD))
    torch.testing.assert_close(cross_entropy_of([clean, PGD])(model, batch, state()), (plain + worst) / 2)
    torch.testing.assert_close(cross_entropy_of([clean, PGD], "max")(model, batch, state()), torch.maximum(plain, worst))


def test_the_sources_begin_after_their_epoch(model, batch):
    loss = beginning_with(cross_entropy_of([clean]), 2, cross_entropy_of([PGD]))
    assert torch.equal(loss(model, batch, state(epoch=1.9)), cross_entropy_of([clean])(model, batch, state()))
    assert torch.equal(loss(model, batch, state(epoch=2.0)), cross_entropy_of([PGD])(model, batch, state()))


def test_a_linf_pair_stays_within_its_noise(model, batch):
    assert ((paired(LinfPairs(0.3))(model, batch, state()) - batch[0]).abs() <= 0.3 + 1e-6).all()


def test_a_framed_image_without_its_frame_is_the_image():
    images, framed = (load_dataset(name, "test", limit=3).images for name in ("digits", "framed_digits"))
    assert framed.shape == (3, 1, 42, 42) and torch.equal(RtsPairs().unframed(framed), images) and torch.equal(RtsPairs().clean(images), framed)


def test_pairs_of_framed_images_are_pairs_of_the_images(model):
    framed = load_dataset("framed_digits", "test", limit=3)
    found = paired(RtsPairs())(model, (framed.images, framed.labels), state(5))
    draws = torch.rand(3, 4, generator=torch.Generator().manual_seed(5))
    assert torch.equal(found, RtsPairs().perturb(load_dataset("digits", "test", limit=3).images, draws))


def test_members_are_drawn_within_the_set(model, batch):
    found = sampled(LpBall(2, 0.3))(model, batch, state())
    assert ((found - batch[0]).flatten(1).norm(dim=1) <= 0.3 + 1e-6).all() and not torch.equal(found, batch[0])


def test_the_class_of_an_image_reaches_its_manifold():
    from explorer.sets import ManifoldLatent

    torch.manual_seed(0)
    vae = build_model("class_mlp_cvae", {"height": 4, "width": 4, "classes": 3, "latent_dim": 2, "hidden_units": 4}).eval()
    x, labels = torch.rand(2, 1, 4, 4), torch.tensor([2, 0])
    found = attacked(ManifoldLatent(vae, 0.0), steps=1, step_size=1.0, start="zero")(nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), (x, labels), state())
    torch.testing.assert_close(found, vae.decode(vae.encode(x, labels).mean, labels))
