from explorer.data.corruptions import CORRUPTIONS, SEVERITIES
from explorer.evaluation.corruption_statistics import CorruptionStatistics
from explorer.figures.corruptions import GROUPS, error_heatmap, severity_figure


def test_a_heatmap_has_a_panel_for_each_classifier_and_begins_with_the_clean_error():
    figure = error_heatmap(["one", "two"], ["fog", "snow"], [1, 5], [[[0.1, 0.2], [0.3, 0.4]], [[0, 0], [1, 1]]], [0.05, 0.06])
    first, second = figure.data
    assert list(first.x) == ["clean", "fog", "snow"] and [list(row) for row in first.z] == [[5, 10, 30], [5, 20, 40]]
    assert second.z[1][2] == 100 and (first.zmin, first.zmax) == (second.zmin, second.zmax) == (0, 100)


def test_curves_are_coloured_by_group_and_those_not_chosen_fade():
    curve = {severity: CorruptionStatistics(1 - severity / 10, 0.1, 0.0, 0.2, 0.1) for severity in SEVERITIES}
    figure = severity_figure({"fog": curve, "snow": curve, "contrast": curve}, "ssim", ["fog"])
    fog, snow, contrast = figure.data
    assert list(fog.y) == [0.9, 0.8, 0.7, 0.6, 0.5] and fog.opacity == 1 > snow.opacity
    assert fog.line.color == snow.line.color == GROUPS["weather"] != contrast.line.color and fog.line.dash != snow.line.dash


def test_every_group_has_a_colour_of_its_own():
    assert len(set(GROUPS.values())) == len({each.group for each in CORRUPTIONS.values()}) == 4
