"""AugMix, operation by operation beside Pillow, and its law of mixing."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from explorer.errors import InvalidInput
from explorer.training import AugMix
from explorer.training.byte_operations import OPERATIONS, operated

COUNT, EDGE = 40, 32


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(height=EDGE, width=EDGE):
    """Smooth, narrow in brightness, noisy and constant ones, in bytes."""
    generator = np.random.default_rng(0)
    smooth = generator.uniform(0, 255, (COUNT, 3, 1, 1)) + np.linspace(-60, 60, width) + np.linspace(-30, 30, height)[:, None]
    smooth[1::4] = generator.uniform(0, 255, smooth[1::4].shape)
    smooth[2::8] = 100 + generator.uniform(0, 9, smooth[2::8].shape)
    smooth[3::16] = 77
    return torch.from_numpy(smooth.clip(0, 255).astype(np.uint8)).float()


def apply(name, images, levels, signs):
    return operated(images, torch.full((len(images),), OPERATIONS.index(name)), levels, signs)


def pillow(name, image, level, sign):
    """The published operation, on the level that was drawn."""
    width, height = image.size
    affine = {
        "shear_x": (1, sign * level * 0.3 / 10, 0, 0, 1, 0), "shear_y": (1, 0, 0, sign * level * 0.3 / 10, 1, 0),
        "translate_x": (1, 0, sign * int(level * (width / 3) / 10), 0, 1, 0), "translate_y": (1, 0, 0, 0, 1, sign * int(level * (height / 3) / 10)),
    }  # fmt: skip
    if name in affine:
        return image.transform(image.size, Image.AFFINE, affine[name], resample=Image.BILINEAR)
    return {
        "autocontrast": lambda: ImageOps.autocontrast(image),
        "equalize": lambda: ImageOps.equalize(image),
        "posterize": lambda: ImageOps.posterize(image, 4 - int(level * 4 / 10)),
        "rotate": lambda: image.rotate(sign * int(level * 30 / 10), resample=Image.BILINEAR),
        "solarize": lambda: ImageOps.solarize(image, 256 - int(level * 256 / 10)),
    }[name]()


@pytest.mark.parametrize("shape", [(EDGE, EDGE), (24, 40)], ids=str)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_gives_pillows_pixels(name, shape):
    images, levels = pictures(*shape), 0.1 + 9.8 * torch.rand(COUNT, generator=seeded(1))
    signs = 1.0 - 2.0 * torch.randint(2, (COUNT,), generator=seeded(2))
    ours = apply(name, images, levels, signs)
    for each, image, level, sign in zip(ours, images, levels.tolist(), signs.tolist(), strict=True):
        theirs = pillow(name, Image.fromarray(image.byte().permute(1, 2, 0).numpy()), level, sign)
        assert np.array_equal(each.permute(1, 2, 0).numpy(), np.asarray(theirs, dtype=np.float32)), (level, sign)


@pytest.mark.parametrize("name", ["posterize", "rotate", "translate_x", "translate_y"])
def test_levels_below_the_first_whole_number_do_nothing_more(name):
    images, ones = pictures(), torch.ones(COUNT)
    assert torch.equal(apply(name, images, 0.1 * ones, ones), apply(name, images, 0.02 * ones, -ones))


def test_mixtures_stay_between_black_and_white_and_depend_on_the_generator_alone():
    images = pictures() / 255
    first, again, other = (AugMix()(images, seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert 0 <= first.min() and first.max() <= 1 and first.shape == images.shape and not torch.equal(first, images)


def test_every_image_is_drawn_its_own_mixture():
    images = pictures()[1:2].expand(COUNT, -1, -1, -1) / 255
    assert len(AugMix()(images, seeded()).flatten(1).unique(dim=0)) == COUNT


def test_a_chain_of_one_operation_is_mixed_with_the_image():
    """x + m·(operation(x) − x) for one of the nine at some level: all differences point the same way."""
    image = torch.full((1, 3, EDGE, EDGE), 200 / 255)
    image[..., EDGE // 2 :] = 100 / 255
    for seed in range(12):
        mixed = AugMix(width=1, depth=1)(image, seeded(seed)) - image
        levels = torch.arange(0.1, 3.0, 0.1).repeat(2)
        signs = torch.ones(len(levels))
        signs[len(levels) // 2 :] = -1
        chains = torch.cat([apply(name, 255 * image.expand(len(levels), -1, -1, -1), levels, signs) / 255 - image for name in OPERATIONS]).flatten(1)
        shares = (chains @ mixed.flatten()) / chains.square().sum(1).clamp(min=1e-12)
        distance = (mixed.flatten() - shares[:, None] * chains).abs().amax(1)
        assert distance.min() < 0.03 and -1e-6 <= shares[distance.argmin()] <= 1.001


def test_shares_of_image_and_chains_have_the_laws_that_are_asked_for():
    from explorer.training.augmix import _gamma

    draws = _gamma(2.0, (2, 20_000), seeded())
    share = draws[0] / draws.sum(0)
    assert share.mean() == pytest.approx(0.5, abs=0.01) and share.var() == pytest.approx(1 / 20, abs=0.003)  # Beta(2, 2)
    draws = _gamma(1.0, (2, 20_000), seeded())
    assert (draws[0] / draws.sum(0)).var() == pytest.approx(1 / 12, abs=0.003)  # uniform


@pytest.mark.parametrize("wrong", [{"severity": 0.0}, {"width": 0}, {"depth": 0}, {"alpha": 0.0}], ids=str)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(InvalidInput, match="AugMix takes"):
        AugMix(**wrong)


def test_every_image_gets_its_own_operation():
    images, levels, signs = pictures(), torch.full((COUNT,), 2.9), torch.ones(COUNT)
    chosen = torch.arange(COUNT) % (len(OPERATIONS) + 1) - 1
    mixed = operated(images, chosen, levels, signs)
    for number, name in enumerate(OPERATIONS):
        assert torch.equal(mixed[chosen == number], apply(name, images, levels, signs)[chosen == number])
    assert torch.equal(mixed[chosen == -1], images[chosen == -1])
