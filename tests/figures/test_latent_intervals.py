"""A VAE's posterior intervals: every dimension is drawn from end to end."""

from explorer.figures.latent_intervals import Posterior, latent_intervals

ONE = Posterior("a", [0.0, 1.0], ([-1.0, 0.5], [1.0, 1.5]), [1.0, 0.5], ([0.9, 0.4], [1.1, 0.7]))


def test_every_interval_reaches_from_its_lower_to_its_upper_end():
    mean, _, sigma, _ = latent_intervals([ONE], "posterior").data
    assert list(mean.base) == [-1.0, 0.5] and list(mean.y) == [2.0, 1.0]
    assert list(sigma.base) == [0.9, 0.4] and [round(height, 6) for height in sigma.y] == [0.2, 0.3]


def test_every_model_has_a_row_of_its_own():
    figure = latent_intervals([ONE, ONE, ONE], "posterior")
    assert len(figure.data) == 12 and len({trace.xaxis for trace in figure.data}) == 6
