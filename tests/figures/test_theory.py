import math

import pytest
import torch

from explorer.errors import InvalidInput
from explorer.evaluation import Measured, Objective, figure4, theorem1
from explorer.figures.theory import counterexample, epsilon_delta

ALPHAS = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)


@pytest.fixture
def theorem():
    errors = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    return theorem1(Objective(-(errors + 4 * math.log(2 * math.pi)) / 2, torch.rand(3, 2, dtype=torch.float64), 4), ALPHAS)


@pytest.fixture
def trade_off(theorem):
    return epsilon_delta(theorem, Measured(torch.tensor([1.0, 2.5, 3.0]), torch.tensor([0.2, 0.4, 0.5])))


def lines(figure):
    return [list(trace.y) for trace in figure.data if trace.hovertemplate and trace.line.dash is None]


def levels(figure):
    return [trace.y[0] for trace in figure.data if trace.line.dash == "dash"]


def test_the_lines_are_the_bounds_of_the_median_pair(theorem, trade_off):
    assert lines(trade_off) == [pytest.approx(values.median(1).values.tolist()) for values in (theorem.epsilon, theorem.delta)]


def test_the_measured_medians_are_marked(trade_off):
    assert levels(trade_off) == pytest.approx([2.5, 0.4])


def test_every_axis_has_its_unit(trade_off):
    titles = [trade_off.layout[axis].title.text for axis in ("xaxis2", "yaxis", "yaxis2")]
    assert all(unit in title for unit, title in zip(("probability", "standard deviations", "squared error"), titles))


def test_one_alpha_is_no_trade_off(theorem):
    with pytest.raises(InvalidInput, match="two or more"):
        epsilon_delta(theorem1(Objective(torch.tensor([-9.0]), torch.ones(1, 2), 4), 0.5), Measured(torch.ones(1), torch.ones(1)))


@pytest.mark.parametrize("a", [0.5, 2.0, 50.0])
def test_the_counterexample_is_drawn_to_its_peak_with_its_expectation(a):
    figure = counterexample(a)
    assert max(figure.data[0].y) == a and figure.data[0].y[0] == 0
    assert levels(figure) == [figure4(a).expectation]


def test_figures_are_transparent_with_room_for_their_titles(trade_off):
    for layout in (trade_off.layout, counterexample(2.0).layout):
        assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
        assert min(layout.margin.t, layout.margin.l, layout.margin.b) >= 50
