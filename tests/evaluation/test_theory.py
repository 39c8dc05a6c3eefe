"""Theorems 1 and 2, Lemmas 3 and 4 and Figure 4 of Perturbation sets hold for what they speak of."""

import math
from dataclasses import replace
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
import torch
from scipy import integrate, stats
from scipy.special import lambertw
from torch import nn

from explorer.attacks import pgd
from explorer.errors import InvalidInput
from explorer.evaluation import (
    Objective,
    chi_radius,
    corollary2,
    figure4,
    lemma4,
    measure_objective,
    theorem1,
    theorem2,
    variance_ratio_interval,
)
from explorer.metrics import squared_error
from explorer.models import ConditionalVAE, Gaussian, kl_divergence
from explorer.papers.learned_sets import open_learned_set
from explorer.randomness import Streams
from explorer.sets import L2Ball, LatentBall

DIGITS = Path(__file__).parents[2] / "checkpoints" / "learned_sets" / "digits-rts.safetensors"
ALPHAS = torch.tensor([0.001, 0.05, 0.5, 0.95], dtype=torch.float64)
LATENT, PIXELS, PAIRS = 3, 8, 12


class Fixed(nn.Module):
    """Features of an image: mean linear, log-variance constant."""

    def __init__(self, mean, log_var):
        super().__init__()
        self.mean, self.log_var = mean, log_var

    def forward(self, x):
        return Gaussian(x.flatten(1) @ self.mean, self.log_var.expand(len(x), -1))


