import pytest

from explorer.figures.adversarial_augmentation import (
    accuracies_over_radius,
    confidence_lines,
    guard_curve,
    imitation_bars,
    layer_bars,
    similarity_histograms,
)


def test_the_guards_curve_runs_from_the_clean_image_to_the_corrupted_one():
    curve, taken = guard_curve([0.0, 0.2, 0.6], 0.6, 0.29, 0.3, bisected=True).data
    assert list(curve.x) == [0, 0.5, 1] and (taken.x[0], taken.y[0]) == (0.6, 0.29)


@pytest.mark.parametrize(("gamma", "bisected", "said"), [(1, False, "all of it"), (0.5, False, "root"), (0.5, True, "bisected")])
def test_how_gamma_was_found_is_in_the_title(gamma, bisected, said):
    assert said in guard_curve([0.0, 0.5], gamma, 0.3, 0.3, bisected).layout.title.text


def test_every_layer_has_a_bar_for_its_radius_and_one_for_its_effect():
    used, effect = layer_bars(["a", "b"], [0.5, 1.0], [0.01, 0.02]).data
    assert list(used.x) == [50, 100] and list(effect.x) == [0.01, 0.02] and list(used.y) == ["a", "b"]


def test_confidence_is_of_the_label_first_and_of_all_that_were_ever_largest():
    lines = confidence_lines([[0.8, 0.1, 0.1], [0.2, 0.1, 0.7]], ["x", "y", "z"], 0, [1.0, 0.9]).data
    assert [line.name for line in lines] == ["x (the label)", "z", "SSIM"] and list(lines[0].y) == [0.8, 0.2]


def test_a_histogram_is_a_density():
    (outline,) = similarity_histograms({"a": [0, 1, 3, 0]}).data
    assert sum(outline.y[:-1]) / 4 == pytest.approx(1.0)


def test_curves_begin_with_the_clean_images():
    lines = accuracies_over_radius(["n", "n", "m"], [0.1, 0.2, 0.1], 0.9, {"adversarial": [0.5, 0.4, 0.3]}).data
    assert list(lines[0].y) == [90, 50, 40] and list(lines[1].x) == [0, 0.1]


def test_imitations_stand_beside_the_clean_image():
    bars, clean = imitation_bars({"n": (("gaussian_blur",), (0.9,), (0.01,), (0.7,))}).data
    assert list(bars.y) == [0.9] and list(clean.y) == [0.7] and bars.x[0] == "gaussian blur"
