import torch

from explorer.figures.bounds import REACH, axis, margin_intervals, widths_by_layer

NAMES, CLEAN, FOUND = ["1", "2"], torch.tensor([3.0, 5.0]), torch.tensor([1.0, 2.0])
LOOSE, TIGHT = (torch.tensor([-4.0, -2.0]), torch.tensor([8.0, 9.0])), (torch.tensor([0.5, 1.0]), torch.tensor([6.0, 7.0]))


def test_a_bar_runs_from_the_lower_to_the_upper_end():
    bar = margin_intervals(NAMES, CLEAN, {"IBP": LOOSE}, FOUND, "title").data[0]
    assert list(bar.base) == [-4, -2] and [base + width for base, width in zip(bar.base, bar.x)] == [8, 9]


def test_later_methods_are_drawn_narrower_on_top():
    bars = margin_intervals(NAMES, CLEAN, {"IBP": LOOSE, "CROWN": TIGHT}, FOUND, "title").data[:2]
    assert bars[0].width > bars[1].width


def test_the_marks_are_the_image_and_what_was_found():
    clean, found = margin_intervals(NAMES, CLEAN, {"IBP": LOOSE}, FOUND, "title").data[1:]
    assert list(clean.x) == [3, 5] and list(found.x) == [1, 2] and "attack found" in found.name


def test_the_axis_holds_zero_and_every_interval():
    low, high = axis(CLEAN, {"IBP": LOOSE, "CROWN": TIGHT})
    assert low < -4 and high > 9


def test_an_exploded_method_does_not_hide_the_others():
    exploded = torch.tensor([-1e6, -1e6]), torch.tensor([1e6, 1e6])
    low, high = axis(CLEAN, {"IBP": exploded, "CROWN": TIGHT})
    assert low >= -1.1 * REACH * 7 - 1 and high <= 1.1 * REACH * 7 + 1
    bar = margin_intervals(NAMES, CLEAN, {"IBP": exploded, "CROWN": TIGHT}, FOUND, "title").data[0]
    assert bar.base[0] >= low - 1e-6 and bar.customdata[0][0] == -1e6  # cut, but said


def test_without_intervals_there_is_an_axis():
    low, high = axis(CLEAN, {})
    assert low < 0 and high > 5


def test_a_width_of_zero_has_no_place_on_a_logarithmic_axis():
    figure = widths_by_layer(["input", "relu"], {"IBP": ([0.1, 0.0], [0.2, 0.3])}, "title")
    assert list(figure.data[0].y) == [0.1, None] and figure.layout.yaxis.type == "log"
