import numpy as np
import pytest
import torch

from explorer.errors import InvalidInput
from explorer.figures.budget_maps import COLOURS, budget_pixels

ENDS = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in (COLOURS[0], COLOURS[-1])]


def one(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, 1, 1, -1)


def test_the_limits_have_the_first_and_the_last_colour():
    assert budget_pixels(one(0.1, 0.4), (0.1, 0.4))[0, 0].tolist() == ENDS


def test_budgets_beyond_the_limits_have_their_colours():
    assert budget_pixels(one(0.01, 1.0), (0.1, 0.4))[0, 0].tolist() == ENDS


def test_the_geometric_middle_has_the_colour_in_the_middle():
    shown = budget_pixels(one(0.2), (0.1, 0.4))[0, 0, 0]
    middle = np.mean([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in COLOURS[4:6]], axis=0)
    assert np.abs(shown - middle).max() <= 1


def test_the_papers_grey_is_the_share_of_the_upper_limit():
    assert budget_pixels(one(0.1, 0.2), (0.05, 0.2), normalised=True)[0, 0].tolist() == [[128] * 3, [255] * 3]


def test_several_channels_are_shown_by_their_geometric_mean():
    three = torch.tensor([0.1, 0.2, 0.4]).view(1, 3, 1, 1)
    assert (budget_pixels(three, (0.1, 0.4)) == budget_pixels(one(0.2), (0.1, 0.4))).all()


def test_one_budget_for_all_pixels_has_a_colour():
    assert budget_pixels(one(0.2, 0.2), (0.2, 0.2)).shape == (1, 1, 2, 3)


@pytest.mark.parametrize(("budgets", "limits"), [(one(0.0), (0.1, 0.4)), (one(-1.0), (0.1, 0.4)), (one(0.1), (0.0, 0.4)), (one(0.1), (0.4, 0.1)), (one(float("nan")), (0.1, 0.4))])
def test_what_has_no_logarithm_is_refused(budgets, limits):
    with pytest.raises(InvalidInput, match="above 0"):
        budget_pixels(budgets, limits)
