import math

import pytest
import torch

from explorer.errors import ConfigurationError, InvalidInput
from explorer.evaluation.gaussian_plane import PlaneSettings, plane


def energy(side, variances, stretch):
    """E‖Δ‖² of the drawn perturbation, for data of these variances, by the length of what is added."""
    return sum(variance * (grown / math.sqrt(w)) ** 2 for variance, grown, w in zip(variances, side.growth, stretch) if w)


@pytest.mark.parametrize("latents", [1, 2])
def test_perturbations_have_the_radius_on_average(latents):
    found = plane(PlaneSettings(first=1.0, second=0.2, off=0.3, on=0.4, latents=latents))
    stretch = (1.0, 0.2) if latents == 2 else (0.8, 0.0)
    assert energy(found.off, (1.0, 0.2), (1, 1)) == pytest.approx(0.09, rel=1e-6)
    assert energy(found.on, (1.0, 0.2), stretch) == pytest.approx(0.16, rel=1e-6)


def test_attacks_off_the_manifold_go_along_the_small_variance_and_those_on_it_along_the_large_one():
    found = plane(PlaneSettings(first=1.0, second=0.05))
    assert found.off.share[1] > 0.9 and found.on.share[0] > 0.9


def test_on_the_manifold_both_variances_grow_alike_and_off_it_the_small_one_more():
    found = plane(PlaneSettings(first=1.0, second=0.05))
    on, off = ([learned / own for learned, own in zip(side.saddle, found.variances)] for side in (found.on, found.off))
    assert on[0] == pytest.approx(on[1]) and off[1] > 2 * off[0] > 2


def test_directions_are_told_in_the_order_of_the_settings():
    straight, swapped = plane(PlaneSettings(first=1.0, second=0.05)), plane(PlaneSettings(first=0.05, second=1.0))
    for name in ("constraint", "growth", "share", "saddle"):
        for side in ("off", "on"):
            assert getattr(getattr(swapped, side), name) == pytest.approx(getattr(getattr(straight, side), name)[::-1])


def test_a_multiplier_gives_the_radius_that_gives_it_back():
    given = plane(PlaneSettings(given="multiplier", off=20.0, on=5.0))
    back = plane(PlaneSettings(off=given.off.radius, on=given.on.radius))
    assert back.off.multiplier == pytest.approx(20) and back.on.multiplier == pytest.approx(5)


def test_a_multiplier_without_a_maximum_is_told_apart():
    found = plane(PlaneSettings(second=0.1, given="multiplier", off=5.0, on=0.5))
    assert found.off.growth is None and found.off.risk == math.inf and found.on.growth is None


def test_the_drawn_perturbation_is_the_best_one_of_its_energy():
    """Against all linear maps of the same energy along the directions: the expected loss ½Σ(1 + g)²λ/λ is largest."""
    found = plane(PlaneSettings(first=1.0, second=0.2, off=0.3)).off
    turns = torch.linspace(0, math.pi / 2, 721, dtype=torch.float64)
    others = torch.stack([0.3 * turns.cos() / 1.0, 0.3 * turns.sin() / math.sqrt(0.2)])
    best = ((1 + others) ** 2).sum(0).max()
    assert sum((1 + grown) ** 2 for grown in found.growth) == pytest.approx(float(best), rel=1e-5)


def test_all_problems_are_told_at_once():
    with pytest.raises(ConfigurationError) as caught:
        PlaneSettings(first=0.0, angle=100.0, off=math.nan, latents=3)
    assert len(caught.value.problems) == 4


def test_one_latent_of_a_round_gaussian_leaves_nothing_to_perturb():
    with pytest.raises(InvalidInput, match="both variances are equal"):
        plane(PlaneSettings(first=1.0, second=1.0, latents=1))
