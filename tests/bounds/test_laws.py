"""What every method of bounds keeps, on random networks of every kind of layer."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.bounds import METHODS, Ball, Interval, bounds
from tests.bounds.networks import ACTIVATIONS, IMAGE, SHAPED, layer_network, random_network

SLACK = 1e-4
SEEDS = st.integers(0, 2**31)
few = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))


def box_of(seed, count=3, largest=0.2):
    """Random images with another radius for every pixel, of which a few are 0."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count, *IMAGE, generator=generator)
    radius = largest * torch.rand(count, *IMAGE, generator=generator) * (torch.rand(count, *IMAGE, generator=generator) > 0.3)
    return Interval.around(x, radius)


def inside(box, seed, points=20):
    """Random points, corners among them, and points that climb towards each output."""
    generator = torch.Generator().manual_seed(seed)
    for number in range(points):
        share = torch.rand(box.lower.shape, generator=generator)
        yield box.lower + (share.round() if number % 2 else share) * box.width


def climbing(network, box, steps=8):
    with torch.enable_grad():
        for sign in (-1, 1):
            x = box.center
            for _ in range(steps):
                x = x.detach().requires_grad_()
                (gradient,) = torch.autograd.grad(network(x)[:, 0].sum(), x)
                x = torch.clamp(x + sign * 0.4 * box.radius * gradient.sign(), box.lower, box.upper).detach()
                yield x


def assert_holds(network, box, method, seed):
    with torch.no_grad():
        found = bounds(network, box, method)
    for x in [*inside(box, seed), *climbing(network, box)]:
        value = network(x).detach()
        assert found.holds(value, SLACK * (1 + value.abs().max())).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", [*SHAPED, *ACTIVATIONS])
def test_no_point_leaves_the_bounds_of_any_layer(name, method):
    assert_holds(layer_network(name), box_of(1), method, 2)


