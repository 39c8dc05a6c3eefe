import pytest

from explorer.errors import InvalidInput
from explorer.training import PiecewiseLinear

PAPER = PiecewiseLinear(((0.0, 0.0), (40.0, 8e-4), (100.0, 0.0)))


@pytest.mark.parametrize(("epoch", "value"), [(0, 0), (20, 4e-4), (40, 8e-4), (70, 4e-4), (100, 0), (120, 0)])
def test_values_lie_on_the_lines(epoch, value):
    assert PAPER(epoch) == pytest.approx(value)


def test_stretching_keeps_the_shape():
    assert PAPER.stretched(10)(4) == pytest.approx(8e-4)


def test_epochs_must_increase():
    with pytest.raises(InvalidInput, match="increasing"):
        PiecewiseLinear(((0.0, 1.0), (0.0, 2.0)))