class LinearGenerator(nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def forward(self, clean, z):
        return clean / 2 + (z @ self.weight).view_as(clean)


@pytest.fixture(params=range(3))
def linear(request):
    """A CVAE whose every expectation is known, its posterior not far from the prior, with pairs; all in float64."""
    draw = torch.Generator().manual_seed(request.param)
    normal = lambda *shape: torch.randn(*shape, generator=draw, dtype=torch.float64)  # noqa: E731
    prior = Fixed(0.2 * normal(PIXELS, LATENT), 0.3 * normal(1, LATENT))
    recognition = Fixed(0.2 * normal(2 * PIXELS, LATENT), 0.6 * normal(1, LATENT) - 0.5)
    model = ConditionalVAE(prior, recognition, LinearGenerator(0.4 * normal(LATENT, PIXELS)), LATENT, (1, 2, 4)).eval()
    clean, perturbed = torch.rand(2, PAIRS, 1, 2, 4, generator=draw, dtype=torch.float64)
    return model, clean, perturbed


def exact_objective(model, clean, perturbed):
    """Expectations of a quadratic under a normal."""
    q, p, weight = model.encode(clean, perturbed), model.prior(clean), model.generator.weight
    error = squared_error(model.decode(clean, q.mean), perturbed) + (q.log_var.exp() @ weight.square()).sum(1)
    ratio, shift = (q.log_var - p.log_var).exp(), (q.mean - p.mean).square() / p.log_var.exp()
    return Objective(-(error + PIXELS * math.log(2 * math.pi)) / 2, ratio - 1 - ratio.log() + shift, PIXELS)


def objective_of(expected_error, divergence):
    """One pair with that E‖x − g‖² and those Kᵢ."""
    log_likelihood = -(expected_error + PIXELS * math.log(2 * math.pi)) / 2
    return Objective(torch.tensor([log_likelihood], dtype=torch.float64), divergence, PIXELS)


def closest_member(matrix, offset, radius):
    """min ‖A u + c‖² over ‖u‖ ≤ r: the least-squares point, or ridge regression with a penalty found by bisection."""
    gram, right = matrix.T @ matrix, -matrix.T @ offset
    low, high = 0.0, 1e6
    for _ in range(80):
        middle = (low + high) / 2
        u = torch.linalg.solve(gram + middle * torch.eye(len(gram), dtype=gram.dtype), right)
        low, high = (middle, high) if u.norm() > radius else (low, middle)
    return float((matrix @ u + offset).square().sum())


def in_standard_deviations(model, clean, perturbed, pair):
    """A and c with g − x = A u + c for the prior's u of one pair."""
    p = model.prior(clean[pair : pair + 1])
    offset = model.decode(clean[pair : pair + 1], p.mean) - perturbed[pair : pair + 1]
    return (p.std[0][:, None] * model.generator.weight).T, offset.flatten()


def random_divergences(count, seed=0):
    return 10 ** torch.empty(count, dtype=torch.float64).uniform_(-6, 1.5, generator=torch.Generator().manual_seed(seed))


def inside_lemma4(divergence, radius, points=61):
    """log q/p on a grid of all (μ, σ², w) with μ² ≤ K, σ² ∈ [a, b], |w| = |σz + μ| ≤ r."""
    a, b = (float(end) for end in variance_ratio_interval(torch.tensor(divergence, dtype=torch.float64)))
    line = torch.linspace(-1, 1, points, dtype=torch.float64)
    mean = math.sqrt(divergence) * line[:, None, None]
    variance = torch.logspace(math.log10(a), math.log10(b), points, dtype=torch.float64)[:, None]
    w = radius * line
    z = (w - mean) / variance.sqrt()
    q, p = stats.norm(-mean / variance.sqrt(), 1 / variance.sqrt()), stats.norm()
    return torch.as_tensor(q.logpdf(z) - p.logpdf(z))


# Lemma 3


def test_the_interval_holds_the_variance_ratio_of_random_gaussians():
    draw = torch.Generator().manual_seed(0)
    q, p = (Gaussian(*(2 * torch.randn(10_000, 1, generator=draw, dtype=torch.float64) for _ in range(2))) for _ in range(2))
    a, b = variance_ratio_interval(2 * kl_divergence(q, p))
    ratio = (q.log_var - p.log_var).exp()[:, 0]
    assert ((a <= ratio * (1 + 1e-12)) & (ratio <= b * (1 + 1e-12))).all()


@pytest.mark.parametrize("end", [0, 1], ids=["a", "b"])
def test_the_interval_is_tight_for_gaussians_of_equal_mean(end):
    ratio = torch.logspace(-8, -0.1, 200, dtype=torch.float64) if end == 0 else torch.logspace(0.1, 3, 200, dtype=torch.float64)
    assert torch.allclose(variance_ratio_interval(ratio - 1 - ratio.log())[end], ratio, rtol=1e-11, atol=0)


@pytest.mark.parametrize(("end", "branch"), [(0, 0), (1, -1)])
def test_the_interval_is_that_of_lambert_w(end, branch):
    divergence = torch.logspace(-2, 2.5, 100, dtype=torch.float64)
    expected = -lambertw(-(-(divergence + 1)).exp().numpy(), branch).real
    assert torch.allclose(variance_ratio_interval(divergence)[end], torch.as_tensor(expected), rtol=1e-11, atol=0)


@pytest.mark.parametrize("divergence", [1e-20, 1e-12, 1e-8, 1e-4, 1.0, 30.0, 700.0])
def test_the_ends_solve_their_equation_to_the_last_digits(divergence):
    with localcontext() as context:
        context.prec = 50
        for end in variance_ratio_interval(torch.tensor(divergence, dtype=torch.float64)):
            x = Decimal(float(end))
            miss = (x - x.ln() - 1 - Decimal(divergence)) / (1 - 1 / x)  # one Newton step
            assert abs(miss / x) < (4 + Decimal(divergence)) * Decimal(2) ** -53  # a is the exponential of about −(K + 1)


def test_the_interval_of_a_huge_divergence_stays_finite():
    a, b = variance_ratio_interval(torch.tensor([1e4, 1e300], dtype=torch.float64))
    assert a.tolist() == [0, 0] and b.tolist() == pytest.approx([10010.211360987067, 1e300])


def test_equal_gaussians_have_the_ratio_one():
    assert [end.item() for end in variance_ratio_interval(torch.zeros(1))] == [1, 1]


def test_the_shift_of_the_mean_stays_below_the_divergence(linear):
    model, clean, perturbed = linear
    u = model.prior(clean).standardise(model.encode(clean, perturbed).mean)
    assert (u.square() <= exact_objective(*linear).divergence * (1 + 1e-12)).all()


# Lemma 4


@pytest.mark.parametrize("radius", [0.3, 1.0, 2.5, 7.0])
@pytest.mark.parametrize("divergence", [1e-6, 1e-3, 0.1, 1.0, 4.0, 15.0])
def test_the_corrected_lemma_bounds_the_density_ratio(divergence, radius):
    assert inside_lemma4(divergence, radius).max() <= float(lemma4(torch.tensor(divergence, dtype=torch.float64), radius)) + 1e-6


@pytest.mark.parametrize("divergence", [1e-3, 0.1, 1.0, 4.0])
def test_the_exponent_of_the_corrected_lemma_is_attained(divergence):
    a, b = variance_ratio_interval(torch.tensor(divergence, dtype=torch.float64))
    slack = float((b / a).log() / 2)  # the lemma takes σ = √b in front of the exponential and √a in it
    bound = float(lemma4(torch.tensor(divergence, dtype=torch.float64), 2.5))
    assert inside_lemma4(divergence, 2.5).max() == pytest.approx(bound - slack, rel=1e-5)


def test_the_printed_lemma_has_a_counterexample():
    variance, mean, radius = 21.0, 4.6, 1.0
    bound, sigma = mean**2, math.sqrt(variance)  # K, and a = b = σ as the lemma is printed
    first = (variance - 1) * radius**2 - bound
    second = ((1 - variance) * radius**2 + 2 * radius * math.sqrt(bound) + bound) / variance
    w = -mean / (variance - 1)  # σz + μ, where the ratio is largest
    z = (w - mean) / sigma
    assert abs(w) < radius
    assert stats.norm.pdf(z, -mean / sigma, 1 / sigma) / stats.norm.pdf(z) > sigma * math.exp(max(first, second))


def test_the_inner_maximum_never_exceeds_the_one_at_the_edge():
    a, b = variance_ratio_interval(random_divergences(1000))
    assert (a * b <= 1 + 1e-15).all()


# Radius


@pytest.mark.parametrize("dimension", [1, 2, 32])
@pytest.mark.parametrize("alpha", [0.01, 0.3, 0.9])
def test_the_radius_holds_its_share_of_the_samples(alpha, dimension):
    samples = torch.randn(100_000, dimension, generator=torch.Generator().manual_seed(1))
    share = (samples.norm(dim=1) <= chi_radius(alpha, dimension)).double().mean().item()
    assert share == pytest.approx(1 - alpha, abs=4 * math.sqrt(alpha * (1 - alpha) / 100_000))


def test_one_deviation_holds_two_thirds_in_one_dimension():
    assert chi_radius(math.erfc(1 / math.sqrt(2)), 1).item() == pytest.approx(1)


def test_a_radius_exists_in_thousands_of_dimensions():
    alphas = torch.tensor([1e-300, 0.5, 1 - 1e-12], dtype=torch.float64)
    expected = torch.as_tensor(stats.chi(6272).isf(alphas.numpy()))
    assert torch.allclose(chi_radius(alphas, 6272), expected, rtol=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 1.5, math.nan])
