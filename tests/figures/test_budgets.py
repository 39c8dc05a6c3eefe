import math

import pytest
import torch

from explorer.errors import InvalidInput
from explorer.figures.budgets import budget_heatmap, class_heatmaps, region_bars, volume_bars

BUDGETS = torch.tensor([[[0.1, 0.2], [0.4, 0.8]]])
LIMITS = (0.1, 0.8)


def test_a_heatmap_runs_over_the_logarithm_and_says_both_numbers():
    figure = budget_heatmap(BUDGETS, 0.4, LIMITS)
    (trace,) = figure.data
    assert trace.z[1][1] == pytest.approx(math.log10(0.8)) and tuple(trace.customdata[0][1]) == pytest.approx((0.2, 0.5))
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmax) == pytest.approx((-1, math.log10(0.8)))
    assert axis.colorbar.ticktext[0] == "0.1  (0.25)" and axis.colorbar.ticktext[-1] == "0.8  (2)"


def test_normalised_as_in_the_paper_it_runs_from_0_to_the_largest_budget():
    figure = budget_heatmap(BUDGETS, 0.4, LIMITS, normalised=True)
    assert figure.data[0].z[0][1] == pytest.approx(0.2) and (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 0.8)


def test_channels_are_one_by_their_geometric_mean():
    figure = budget_heatmap(torch.cat([BUDGETS, 4 * BUDGETS]), 0.4, (0.1, 3.2))
    assert figure.data[0].customdata[0][0][0] == pytest.approx(0.2)


def test_the_first_row_is_on_top():
    assert budget_heatmap(BUDGETS, 0.4, LIMITS).layout.yaxis.autorange == "reversed"


def test_every_class_with_images_has_a_heatmap_on_the_same_scale():
    means = torch.stack([BUDGETS, torch.full_like(BUDGETS, math.nan), BUDGETS / 1.5])
    figure = class_heatmaps(means, ["a", "b", "c"], 0.4, (0.05, 0.8))
    assert len(figure.data) == 2 and {trace.coloraxis for trace in figure.data} == {"coloraxis"}
    assert [note.text for note in figure.layout.annotations] == ["a", "c"]


def test_each_region_has_its_mean_and_the_volume_is_marked():
    figure = region_bars({"learned": {"watermark": (0.1, 0.01), "empty": (0.9, 0.02)}}, 0.4)
    (bar,) = figure.data
    assert list(bar.x) == ["watermark", "empty"] and list(bar.y) == [0.1, 0.9] and list(bar.error_y.array) == [0.01, 0.02]
    assert figure.layout.shapes[0].y0 == 0.4


def test_volumes_stand_side_by_side():
    figure = volume_bars(["3", "7"], {"uniform": [0.3, 0.0], "Liu et al.": [0.5, 0.0]}, 0.4)
    assert [list(bar.y) for bar in figure.data] == [[0.3, 0.0], [0.5, 0.0]] and figure.layout.barmode == "group"


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: budget_heatmap(0 * BUDGETS, 0.4, LIMITS), "above 0"),
        (lambda: budget_heatmap(BUDGETS, 0.4, (0.8, 0.1)), "smaller limit first"),
        (lambda: volume_bars(["3"], {"uniform": [0.1, 0.2]}, 0.4), "each of 1 images"),
        (lambda: class_heatmaps(torch.full((1, 1, 2, 2), math.nan), ["a"], 0.4, LIMITS), "no class"),
    ],
)
def test_what_cannot_be_drawn_is_said(draw, message):
    with pytest.raises(InvalidInput, match=message):
        draw()
