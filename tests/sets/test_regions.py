"""The geometry by hand and by law: projections, directions, distributions."""

import math

import pytest
import torch
from scipy import stats

from explorer.errors import InvalidInput, UnknownName
from explorer.randomness import Streams
from explorer.sets import Box, Clipped, L1Ball, L2Ball
from explorer.sets.truncated import sample_ball, truncated_chi


def ball(kind, radius, dimension, count=1):
    if kind is Box:
        return Box(torch.full((count, dimension), float(radius)))
    return kind(torch.full((count,), float(radius)), (dimension,))


KINDS = [Box, L2Ball, L1Ball]
NORMS = {Box: math.inf, L2Ball: 2, L1Ball: 1}


@pytest.mark.parametrize(
    "kind, point, nearest",
    [
        (Box, [3.0, -0.5], [1.0, -0.5]),
        (L2Ball, [3.0, -4.0], [0.6, -0.8]),
        (L1Ball, [3.0, -0.5], [1.0, 0.0]),
        (L1Ball, [1.0, -1.0], [0.5, -0.5]),
        (L1Ball, [1.2, 0.6], [0.8, 0.2]),
    ],
)
def test_projections_by_hand(kind, point, nearest):
    torch.testing.assert_close(ball(kind, 1, 2).project(torch.tensor([point])), torch.tensor([nearest]))


@pytest.mark.parametrize("kind, expected", [(Box, 2.0), (L2Ball, 2.5), (L1Ball, 3.5)])
def test_gauges_by_hand(kind, expected):
    assert ball(kind, 2, 2).gauge(torch.tensor([[-3.0, 4.0]])).item() == expected


@pytest.mark.parametrize("kind, expected", [(Box, [2.0, -2.0]), (L2Ball, [1.2, -1.6]), (L1Ball, [0.0, -2.0])])
def test_ascent_directions_by_hand(kind, expected):
    torch.testing.assert_close(ball(kind, 2, 2).ascent_direction(torch.tensor([[3.0, -4.0]])), torch.tensor([expected]))