@pytest.mark.parametrize("theorem", [theorem1, theorem2, lambda objective, alpha: chi_radius(alpha, 2)])
def test_alpha_outside_zero_to_one_is_refused(theorem, alpha):
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        theorem(Objective(torch.tensor([-9.0]), torch.ones(1, 2), 4), alpha)


def test_one_bad_alpha_among_many_is_refused():
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        chi_radius(torch.tensor([0.5, 1.0]), 2)


# The objective


def test_the_estimate_approaches_the_exact_objective(linear):
    exact, estimate = exact_objective(*linear), measure_objective(*linear, seed=0, samples=1000)
    assert torch.allclose(estimate.expected_error, exact.expected_error, rtol=0.1)
    assert torch.allclose(estimate.divergence, exact.divergence, rtol=1e-9)


def test_the_divergences_sum_to_twice_that_of_the_model(tiny_model):
    clean, perturbed = (torch.rand(5, 1, 16, 16, generator=torch.Generator().manual_seed(i)) for i in range(2))
    objective = measure_objective(tiny_model, clean, perturbed, seed=0, samples=1)
    expected = 2 * kl_divergence(tiny_model.encode(clean, perturbed), tiny_model.prior(clean)).double()
    assert torch.allclose(objective.divergence.sum(1), expected, rtol=1e-4)


def test_the_objective_does_not_depend_on_the_batch_size(tiny_model):
    clean, perturbed = (torch.rand(7, 1, 16, 16, generator=torch.Generator().manual_seed(i)) for i in range(2))
    first, second = (measure_objective(tiny_model, clean, perturbed, 0, 3, size) for size in (3, 7))
    assert torch.allclose(first.log_likelihood, second.log_likelihood) and torch.allclose(first.divergence, second.divergence)


def test_the_likelihood_is_that_of_a_unit_gaussian(linear):
    model, clean, perturbed = linear
    z = model.encode(clean, perturbed).reparameterise(Streams(0, range(PAIRS)).normal((LATENT,)).double())
    expected = torch.distributions.Normal(model.decode(clean, z), 1.0).log_prob(perturbed).flatten(1).sum(1)
    assert torch.allclose(measure_objective(*linear, seed=0, samples=1).log_likelihood, expected)


def test_a_likelihood_above_its_limit_is_refused():
    with pytest.raises(InvalidInput, match="at most"):
        Objective(torch.tensor([-1.0]), torch.ones(1, 2), 4)


def test_a_negative_divergence_is_refused():
    with pytest.raises(InvalidInput, match="at least 0"):
        Objective(torch.tensor([-9.0]), torch.tensor([[1.0, -1.0]]), 4)


