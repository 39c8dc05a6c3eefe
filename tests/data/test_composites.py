import numpy as np
import pytest
import torch

from explorer.data import DATASETS, ImageDataset, load_dataset, watermark_masks
from explorer.data.composites import CROPPED, doubled, draw_watermarks, left_counts, watermarked
from explorer.errors import DataNotFound, InvalidInput, UnknownName

MADE = ("watermarked_digits", "doubled_digits")
ON_REAL = {"watermarked_mnist": "MNIST", "doubled_cifar10": "CIFAR-10"}


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits", "test")


@pytest.fixture(scope="module")
def marked():
    return load_dataset("watermarked_digits", "test"), watermark_masks("watermarked_digits", "test")


def test_a_watermark_of_one_adds_ten_to_the_class(digits, marked):
    drawn = draw_watermarks(digits.labels, 28, "test")
    assert torch.equal(marked[0].labels, digits.labels + 10 * drawn.one) and set(marked[0].labels.tolist()) == set(range(20))
    assert torch.equal(digits.labels[drawn.source], drawn.one.long()) and marked[0].class_names[17] == "17"


def test_watermarks_lie_in_the_left_or_right_eight_columns_at_twenty_one_heights(digits, marked):
    columns = marked[1][0].any(1)
    assert not columns[:, CROPPED:-CROPPED].any() and not (columns[:, :CROPPED].any(1) & columns[:, -CROPPED:].any(1)).any()
    drawn = draw_watermarks(digits.labels, 28, "test")
    assert set(drawn.top.tolist()) == set(range(21)) and 0.4 < drawn.right.float().mean() < 0.6
    rows = marked[1][0].any(2)
    assert not any(rows[n, :top].any() or rows[n, top + CROPPED :].any() for n, top in enumerate(drawn.top.tolist()))


def test_a_watermark_has_three_tenths_of_a_strokes_light_on_black(digits, marked):
    (images, (mark, digit)), change = (marked[0].images[:, 0], marked[1]), marked[0].images[:, 0] - digits.images[:, 0]
    alone = mark & ~digit & (digits.images[:, 0] == 0)
    assert images[alone].max() <= 0.3 + 0.002 and images[alone].max() > 0.25 and images[alone].min() >= 0.03 - 0.002
    assert change.min() >= -0.002 and (change[~mark & (digits.images[:, 0] == 0)] <= 0.03 + 0.002).all()


def test_masks_say_where_digit_and_watermark_are(digits, marked):
    mark, digit = marked[1]
    assert torch.equal(digit, digits.images[:, 0] >= 0.1) and mark.flatten(1).any(1).all() and not torch.equal(mark, digit)


def test_white_ink_over_white_stays_white():
    base = ImageDataset(torch.ones(4, 1, 28, 28), torch.tensor([0, 1, 0, 1]), tuple("0123456789"))
    assert torch.equal(watermarked(base, "test").images, base.images)


@pytest.mark.parametrize("name", MADE)
def test_the_same_images_come_each_time_and_others_in_each_split(name):
    prints = [load_dataset(name, split).fingerprint() for split in ("test", "test", "train", "validation")]
    assert prints[0] == prints[1] and len(set(prints)) == 3


@pytest.mark.parametrize("name", MADE)
def test_a_limit_keeps_the_first_images(name):
    assert torch.equal(load_dataset(name, "test", limit=7).images, load_dataset(name, "test").images[:7])


def test_the_cores_of_strokes_lie_in_their_masks(marked):
    cores = watermark_masks("watermarked_digits", "test", brightness=0.5)
    assert all((core & ~whole).sum() == 0 and 0 < core.sum() < whole.sum() for core, whole in zip(cores, marked[1]))


def test_a_limit_of_masks_is_that_of_the_images(marked):
    assert all(torch.equal(some, whole[:7]) for some, whole in zip(watermark_masks("watermarked_digits", "test", limit=7), marked[1]))


def test_the_half_that_the_border_names_holds_the_image_of_the_label(digits):
    made = load_dataset("doubled_digits", "test")
    assert made.images.shape == (300, 3, 32, 56) and torch.equal(made.labels, digits.labels)
    left = left_counts(made.images)
    halves = torch.where(left.view(-1, 1, 1), made.images[:, 0, 4:, :28], made.images[:, 0, 4:, 28:])
    assert torch.equal(halves, digits.images[:, 0]) and 0.4 < left.float().mean() < 0.6


def test_the_border_is_four_rows_of_red_or_green(digits):
    made = doubled(digits, "test").images
    border = made[:, :, :4]
    assert torch.equal(border, border[:, :, :1, :1].expand_as(border)) and (border.sum(1) == 1).all() and not border[:, 2].any()


def test_colour_images_are_doubled_to_36_by_64():
    base = ImageDataset(torch.rand(5, 3, 32, 32), torch.arange(5), tuple("abcdefghij"))
    assert doubled(base, "train").images.shape == (5, 3, 36, 64)


@pytest.mark.parametrize(("name", "base"), ON_REAL.items())
def test_a_missing_base_says_what_to_get(name, base, tmp_path):
    with pytest.raises(DataNotFound, match=rf"'{name}' is made of another data set, which is missing. {base} was not found.*EXPLORER_DATA"):
        load_dataset(name, "test", tmp_path, download=False)


@pytest.mark.parametrize("name", [*ON_REAL, *MADE])
def test_each_is_a_row_of_the_table(name):
    assert name in DATASETS


def test_masks_are_of_watermarked_sets_and_their_splits():
    with pytest.raises(UnknownName, match="watermarked"):
        watermark_masks("digits")
    with pytest.raises(InvalidInput, match="unknown split 'tset'"):
        watermark_masks("watermarked_digits", "tset")


def test_a_split_without_zeros_has_no_watermarks():
    with pytest.raises(InvalidInput, match="zeros and ones"):
        draw_watermarks(torch.tensor([1, 2, 3]), 28, "test")


def test_watermarked_mnist_is_made_of_mnist(real_data):
    made, base = (load_dataset(name, "test", real_data) for name in ("watermarked_mnist", "mnist"))
    assert len(made) == 10_000 and torch.equal(made.labels % 10, base.labels)
    assert np.allclose(np.bincount(made.labels // 10) / 10_000, 0.5, atol=0.02)