@pytest.mark.parametrize("method", METHODS)
@few
@given(seed=SEEDS)
def test_no_point_leaves_the_bounds_of_a_random_network(method, seed):
    assert_holds(random_network(seed), box_of(seed), method, seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("method", METHODS)
@many
@given(seed=SEEDS)
def test_no_point_leaves_the_bounds_of_thousands_of_networks(method, seed):
    assert_holds(random_network(seed, layers=1 + seed % 4), box_of(seed, largest=0.05 * (1 + seed % 9)), method, seed)


@pytest.mark.parametrize("method", METHODS)
@few
@given(seed=SEEDS)
def test_a_box_without_width_is_a_forward_pass(method, seed):
    network, x = random_network(seed), box_of(seed).center
    with torch.no_grad():
        found, value = bounds(network, Interval(x, x), method), network(x)
    scale = 1 + value.abs().max()
    assert torch.allclose(found.lower / scale, value / scale, atol=1e-4) and torch.allclose(found.upper / scale, value / scale, atol=1e-4)


@few
@given(seed=SEEDS)
def test_a_larger_box_has_wider_intervals(seed):
    network, box = random_network(seed), box_of(seed)
    larger = Interval(box.lower - 0.03, box.upper + 0.02)
    with torch.no_grad():
        small, large = bounds(network, box), bounds(network, larger)
    assert large.holds(small.lower, SLACK).all() and large.holds(small.upper, SLACK).all()


@few
@given(seed=SEEDS)
def test_a_larger_box_has_wider_intervals_by_linear_propagation_with_fixed_slopes(seed):
    network, box = random_network(seed, only=("relu",)), box_of(seed)
    with torch.no_grad():
        small, large = (bounds(network, each, "crown", slopes="zero") for each in (box, Interval(box.lower - 0.03, box.upper + 0.02)))
    slack = SLACK * (1 + large.upper.abs().max())
    assert large.holds(small.lower, slack).all() and large.holds(small.upper, slack).all()


@pytest.mark.parametrize("method", [pytest.param(name, marks=pytest.mark.slow) if name == "alpha-crown" else name for name in METHODS])
@settings(few, derandomize=True)
@given(seed=SEEDS)
def test_examples_do_not_influence_each_other(method, seed):
    """In double precision, at the same networks each time: the optimiser of α-CROWN may make a whole step of a gradient that is rounding alone."""
    tolerance = 1e-3 if method == "alpha-crown" else 1e-10
    network, box = random_network(seed).double(), box_of(seed, count=4)
    box = Interval(box.lower.double(), box.upper.double())
    with torch.no_grad():
        together = bounds(network, box, method)
        alone = [bounds(network, Interval(box.lower[one : one + 1], box.upper[one : one + 1]), method) for one in range(4)]
    for number, each in enumerate(alone):
        scale = 1 + each.upper.abs().max()
        assert torch.allclose(together.lower[number] / scale, each.lower[0] / scale, atol=tolerance)
        assert torch.allclose(together.upper[number] / scale, each.upper[0] / scale, atol=tolerance)


@few
@given(seed=SEEDS)
def test_each_method_lies_inside_the_one_before_it(seed):
    network, box = random_network(seed, only=("relu", "leaky relu")), box_of(seed)
    with torch.no_grad():
        ibp, crown_ibp, crown, alpha = (bounds(network, box, method) for method in METHODS)
    slack = SLACK * (1 + ibp.upper.abs().max())
    assert ibp.holds(crown_ibp.lower, slack).all() and ibp.holds(crown_ibp.upper, slack).all()
    assert ibp.holds(crown.lower, slack).all() and ibp.holds(crown.upper, slack).all()
    assert crown.holds(alpha.lower, slack).all() and crown.holds(alpha.upper, slack).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("slopes", ["adaptive", "zero", "one", "same"])
def test_every_rule_for_slopes_is_sound(method, slopes):
    for seed in range(3):
        network, box = random_network(seed, only=("relu",)), box_of(seed)
        with torch.no_grad():
            found = bounds(network, box, method, slopes=slopes)
        assert all(found.holds(network(x), SLACK * (1 + found.upper.abs().max())).all() for x in inside(box, seed))


@pytest.mark.parametrize("method", METHODS)
@few
@given(seed=SEEDS)
def test_no_point_of_a_ball_leaves_the_bounds(method, seed):
    network, x = random_network(seed), box_of(seed).center
    radius = torch.tensor([0.0, 0.3, 0.8])
    with torch.no_grad():
        found = bounds(network, Ball(x, radius), method)
        for _ in range(20):
            direction = torch.randn_like(x).flatten(1)
            point = x + (radius[:, None] * direction / direction.norm(dim=1, keepdim=True)).view_as(x)
            assert found.holds(network(point), SLACK * (1 + found.upper.abs().max())).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_ball_has_narrower_bounds_than_its_box(method):
    network, x = random_network(3, only=("relu",)), box_of(0).center
    ball = Ball(x, torch.full((3,), 0.4))
    with torch.no_grad():
        round_, square = bounds(network, ball, method), bounds(network, ball.box, method)
    assert square.holds(round_.lower, SLACK).all() and (method == "ibp" or round_.width.mean() < 0.9 * square.width.mean())


@pytest.mark.parametrize("method", METHODS)
@few
@given(seed=SEEDS)
def test_a_specification_is_at_least_as_tight_as_its_rows_of_the_outputs(method, seed):
    network, box = random_network(seed, only=("relu",)), box_of(seed)
    rows = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        found, output = bounds(network, box, method, rows), bounds(network, box, method)
        slack = SLACK * (1 + output.upper.abs().max())
        assert all(found.holds(torch.einsum("brc,bc->br", rows, network(x)), slack).all() for x in inside(box, seed))
    if method == "ibp":
        apart = torch.einsum("brc,bc->br", rows.abs(), output.radius)
        assert (found.radius <= apart + slack).all()