# Theorem 1


def test_epsilon_and_delta_by_hand():
    theorem = theorem1(objective_of(3.0, torch.tensor([[1.0, 3.0]])), 0.5)
    b = 5.749031259268  # b − log b = 4
    assert theorem.radius.item() == pytest.approx(math.sqrt(2 * math.log(2)))  # in two dimensions ‖u‖² is exponential
    assert theorem.epsilon.item() == pytest.approx(math.sqrt(b) * theorem.radius.item() + 2)
    assert theorem.delta.item() == pytest.approx(6)


def test_epsilon_holds_the_posteriors_whole_ball(linear):
    model, clean, perturbed = linear
    theorem = theorem1(exact_objective(*linear), ALPHAS)
    u = Streams(0, range(PAIRS)).normal((4000, LATENT)).double()
    u = u / u.norm(dim=2, keepdim=True)
    q, p = model.encode(clean, perturbed), model.prior(clean)
    for radius, epsilon in zip(theorem.radius, theorem.epsilon):
        z = (q.mean[:, None] + radius * u * q.std[:, None] - p.mean[:, None]) / p.std[:, None]
        assert (z.norm(dim=2).amax(1) <= epsilon).all()


def test_a_linear_model_has_a_member_as_close_as_theorem_1_promises(linear):
    theorem = theorem1(exact_objective(*linear), ALPHAS)
    for pair in range(PAIRS):
        affine = in_standard_deviations(*linear, pair)
        for epsilon, delta in zip(theorem.epsilon[:, pair], theorem.delta[:, pair]):
            assert closest_member(*affine, float(epsilon)) <= delta


def test_the_search_finds_the_closest_member_of_a_linear_model(linear):
    model, clean, perturbed = linear
    best = torch.tensor([closest_member(*in_standard_deviations(*linear, pair), 0.7) for pair in range(PAIRS)])
    found = descend(model, clean, perturbed, torch.full((PAIRS,), 0.7, dtype=torch.float64), steps=300, step_size=0.02).loss
    assert torch.allclose(found.float(), best, rtol=2e-3) and (found >= best - 1e-4).all()


def test_in_the_limit_epsilon_is_the_radius_and_delta_zero():
    theorem = theorem1(objective_of(0.0, torch.zeros(1, LATENT)), ALPHAS)
    assert torch.equal(theorem.epsilon[:, 0], theorem.radius) and theorem.delta.abs().max() == 0


def test_the_limit_is_approached():
    def gap(k):
        theorem = theorem1(objective_of(k, torch.full((1, 4), k)), 0.1)
        return theorem.epsilon.item() - theorem.radius.item(), theorem.delta.item()

    gaps = [gap(10.0**-exponent) for exponent in (2, 4, 6, 8)]
    assert all(later[i] < 0.2 * earlier[i] for earlier, later in zip(gaps, gaps[1:]) for i in range(2))


def test_many_alphas_are_one_alpha_many_times(linear):
    objective = exact_objective(*linear)
    for theorem, names in ((theorem1, ("epsilon", "delta")), (theorem2, ("log_h", "log_bound"))):
        together, alone = theorem(objective, ALPHAS), [theorem(objective, float(alpha)) for alpha in ALPHAS]
        assert all(torch.allclose(getattr(together, name), torch.stack([getattr(one, name) for one in alone])) for name in names)


# Theorem 2 and Corollary 2


@pytest.mark.parametrize("alpha", [0.05, 0.5, 0.95])
def test_the_truncated_expectation_stays_below_theorem_2(linear, alpha):
    theorem = theorem2(exact_objective(*linear), alpha)
    r2 = float(theorem.radius) ** 2
    second_moment = stats.chi2(LATENT + 2).cdf(r2) / stats.chi2(LATENT).cdf(r2)  # E[uᵢ² | ‖u‖ ≤ r]
    for pair in range(PAIRS):
        matrix, offset = in_standard_deviations(*linear, pair)
        expected = float(offset.square().sum() + second_moment * matrix.square().sum())
        assert math.log(expected) <= float(theorem.log_bound[pair])


def test_theorem_2_is_nearly_attained_by_a_posterior_that_is_the_prior():
    objective = objective_of(3.0, torch.full((1, 2), 1e-16))
    assert theorem2(objective, 0.25).log_bound.item() == pytest.approx(math.log(3 / 0.75), abs=1e-6)


def test_the_bound_of_a_far_posterior_is_finite_in_logarithms():
    theorem = theorem2(Objective(torch.tensor([-2000.0]), torch.full((1, 6272), 5.0), 1764), 0.05)
    assert 1e6 < theorem.log_h.item() < math.inf and theorem.log_bound.isfinite().all()


