"""AdA's line search: never farther than the limit, untouched where it is near enough."""

import pytest
import torch

from explorer.errors import InvalidInput
from explorer.metrics import similarity_line_search, ssim
from explorer.metrics.similarity_line_search import _root_nearest_1


def pairs(count, seed=0, size=32):
    """Clean and corrupted images: noise, another image, a constant, and one that is hardly changed."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.nn.functional.interpolate(torch.rand(count, 3, 6, 6, generator=generator), (size, size), mode="bilinear")
    changes = [torch.rand(x.shape, generator=generator), x.flip(0), torch.full_like(x, 0.5), x + 0.02 * torch.randn(x.shape, generator=generator), 1 - x]
    which = torch.randint(len(changes), (count,), generator=generator)
    return x, torch.stack([changes[each][index] for index, each in enumerate(which)]).clamp(0, 1)


@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("limit", [0.05, 0.3, 0.7])
def test_no_distance_exceeds_the_limit(count, limit):
    x, corrupted = pairs(count)
    found = similarity_line_search(x, corrupted, limit)
    assert (found.distance <= limit).all()
    assert torch.allclose(found.distance, 1 - ssim(x, found.perturbed), atol=1e-5)
    assert (found.gamma[1 - ssim(x, corrupted) <= limit] == 1).all() and ((found.gamma >= 0) & (found.gamma <= 1)).all()


def test_what_is_inside_stays_as_it_is_and_what_is_outside_moves_to_the_limit():
    x, corrupted = pairs(200)
    outside = 1 - ssim(x, corrupted) > 0.3
    found = similarity_line_search(x, corrupted, 0.3)
    assert outside.any() and (~outside).any()
    assert found.perturbed[~outside].equal(corrupted[~outside])
    assert found.distance[found.bisected].min() > 0.299, "bisection ends at the limit"
    assert found.distance[outside].median() > 0.25, "the fit is near the limit"


def test_an_example_does_not_depend_on_the_others():
    x, corrupted = pairs(20)
    alone, together = similarity_line_search(x[7:8], corrupted[7:8], 0.3), similarity_line_search(x, corrupted, 0.3)
    assert torch.allclose(alone.gamma, together.gamma[7:8], atol=1e-5)


def test_roots_are_those_of_exact_parabolas():
    gammas = torch.linspace(0, 1, 9)
    parabolas = {0.4: (gammas - 0.4) * (gammas + 3), 0.8: (gammas - 0.8) * (gammas - 0.2), 0.6: gammas - 0.6, 1.0: gammas**2 - 4}
    roots, found = _root_nearest_1(gammas, torch.stack(list(parabolas.values())))
    assert torch.allclose(roots, torch.tensor(list(parabolas)), atol=1e-4) and found.all()


def test_a_parabola_without_a_root_says_so():
    gammas = torch.linspace(0, 1, 9)
    _, found = _root_nearest_1(gammas, torch.stack([gammas**2 + 1, -(gammas**2) + gammas - 1]))
    assert not found.any()


@pytest.mark.parametrize("limit", [0.0, -1.0, 2.0, float("nan")])
def test_a_limit_that_means_nothing_is_refused(limit):
    with pytest.raises(InvalidInput, match="limit"):
        similarity_line_search(*pairs(1), limit)
