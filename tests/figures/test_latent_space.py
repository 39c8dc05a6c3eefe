import pytest
import torch

from explorer.data import RtsPairs
from explorer.errors import UnknownName
from explorer.evaluation import LatentNorms, parameter_sweeps
from explorer.figures.latent_norms import held_by_type, norm_densities, norms_by_class, norms_by_parameter, norms_by_type
from explorer.figures.transformations import sweep_curves, sweep_norms


@pytest.fixture
def found():
    shift = torch.tensor([-1.0, -1.0, 0.0, 0.0, 1.0, 1.0])
    norms = torch.tensor([3.0, 5.0, 1.0, 1.0, 2.0, 4.0])
    return LatentNorms(norms, torch.tensor([0, 0, 0, 1, 1, 1]), ("zero", "one", "two"), {"shift (pixels)": shift, "scale": norms / 4}, {}, torch.tensor([1, 1, 0, 0, 0, 1]), ("near", "far_away", "never"))


@pytest.fixture
def sweeps(tiny_model):
    return parameter_sweeps(tiny_model, RtsPairs(padding=2), torch.rand(1, 1, 12, 12), steps=5)


def test_a_box_has_the_quartiles_of_its_class(found):
    zero, one = norms_by_class(found, 6.0).data
    assert (zero.lowerfence[0], zero.median[0], zero.upperfence[0]) == (1, 3, 5) and one.median[0] == 2


def test_types_come_in_the_order_of_their_distance(found):
    near, far = norms_by_type(found, 2.5).data
    assert (near.name, far.name) == ("near", "far away") and near.median[0] == 1 and far.median[0] == 4
    assert held_by_type(found, 2.5) == {"near": 1.0, "far away": 0.0} and held_by_type(found, 3.0)["far away"] == pytest.approx(1 / 3)


def test_a_density_has_the_mass_one(found):
    for line in norm_densities(found, 2.5).data:
        x, y = torch.tensor(line.x), torch.tensor(line.y)
        assert 0.75 < float(torch.trapezoid(y, x)) < 1.05  # some of it lies beyond the ends of the axis
    assert len(norm_densities(found, 2.5).data) == 2


def test_whole_numbers_have_a_bin_each(found):
    median = norms_by_parameter(found, "shift (pixels)", 6.0).data[2]
    assert list(median.x) == [-1, 0, 1] and list(median.y) == [4, 1, 3]


def test_every_value_falls_into_a_bin(found):
    x = norms_by_parameter(found, "scale", 6.0).data[2].x
    assert 0.25 <= min(x) and max(x) <= 1.25 and len(x) == 5


def test_an_unknown_parameter_is_named(found):
    with pytest.raises(UnknownName, match="scale"):
        norms_by_parameter(found, "scael", 6.0)


def test_each_parameter_has_its_path_on_equal_axes(sweeps):
    figure = sweep_curves(sweeps)
    assert [trace.name for trace in figure.data] == [sweep.name for sweep in sweeps]
    assert figure.layout.yaxis.scaleanchor == "x" and all(len(trace.x) == 5 for trace in figure.data)


def test_the_norms_run_from_the_smallest_to_the_largest_value(sweeps):
    line = sweep_norms(sweeps, 2.0).data[0]
    assert (line.x[0], line.x[-1]) == (-1, 1) and list(line.y) == pytest.approx(sweeps[0].delta.norm(dim=1).tolist())