def test_the_l1_projection_is_optimal():
    """Karush-Kuhn-Tucker: y = sign(v)·max(|v| − θ, 0) with one θ for each example, and ‖y‖₁ = radius."""
    v = torch.randn(200, 37, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = L1Ball(torch.full((200,), 2.0, dtype=torch.float64), (37,)).project(v)
    kept = y != 0
    level = torch.where(kept, (v - y).abs(), 0).amax(1, keepdim=True)
    torch.testing.assert_close(y, v.sign() * (v.abs() - level).clamp(min=0))
    torch.testing.assert_close(y.abs().sum(1), torch.full((200,), 2.0, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS)
def test_no_sample_is_nearer_than_the_projection(kind):
    region = ball(kind, 1, 5, count=2000)
    point = torch.tensor([2.0, -1.0, 0.3, 0.0, 0.6]).expand(2000, 5)
    samples = region.sample(Streams(0, range(2000)), "uniform")
    assert ((samples - point).norm(dim=1) >= (region.project(point) - point).norm(dim=1)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_ascent_direction_is_the_maximiser(kind):
    region = ball(kind, 1.5, 4, count=500)
    gradient = torch.randn(4, generator=torch.Generator().manual_seed(0)).expand(500, 4)
    samples = region.sample(Streams(0, range(500)), "uniform")
    best = region.ascent_direction(gradient)
    assert (region.gauge(best) <= 1 + 1e-6).all() and ((gradient * (best - samples)).sum(1) >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_zero_gradient_gives_a_zero_direction(kind):
    assert (ball(kind, 1, 4).ascent_direction(torch.zeros(1, 4)) == 0).all()


@pytest.mark.parametrize("size", [1e-30, 1e30])
@pytest.mark.parametrize("kind", KINDS)
def test_extreme_gradients_still_reach_the_boundary(kind, size):
    region = ball(kind, 1, 4)
    direction = region.ascent_direction(size * torch.tensor([[1.0, -2.0, 0.5, 0.1]]))
    torch.testing.assert_close(region.gauge(direction), torch.ones(1))


@pytest.mark.parametrize("size", [1e-30, 1e3, 1e30])
@pytest.mark.parametrize("radius", [1e-30, 0.1, 29.0])
@pytest.mark.parametrize("kind", KINDS)
def test_projections_stay_inside_after_rounding(kind, radius, size):
    region = ball(kind, radius, 6272, count=8)
    points = size * torch.randn(8, 6272, generator=torch.Generator().manual_seed(0))
    projected = region.project(points)
    assert (region.gauge(projected) <= 1).all() and torch.equal(region.project(projected), projected)
    assert (torch.linalg.vector_norm(projected, NORMS[kind], dim=1) <= region.gauge(projected) * radius * (1 + 1e-5)).all()


def test_a_box_has_its_own_half_width_for_each_coordinate():
    region = Box(torch.tensor([[0.0, 1.0], [2.0, 0.5]]))
    assert region.project(torch.full((2, 2), 3.0)).tolist() == [[0.0, 1.0], [2.0, 0.5]]
    assert region.gauge(torch.tensor([[0.0, 0.5], [1.0, 1.0]])).tolist() == [0.5, 2.0]
    assert region.gauge(torch.tensor([[0.1, 0.5], [0.0, 0.0]])).tolist() == [math.inf, 0.0]


def test_examples_have_their_own_radius():
    region = L2Ball(torch.tensor([0.0, 1.0, 10.0]), (2,))
    assert region.project(torch.tensor([[3.0, 4.0]] * 3)).norm(dim=1).tolist() == pytest.approx([0, 1, 5])


def test_clipping_keeps_delta_within_both():
    region = Clipped(L2Ball(torch.tensor([2.0]), (2,)), torch.tensor([[-0.5, -1.0]]), torch.tensor([[0.5, 0.0]]))
    assert region.project(torch.tensor([[3.0, 3.0]])).tolist() == [[0.5, 0.0]]
    assert region.gauge(torch.tensor([[0.5, 0.1]])).item() == math.inf
    assert region.gauge(torch.tensor([[0.5, 0.0]])).item() == 0.25


def test_clipping_bounds_that_miss_zero_are_refused():
    with pytest.raises(InvalidInput, match="must hold 0"):
        Clipped(ball(L2Ball, 1, 2), torch.full((1, 2), 0.1), torch.ones(1, 2))


@pytest.mark.parametrize("radius", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_impossible_radii_are_refused(kind, radius):
    with pytest.raises(InvalidInput, match="finite and at least 0"):
        ball(kind, radius, 3)


@pytest.mark.parametrize("norm", NORMS.values())
def test_an_unknown_law_is_refused(norm):
    with pytest.raises(UnknownName, match="Did you mean 'uniform'"):
        sample_ball(norm, torch.ones(1, 1), 3, Streams(0, [0]), "unifrom")


@pytest.mark.parametrize("kind", KINDS)
def test_each_example_needs_its_stream(kind):
    with pytest.raises(InvalidInput, match="one random stream for each of 2"):
        ball(kind, 1, 3, count=2).sample(Streams(0, [0]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_gauge_of_a_uniform_point_to_the_power_of_its_dimension_is_uniform(kind):
    region = ball(kind, 3, 7, count=3000)
    gauge = region.gauge(region.sample(Streams(1, range(3000)), "uniform"))
    assert stats.kstest(gauge.double().numpy() ** 7, "uniform").pvalue > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_the_gauge_of_a_uniform_norm_point_is_uniform(kind):
    region = ball(kind, 3, 7, count=3000)
    gauge = region.gauge(region.sample(Streams(1, range(3000)), "uniform-norm"))
    assert stats.kstest(gauge.numpy(), "uniform").pvalue > 0.01


@pytest.mark.parametrize("kind, radius", [(Box, 1.2), (L2Ball, 1.8), (L1Ball, 2.5), (L1Ball, 0.5), (L1Ball, 9.0)])
def test_truncated_normals_match_rejection(kind, radius):
    region = ball(kind, radius, 3, count=1000)
    exact = torch.randn(1_000_000, 3, generator=torch.Generator().manual_seed(0))
    exact = exact[torch.linalg.vector_norm(exact, NORMS[kind], dim=1) <= radius]
    drawn = region.sample(Streams(1, range(1000)), "normal")
    assert stats.ks_2samp(drawn[:, 0].numpy(), exact[:, 0].numpy()).pvalue > 0.01
    assert stats.ks_2samp(drawn.norm(dim=1).numpy(), exact.norm(dim=1).numpy()).pvalue > 0.01


@pytest.mark.parametrize("dimension, radius", [(1, 0.5), (2, 1.0), (128, 3.9), (128, 10.0), (128, 500.0), (784, 28.0)])
def test_the_truncated_chi_law_inverts_its_distribution_function(dimension, radius):
    quantiles = torch.linspace(0.01, 0.99, 50, dtype=torch.float64)
    lengths = truncated_chi(quantiles, dimension, torch.full((50,), radius, dtype=torch.float64))
    log_mass = stats.chi.logcdf(lengths.numpy(), dimension) - stats.chi.logcdf(radius, dimension)
    torch.testing.assert_close(torch.from_numpy(log_mass).exp(), quantiles, rtol=1e-6, atol=1e-9)


def test_the_truncated_chi_law_survives_a_hopeless_radius():
    """k = 6272 and r = 29, of the order of 10⁻³⁰⁰⁰: there the density is close to that of a uniform ball, s^(k−1)·exp(−s²/2)."""
    quantiles = torch.linspace(0.01, 0.99, 9, dtype=torch.float64)
    lengths = truncated_chi(quantiles, 6272, torch.full((9,), 29.0, dtype=torch.float64))
    slope = 6271 / 29 - 29
    assert lengths.isfinite().all() and (lengths <= 29).all()
    torch.testing.assert_close(lengths, 29 + quantiles.log() / slope, rtol=0, atol=2e-4)


def test_a_latent_ball_of_the_largest_paper_size_is_sampled_inside():
    region = ball(L2Ball, 29, 6272, count=32)
    delta = region.sample(Streams(0, range(32)), "normal")
    assert delta.isfinite().all() and (region.gauge(delta) <= 1).all() and (region.gauge(delta) > 0.99).all()


def test_box_normals_are_truncated_in_each_coordinate():
    half_widths = torch.tensor([0.01, 1.0, 50.0]).repeat(3000, 1)
    delta = Box(half_widths).sample(Streams(2, range(3000)), "normal").numpy()
    for column, h in enumerate((0.01, 1.0, 50.0)):
        assert stats.kstest(delta[:, column], stats.truncnorm(-h, h).cdf).pvalue > 0.01


@pytest.mark.slow
def test_l1_normals_in_many_dimensions_match_reweighted_uniform_points():
    """A uniform point weighted by exp(−‖z‖₂²/2) has the law of the truncated normal."""
    uniform = ball(L1Ball, 100, 784, count=8000).sample(Streams(0, range(8000)), "uniform").norm(dim=1).double()
    weights = (-uniform.square() / 2).softmax(0)
    drawn = ball(L1Ball, 100, 784, count=500).sample(Streams(1, range(500)), "normal").norm(dim=1).double()
    expected = (weights * uniform).sum()
    variance = (weights * (uniform - expected).square()).sum()
    tolerance = 4 * (variance * (weights.square().sum() + 1 / 500)).sqrt()
    assert (drawn.mean() - expected).abs() < tolerance < (uniform.mean() - expected) / 2
    assert 0.8 < drawn.var() / variance < 1.25