def test_the_likelihood_is_above_its_bound(linear):
    model, clean, perturbed = linear
    members, radius = 2000, chi_radius(0.05, LATENT)
    u = L2Ball(radius.expand(members), (LATENT,)).sample(Streams(0, range(members)), "normal").double()
    matrix, offset = in_standard_deviations(*linear, 0)
    errors = (u @ matrix.T + offset).square().sum(1)
    log_likelihood = torch.logsumexp(-errors / 2, 0) - math.log(members) - PIXELS / 2 * math.log(2 * math.pi)
    assert log_likelihood >= corollary2(errors.mean(), PIXELS)


# Figure 4

HEIGHTS = [0.3, 1.0, 3.0, 30.0, 1000.0]


@pytest.mark.parametrize("a", HEIGHTS)
def test_the_expectation_is_that_of_numerical_integration(a):
    triangle, width = figure4(a), min(1 / a**2, 12.0)
    value = lambda z: float(triangle(torch.tensor(z, dtype=torch.float64))) * stats.norm.pdf(z)  # noqa: E731
    assert triangle.expectation == pytest.approx(2 * integrate.quad(value, 0, width)[0], rel=1e-8)


@pytest.mark.parametrize("a", [1e-6, *HEIGHTS, 1e6])
def test_the_expectation_stays_below_its_bound(a):
    assert 0 < figure4(a).expectation <= figure4(a).bound


@pytest.mark.parametrize("a", HEIGHTS)
def test_the_triangle_has_its_peak_slope_and_ends(a):
    z = torch.tensor([0, 0.5 / a**2, -0.5 / a**2, 1 / a**2, -2 / a**2], dtype=torch.float64)
    assert figure4(a)(z).tolist() == pytest.approx([a, a / 2, a / 2, 0, 0])


def test_the_maximum_grows_while_the_expectation_vanishes():
    triangles = [figure4(a) for a in (1.0, 10.0, 100.0)]
    assert all(b.maximum > a.maximum and b.expectation < a.expectation / 3 for a, b in zip(triangles, triangles[1:]))


@pytest.mark.parametrize("a", [0.0, -1.0, math.inf, math.nan])
def test_an_impossible_height_is_refused(a):
    with pytest.raises(InvalidInput, match="between"):
        figure4(a)


# The shipped checkpoint


def descend(model, clean, perturbed, radius, steps, step_size):
    """The closest member that a search from the encoder's own point finds within each pair's radius."""
    perturbations = LatentBall(model, 1.0).at(clean)
    perturbations = replace(perturbations, region=L2Ball(radius.to(clean), (model.latent_dim,)))
    with torch.no_grad():
        start = model.prior(clean).standardise(model.encode(clean, perturbed).mean)
    streams = Streams(0, range(len(clean)))
    arguments = {"steps": steps, "step_size": step_size, "step": "gradient", "maximise": False, "start": start, "streams": streams}
    return pgd(perturbations, lambda members: squared_error(members, perturbed), **arguments)


def check_theorem_1(count, samples, steps):
    learned = open_learned_set(DIGITS)
    model, (clean, perturbed) = learned.checkpoint.model, learned.pairs.fixed(range(count)).both
    theorem = theorem1(measure_objective(model, clean, perturbed, 0, samples), ALPHAS)
    for epsilon, delta in zip(theorem.epsilon, theorem.delta):
        found = descend(model, clean, perturbed, epsilon, steps, 0.1)
        assert (found.delta.norm(dim=1) <= epsilon * (1 + 1e-6)).all() and (found.loss <= delta).all()


def test_theorem_1_holds_for_pairs_of_the_shipped_digits():
    check_theorem_1(count=16, samples=8, steps=3)


@pytest.mark.slow
def test_theorem_1_holds_for_every_test_pair_of_the_shipped_digits():
    check_theorem_1(count=None, samples=16, steps=3)


def test_theorem_2_holds_for_pairs_of_the_shipped_digits():
    learned = open_learned_set(DIGITS)
    model, (clean, perturbed) = learned.checkpoint.model, learned.pairs.fixed(range(8)).both
    theorem = theorem2(measure_objective(model, clean, perturbed, 0, 8), 0.05)
    perturbations, streams = LatentBall(model, float(theorem.radius)).at(clean), Streams(0, range(8))
    with torch.inference_mode():
        draws = [perturbations.perturb(perturbations.region.sample(streams, "normal")) for _ in range(8)]
    errors = torch.stack([squared_error(members, perturbed) for members in draws]).double().mean(0)
    assert (errors.log() <= theorem.log_bound).all()
