"""One contract, all perturbation sets: each test is one law."""

import math

import pytest
import torch

import explorer.sets
from explorer.attacks import pgd
from explorer.models import build_model
from explorer.randomness import Streams
from explorer.sets import BudgetBox, LatentBall, LpBall, ManifoldLatent, PerturbationSet, Region, WeightBall

LAWS = ("uniform", "normal", "uniform-norm")
IMAGE = (1, 12, 12)
TINY = {"height": 12, "width": 12, "latent_dim": 6, "localization_widths": [8, 4], "transformers": 2}


def tiny_cvae():
    torch.manual_seed(0)
    model = build_model("rts_cvae", TINY).eval()
    for transformer in model.generator.transformers:
        torch.nn.init.normal_(transformer.affine.weight, std=0.2)
    return model


def tiny_budgeted():
    torch.manual_seed(0)
    return build_model("budgeted_classifier", {"classifier_config": {"height": 12, "width": 12, "widths": [2, 2], "hidden_units": [4]}}).eval()


def tiny_class_cvae():
    torch.manual_seed(0)
    return build_model("class_mlp_cvae", {"height": 12, "width": 12, "classes": 3, "latent_dim": 4, "hidden_units": 8}).eval()


def tiny_network():
    torch.manual_seed(0)
    model = build_model("completion_unet", {"channels": 1, "widths": [2, 3]}).eval()
    torch.nn.init.constant_(model.last.bias, 0.5)  # as after a training, outputs are pixels
    return model


# name -> (its set at a radius, a radius, the shape of one δ)
SETS = {
    "linf": (lambda radius: LpBall(math.inf, radius), 0.3, IMAGE),
    "l2": (lambda radius: LpBall(2, radius), 1.5, IMAGE),
    "l1": (lambda radius: LpBall(1, radius), 5.0, IMAGE),
    "budgets": (lambda radius: BudgetBox(tiny_budgeted(), radius), 0.3, IMAGE),
    "manifold box": (lambda radius: ManifoldLatent(tiny_class_cvae(), radius), 1.0, (4,)),
    "manifold ball": (lambda radius: ManifoldLatent(tiny_class_cvae(), radius, 2), 2.0, (4,)),
    "weights": (lambda radius: WeightBall(tiny_network(), radius), 0.2, (188,)),
    "latent": (lambda radius: LatentBall(tiny_cvae(), radius), 2.0, (6,)),
}
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here"))]


@pytest.fixture(params=SETS)
def case(request):
    return SETS[request.param]


def images(count):
    return torch.rand(count, *IMAGE, generator=torch.Generator().manual_seed(1))


def set_of(made, x):
    """S(x), with a class for each image that follows from the image alone."""
    return made.at(x, (1000 * x.flatten(1).mean(1)).long() % 3)


def brightness(perturbed):
    return perturbed.square().flatten(1).sum(1)


def search(perturbations, count, **options):
    return pgd(perturbations, brightness, **{"steps": 5, "step_size": 0.2, "streams": Streams(0, range(count)), **options})


def far_points(shape, count):
    return 100 * torch.randn(count, *shape, generator=torch.Generator().manual_seed(2))


def test_every_set_of_the_package_is_in_the_contract():
    tested = {type(make(radius)) for make, radius, _ in SETS.values()}
    assert tested == set(explorer.sets.SETS.values())


def test_every_set_keeps_the_protocols(case):
    make, radius, _ = case
    assert isinstance(make(radius), PerturbationSet)
    assert isinstance(set_of(make(radius), images(1)).region, Region)


@pytest.mark.parametrize("law", LAWS)
def test_samples_lie_inside(case, law):
    make, radius, shape = case
    region = set_of(make(radius), images(16)).region
    delta = region.sample(Streams(0, range(16)), law)
    assert delta.shape == (16, *shape) and (region.gauge(delta) <= 1).all() and delta.abs().sum() > 0


def test_projection_is_the_identity_inside(case):
    make, radius, _ = case
    region = set_of(make(radius), images(16)).region
    delta = region.sample(Streams(0, range(16)), "uniform")
    assert torch.equal(region.project(delta), delta)


def test_projection_from_outside_lands_inside(case):
    make, radius, shape = case
    region = set_of(make(radius), images(16)).region
    delta = far_points(shape, 16)
    assert (region.gauge(delta) > 1).all() and (region.gauge(region.project(delta)) <= 1).all()


def test_projection_from_outside_lands_on_the_boundary_of_the_region_before_clipping(case):
    make, radius, shape = case
    region = set_of(make(radius), images(16)).region
    region = getattr(region, "region", region)
    gauge = region.gauge(region.project(far_points(shape, 16)))
    assert (gauge <= 1).all() and (gauge > 1 - 1e-5).all()


def test_a_scaled_region_is_the_region_of_that_radius(case):
    make, radius, shape = case
    region, shares = set_of(make(radius), images(16)).region, torch.full((16,), 0.5)
    region = getattr(region, "region", region)
    delta = far_points(shape, 16)
    torch.testing.assert_close(region.scaled(shares).project(delta), 0.5 * region.project(2 * delta))


