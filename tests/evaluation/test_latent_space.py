import pytest
import torch

from explorer.data import LinfPairs, RtsPairs
from explorer.errors import InvalidInput
from explorer.evaluation import encode_pairs, linear_read_out, parameter_sweeps

PAIRS = RtsPairs(padding=2)


@pytest.fixture
def image():
    return torch.rand(1, 1, 12, 12, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def sweeps(tiny_model, image):
    return parameter_sweeps(tiny_model, PAIRS, image, steps=5)


def test_each_parameter_runs_over_its_whole_range(sweeps):
    ends = {sweep.name: (round(float(sweep.values[0]), 3), round(float(sweep.values[-1]), 3)) for sweep in sweeps}
    assert ends == {"rotation (degrees)": (-45, 45), "scale": (0.7, 1.3), "shift right (pixels)": (-2, 2), "shift down (pixels)": (-2, 2)}


def test_all_paths_meet_where_nothing_was_done(tiny_model, image, sweeps):
    clean = PAIRS.clean(image)
    unchanged = encode_pairs(tiny_model, clean, clean).delta[0]
    for sweep in sweeps:
        assert torch.allclose(sweep.delta[2], unchanged, atol=1e-3), sweep.name


def test_a_sweep_moves_its_own_parameter_only(image, sweeps):
    right = next(sweep for sweep in sweeps if sweep.name.startswith("shift right"))
    assert torch.allclose(right.perturbed[-1, :, :, 4:], PAIRS.clean(image)[0, :, :, 2:-2], atol=1e-4)


def test_decoded_images_are_those_of_the_encodings(tiny_model, image, sweeps):
    clean = PAIRS.clean(image).expand(5, -1, -1, -1)
    with torch.no_grad():
        prior = tiny_model.prior(clean)
        expected = tiny_model.decode(clean, prior.mean + prior.std * sweeps[0].delta)
    assert torch.allclose(sweeps[0].decoded, expected, atol=1e-5)


def test_noise_has_no_parameter_to_follow(tiny_model):
    with pytest.raises(InvalidInput, match="noise"):
        parameter_sweeps(tiny_model, LinfPairs(), torch.rand(1, 1, 16, 16))


def test_one_step_is_no_sweep(tiny_model, image):
    with pytest.raises(InvalidInput, match="2 steps"):
        parameter_sweeps(tiny_model, PAIRS, image, steps=1)


def test_a_linear_parameter_is_read_out_and_noise_is_not():
    draw = torch.Generator().manual_seed(0)
    delta = torch.randn(400, 3, generator=draw)
    assert linear_read_out(delta, delta @ torch.tensor([1.0, -2.0, 0.5])) == pytest.approx(1)
    assert linear_read_out(delta, torch.randn(400, generator=draw)) < 0.1
