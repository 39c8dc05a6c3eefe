import pytest

from explorer.errors import InvalidInput
from explorer.figures.spectra import accuracy_matrix, eigenvalue_lines, energy_lines, ratio_bars

FALLING = [4.0, 2.0, 1.0, 0.5, 0.0]


def test_the_split_parts_large_eigenvalues_from_small_ones():
    figure = eigenvalue_lines({"clean": FALLING, "attacked": FALLING}, 2)
    assert [len(trace.x) for trace in figure.data] == [5, 2, 3, 5, 2, 3] and figure.data[2].x[0] == 3


def test_an_eigenvalue_of_zero_is_left_out():
    assert eigenvalue_lines({"clean": FALLING}, 2).data[0].y == (4.0, 2.0, 1.0, 0.5, None)


@pytest.mark.parametrize("split", [0, 5])
def test_a_split_outside_the_eigenvalues_is_refused(split):
    with pytest.raises(InvalidInput, match="a split inside"):
        eigenvalue_lines({"clean": FALLING}, split)


def test_energy_accumulates_to_all_of_it():
    figure = energy_lines({"variance": [0.5, 0.3, 0.2], "pixels": [0.1, 0.2, 0.7]}, 1)
    assert figure.data[1].y == pytest.approx((0.1, 0.3, 1.0)) and figure.data[0].line.dash == "dash"


def test_ratios_stand_by_large_and_small_ones():
    figure = ratio_bars(["0", "1"], {"pgd": [(0.9, 3.0), (1.0, 4.0)]})
    assert figure.data[0].y == (0.9, 1.0) and figure.data[1].y == (3.0, 4.0)


def test_a_cell_that_was_not_measured_is_empty_and_cannot_be_clicked():
    figure = accuracy_matrix(["standard", "pgd"], ["clean", "VAE"], [[0.99, None], [0.98, 0.5]])
    assert list(figure.data[1].customdata) == ["99.0", "98.0", "50.0"] and figure.data[0].text[0][1] == ""


def test_a_matrix_of_another_size_is_refused():
    with pytest.raises(InvalidInput, match="2 rows of 2"):
        accuracy_matrix(["a", "b"], ["c", "d"], [[0.1]])
