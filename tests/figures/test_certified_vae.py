"""Figures of ELBOs: every number given is drawn, and nothing else."""

from explorer.figures.certified_vae import Bracket, Curve, brackets, elbo_curves


def test_a_bracket_shows_what_is_known_of_each_model():
    figure = brackets([Bracket("a", -50.0, -20.0, -40.0, -45.0), Bracket("b", -60.0, -25.0)], 0.1)
    marks = [(trace.y[0], trace.x[0]) for trace in figure.data if trace.mode == "markers"]
    assert marks == [("a", -50.0), ("a", -45.0), ("a", -40.0), ("a", -20.0), ("b", -60.0), ("b", -25.0)]


def test_every_curve_has_its_bound_beside_it():
    figure = elbo_curves([Curve("a", (0.0, 0.1), (-20.0, -40.0), (0.1, 0.1), (-20.0, -50.0))])
    attacked, bound = figure.data
    assert list(attacked.y) == [-20.0, -40.0] and list(bound.y) == [-20.0, -50.0] and bound.line.dash == "dot"


def test_no_curve_is_an_empty_figure():
    assert not elbo_curves([]).data
