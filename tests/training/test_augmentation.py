import torch

from explorer.training import mirrored_and_shifted


def shown(images, seed=0, **options):
    return mirrored_and_shifted(images, torch.Generator().manual_seed(seed), **options)


def test_without_a_shift_an_image_is_itself_or_its_mirror_image():
    images = torch.rand(64, 3, 5, 6)
    found = shown(images, shift=0)
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(found, images)]
    assert all(each or torch.equal(a, b) for each, a, b in zip(mirrored, found, images)) and 20 < sum(mirrored) < 44


def test_a_shift_moves_the_image_by_whole_pixels_and_lets_black_in():
    images = torch.zeros(200, 1, 9, 9)
    images[:, :, 4, 4] = 1.0
    found = shown(images, shift=2).nonzero()
    assert len(found) == 200 and found[:, 2:].min() == 2 and found[:, 2:].max() == 6 and len(found[:, 2:].unique(dim=0)) == 25


def test_the_same_seed_shows_the_same_images():
    images = torch.rand(4, 1, 8, 8)
    assert torch.equal(shown(images, 3), shown(images, 3)) and not torch.equal(shown(images, 3), shown(images, 4))