def test_a_share_of_a_region_lies_inside_it_example_by_example(case):
    make, radius, shape = case
    region, shares = set_of(make(radius), images(4)).region, torch.tensor([0.0, 0.25, 0.5, 1.0])
    gauge = region.gauge(region.scaled(shares).project(far_points(shape, 4)))
    assert (gauge <= shares + 1e-6).all() and gauge[0] == 0


def test_projection_is_idempotent(case):
    make, radius, shape = case
    region = set_of(make(radius), images(16)).region
    once = region.project(far_points(shape, 16))
    assert torch.equal(region.project(once), once)


@pytest.mark.parametrize("law", LAWS)
def test_samples_do_not_depend_on_the_batch_or_its_order(case, law):
    make, radius, _ = case
    x, order = images(6), [4, 0, 5]
    together = set_of(make(radius), x).region.sample(Streams(3, range(6)), law)
    some = set_of(make(radius), x[order]).region.sample(Streams(3, order), law)
    torch.testing.assert_close(some, together[order])


def test_projection_and_map_treat_each_example_alone(case):
    make, radius, shape = case
    x, delta = images(6), far_points(shape, 6)
    together, alone = set_of(make(radius), x), set_of(make(radius), x[2:3])
    projected = together.region.project(delta)
    torch.testing.assert_close(alone.region.project(delta[2:3]), projected[2:3])
    torch.testing.assert_close(alone.perturb(projected[2:3]), together.perturb(projected)[2:3])


def test_a_search_does_not_depend_on_the_batch_or_its_order(case):
    make, radius, _ = case
    x, order = images(6), [4, 0, 5]
    together = search(set_of(make(radius), x), 6)
    some = search(set_of(make(radius), x[order]), 6, streams=Streams(0, order))
    torch.testing.assert_close(some.perturbed, together.perturbed[order], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("law", LAWS)
def test_radius_zero_gives_the_centre(case, law):
    make, _, shape = case
    region = set_of(make(0.0), images(4)).region
    for delta in (region.sample(Streams(0, range(4)), law), region.project(far_points(shape, 4))):
        assert (delta == 0).all() and (region.gauge(delta) == 0).all()
    assert (region.gauge(far_points(shape, 4)) == math.inf).all()


def test_perturbed_inputs_keep_shape_and_range(case):
    make, radius, shape = case
    at = set_of(make(radius), images(16))
    perturbed = at.perturb(at.region.project(far_points(shape, 16)))
    assert perturbed.shape == (16, *IMAGE) and perturbed.min() >= 0 and perturbed.max() <= 1


def test_rows_of_the_map_are_those_of_their_examples(case):
    make, radius, _ = case
    at, rows = set_of(make(radius), images(4)), torch.tensor([2, 0, 2, 3, 1, 1])
    delta = at.region.sample(Streams(0, range(4)), "uniform")
    torch.testing.assert_close(at.of_rows(rows)(delta[rows]), at.perturb(delta)[rows])


def test_gradients_reach_delta(case):
    make, radius, _ = case
    at = set_of(make(radius), images(4))
    delta = at.region.sample(Streams(0, range(4)), "uniform").requires_grad_()
    (gradient,) = torch.autograd.grad(brightness(at.perturb(delta)).sum(), delta)
    assert (gradient.flatten(1).norm(dim=1) > 0).all()


def test_a_search_ends_inside(case):
    make, radius, _ = case
    at = set_of(make(radius), images(8))
    assert (at.region.gauge(search(at, 8, step_size=5.0).delta) <= 1).all()


def test_a_search_is_never_below_its_best_start(case):
    make, radius, _ = case
    at = set_of(make(radius), images(8))
    starts = [brightness(at.perturb(at.region.sample(Streams(0, range(8), restart), "uniform"))) for restart in range(3)]
    assert (search(at, 8, restarts=3).loss >= torch.stack(starts).amax(0) - 1e-3).all()


def test_the_reported_loss_is_that_of_the_reported_input(case):
    make, radius, _ = case
    at = set_of(make(radius), images(8))
    found = search(at, 8)
    torch.testing.assert_close(brightness(found.perturbed), found.loss)
    torch.testing.assert_close(at.perturb(found.delta), found.perturbed)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_device_are_kept(case, dtype, device):
    make, radius, _ = case
    made, x = make(radius), images(4).to(device, dtype)
    if hasattr(made, "model"):
        made.model.to(device, dtype)
    found = search(set_of(made, x), 4)
    for tensor in (found.delta, found.perturbed, found.loss):
        assert tensor.dtype == dtype and tensor.device.type == device


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_seed_gives_the_same_samples_on_every_device(case, device):
    make, radius, _ = case
    made, x = make(radius), images(4)
    expected = set_of(made, x).region.sample(Streams(0, range(4)), "normal")
    if hasattr(made, "model"):
        made.model.to(device)
    torch.testing.assert_close(set_of(made, x.to(device)).region.sample(Streams(0, range(4)), "normal").cpu(), expected)
