import pytest

from explorer.figures.attacks import Curve, accuracy_curves, closing_interval, cross_heatmap, vote_bars


def test_every_curve_says_what_kind_of_number_it_is():
    figure = accuracy_curves({"a": Curve((0, 1), (1.0, 0.5)), "b": Curve((0, 1), (0.9, 0.4), certified=True)}, "pixels", "t")
    assert [each.name for each in figure.data] == ["a, attack found", "b, certified"] and list(figure.data[0].y) == [100, 50]


def test_the_matrix_begins_without_an_attack_and_leaves_gaps():
    figure = cross_heatmap(["m"], ["l2, radius 1"], [[None]], [0.9], "t")
    assert list(figure.data[0].z[0]) == [90, None] and list(figure.data[0].text[0]) == ["90.0", ""]


def test_the_winner_of_the_votes_stands_out():
    colours = vote_bars(["a", "b"], [3, 9], 1, "t").data[0].marker.color
    assert colours[1] != colours[0]


def test_the_interval_holds_its_share():
    upper, lower, share = closing_interval([64, 128], [0.8, 0.9], [0.6, 0.8], [0.95, 0.96], 0.999, "t").data
    assert all(low <= value <= high for low, value, high in zip(lower.y, share.y, upper.y))


@pytest.mark.parametrize("count", [1, 3])
def test_an_interval_of_few_points_is_visible(count):
    assert ("markers" in closing_interval(range(count), [0.5] * count, [0.4] * count, [0.6] * count, 0.99, "t").data[2].mode) == (count < 3)
