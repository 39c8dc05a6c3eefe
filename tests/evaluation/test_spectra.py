import math

import numpy as np
import pytest
import torch

from explorer.errors import InvalidInput
from explorer.evaluation.spectra import attack_energy, class_eigenvalues, spectrum


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(400, 1, 2, 3, generator=generator) * torch.tensor([3.0, 2, 1, 0.5, 0.1, 0.01]).view(1, 1, 2, 3)


def test_eigenvalues_are_those_of_numpy_class_by_class(images):
    labels = torch.arange(400) % 3
    for label, found in enumerate(class_eigenvalues(images, labels, 3)):
        expected = np.linalg.eigvalsh(np.cov(images[labels == label].flatten(1).double().numpy().T))[::-1]
        assert np.allclose(found, expected, atol=1e-12)


def test_fewer_images_than_pixels_have_the_eigenvalues_of_numpy(images):
    few = torch.randn(4, 1, 2, 3, generator=torch.Generator().manual_seed(1))
    expected = np.linalg.eigvalsh(np.cov(few.flatten(1).double().numpy().T))[::-1]
    assert np.allclose(class_eigenvalues(few, torch.zeros(4, dtype=torch.long), 1)[0], expected, atol=1e-12)


def test_a_class_without_two_images_has_no_eigenvalues(images):
    found = class_eigenvalues(images, torch.zeros(400, dtype=torch.long), 2)
    assert found[0].isfinite().all() and found[1].isnan().all()


def test_directions_diagonalise_the_covariance(images):
    found = spectrum(images)
    centred = images.flatten(1).double() - images.flatten(1).double().mean(0)
    turned = centred @ found.directions.T
    assert torch.allclose(turned.T @ turned / (found.count - 1), found.eigenvalues.diag(), atol=1e-10)


def test_large_and_small_parts_make_up_the_trace(images):
    found = spectrum(images)
    assert sum(found.parts(2)) == pytest.approx(float(images.flatten(1).double().var(0).sum()))


def test_energy_lies_where_the_attack_does(images):
    found = spectrum(images)
    delta = (found.directions[4] * torch.randn(50, 1, dtype=torch.float64)).view(50, 1, 2, 3).float()
    energy = attack_energy(delta, found.directions, torch.Generator().manual_seed(0))
    assert energy.share[4] == pytest.approx(1) and energy.beyond(4) == pytest.approx(1)


def test_shares_add_up_to_one_inside_their_bands(images):
    energy = attack_energy(torch.randn_like(images), spectrum(images).directions, torch.Generator().manual_seed(0))
    assert energy.share.sum() == pytest.approx(1) and ((energy.lower <= energy.share) & (energy.share <= energy.upper)).all()


def test_bands_hold_the_true_share_as_often_as_they_say():
    held, directions = 0, torch.eye(2, dtype=torch.float64)
    for seed in range(200):
        delta = torch.randn(100, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * torch.tensor([2.0, 1.0])
        energy = attack_energy(delta, directions, torch.Generator().manual_seed(seed), resamples=200, confidence=0.9)
        held += bool(energy.lower[0] <= 0.8 <= energy.upper[0])
    assert 160 <= held <= 195


@pytest.mark.parametrize("delta", [torch.zeros(3, 6), torch.full((3, 6), math.nan), torch.ones(3, 5)])
def test_perturbations_that_say_nothing_are_errors(images, delta):
    with pytest.raises(InvalidInput):
        attack_energy(delta, spectrum(images).directions, torch.Generator())


def test_one_image_has_no_spectrum(images):
    with pytest.raises(InvalidInput, match="two images"):
        spectrum(images[:1])
