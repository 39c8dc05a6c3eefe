import pytest

from explorer.errors import InvalidInput
from explorer.training import Cosine, PiecewiseLinear, Smoothed, linearly_scaled

PAPER = PiecewiseLinear(((0.0, 0.0), (40.0, 8e-4), (100.0, 0.0)))


@pytest.mark.parametrize(("epoch", "value"), [(0, 0), (20, 4e-4), (40, 8e-4), (70, 4e-4), (100, 0), (120, 0)])
def test_values_lie_on_the_lines(epoch, value):
    assert PAPER(epoch) == pytest.approx(value)


def test_stretching_keeps_the_shape():
    assert PAPER.stretched(10)(4) == pytest.approx(8e-4)


def test_epochs_must_increase():
    with pytest.raises(InvalidInput, match="increasing"):
        PiecewiseLinear(((0.0, 1.0), (0.0, 2.0)))


def published_smooth_schedule(step, first, last, middle=0.25, exponent=4.0):
    """As auto_LiRPA's SmoothedScheduler computes it."""
    turn = first + (last - first) * middle
    steepness = 1 / ((last - turn) * exponent * (turn - first) ** (exponent - 1) + (turn - first) ** exponent)
    at_turn = steepness * (turn - first) ** exponent
    if step <= first:
        return 0.0
    return min(1.0, at_turn + (1 - at_turn) * (step - turn) / (last - turn)) if step >= turn else steepness * (step - first) ** exponent


@pytest.mark.parametrize("epoch", [0, 31, 32, 50, 70.9, 71, 71.1, 100, 150, 191, 300])
def test_a_smoothed_schedule_is_the_published_one(epoch):
    assert Smoothed(31, 191)(epoch) == pytest.approx(published_smooth_schedule(epoch, 31, 191), abs=1e-12)


def test_its_slope_does_not_jump_where_the_line_begins():
    schedule, turn, step = Smoothed(31, 191), 31 + 0.25 * 160, 1e-4
    assert (schedule(turn) - schedule(turn - step)) / step == pytest.approx((schedule(turn + step) - schedule(turn)) / step, rel=1e-4)


def test_a_stretched_one_keeps_its_shape():
    assert Smoothed(31, 191).stretched(0.1)(10) == pytest.approx(Smoothed(31, 191)(100))


def test_a_smoothed_schedule_begins_before_it_ends():
    with pytest.raises(InvalidInput, match="start < end"):
        Smoothed(3, 3)


@pytest.mark.parametrize(("epoch", "value"), [(0, 0), (2.5, 0.2), (5, 0.4), (152.5, 0.2), (300, 0), (310, 0)])
def test_a_cosine_warms_up_along_a_line_and_ends_at_nothing(epoch, value):
    assert Cosine(0.4, 300, 5)(epoch) == pytest.approx(value)


def test_a_cosine_without_warm_up_begins_at_its_peak():
    assert Cosine(0.1, 10)(0) == pytest.approx(0.1) and Cosine(0.1, 10)(10 / 3) == pytest.approx(0.075)


def test_a_warm_up_as_long_as_the_training_is_refused():
    with pytest.raises(InvalidInput, match="warm-up shorter"):
        Cosine(0.1, 5, 5)


@pytest.mark.parametrize(("batch_size", "rate"), [(256, 0.1), (1024, 0.4), (4096, 1.6), (128, 0.1)])
def test_rates_grow_with_the_batch_and_never_shrink(batch_size, rate):
    assert linearly_scaled(0.1, batch_size) == pytest.approx(rate)
