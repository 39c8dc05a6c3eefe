import numpy as np
import pytest
import torch

from explorer.errors import InvalidInput
from explorer.figures import difference, pixels, strip, tile, upscale


def test_bytes_round_to_the_nearest():
    images = torch.tensor([0.0, 0.25, 1.0]).view(3, 1, 1, 1)
    assert pixels(images)[:, 0, 0, 0].tolist() == [0, 64, 255]


def test_grey_is_repeated_to_colour():
    assert pixels(torch.rand(2, 1, 3, 4)).shape == (2, 3, 4, 3)


def test_no_difference_is_grey():
    x = torch.rand(2, 1, 3, 3)
    assert (difference(x, x, 8) == 128).all()


@pytest.mark.parametrize(("change", "colour"), [(0.5, [140, 81, 10]), (-0.5, [1, 102, 94]), (0.25, [134, 104, 69])])
def test_the_amplified_difference_has_its_colour(change, colour):
    reference = torch.full((1, 1, 1, 1), 0.5)
    assert difference(reference + change, reference, 2)[0, 0, 0].tolist() == colour


def test_tiles_stand_row_by_row():
    images = np.arange(5, dtype=np.uint8)[:, None, None, None].repeat(2, 1).repeat(3, 2).repeat(3, 3)
    sheet = tile(images, columns=3, gap=1, colour=99)
    assert sheet.shape == (2 * 2 + 1, 3 * 3 + 2, 3)
    assert (sheet[0, 0, 0], sheet[0, 4, 0], sheet[3, 0, 0], sheet[2, 0, 0], sheet[4, 10, 0]) == (0, 1, 3, 99, 99)


def test_a_strip_is_one_row():
    assert strip(np.zeros((4, 5, 6, 3), np.uint8)).shape == (5, 4 * 6 + 3, 3)


def test_upscaling_keeps_pixels_crisp():
    picture = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    large = upscale(picture, 3)
    assert large.shape == (3, 6, 3) and (large[:, :3] == picture[0, 0]).all()


def test_two_channels_are_refused():
    with pytest.raises(InvalidInput, match="1 or 3 channels"):
        pixels(torch.rand(1, 2, 3, 3))
