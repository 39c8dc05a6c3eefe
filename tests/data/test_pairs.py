import pytest
import torch

from explorer.data import PAIRS as TABLE
from explorer.data import LinfPairs, Pairs, RtsPairs
from explorer.data.pairs import RtsParameters
from explorer.errors import InvalidInput

PAIRS = RtsPairs()


def parameters(degrees=0.0, scale=1.0, shift=(0.0, 0.0)) -> RtsParameters:
    return RtsParameters(torch.tensor([degrees]), torch.tensor([scale]), torch.tensor([shift]))


@pytest.fixture
def dot():
    """One bright pixel, right of and above the centre."""
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 6, 20] = 1
    return image


def brightest(image):
    return divmod(int(image[0, 0].argmax()), image.shape[-1])


def test_the_identity_is_the_framed_image(dot):
    assert torch.allclose(PAIRS.transform(dot, parameters()), PAIRS.clean(dot), atol=1e-5)


def test_a_shift_moves_whole_pixels_right_and_down(dot):
    moved = PAIRS.transform(dot, parameters(shift=(3.0, -2.0)))
    assert brightest(moved) == (6 + 7 - 2, 20 + 7 + 3)
    assert moved.max() == pytest.approx(1, abs=1e-4)


def test_a_quarter_turn_is_counter_clockwise(dot):
    turned = PAIRS.transform(dot, parameters(degrees=90.0))
    assert torch.allclose(turned, torch.rot90(PAIRS.clean(dot), 1, (2, 3)), atol=1e-4)


def test_scaling_moves_away_from_the_centre(dot):
    row, column = brightest(PAIRS.transform(dot, parameters(scale=1.3)))
    centre = (42 - 1) / 2
    assert row == pytest.approx(centre + 1.3 * (13 - centre), abs=1)
    assert column == pytest.approx(centre + 1.3 * (27 - centre), abs=1)


def test_the_shift_comes_after_rotation_and_scale(dot):
    both = PAIRS.transform(dot, parameters(30.0, 1.1, (4.0, 5.0)))
    first = PAIRS.transform(dot, parameters(30.0, 1.1))
    assert torch.allclose(both[:, :, 5:, 4:], first[:, :, :-5, :-4], atol=1e-4)


def test_parameters_stay_in_the_papers_ranges():
    drawn = PAIRS.parameters(torch.rand(10_000, 4, generator=torch.Generator().manual_seed(0)))
    assert drawn.degrees.abs().max() <= 45 and drawn.degrees.std() == pytest.approx(90 / 12**0.5, rel=0.05)
    assert 0.7 <= drawn.scale.min() and drawn.scale.max() <= 1.3
    assert sorted(set(drawn.shift.flatten().tolist())) == list(range(-7, 8))


@pytest.fixture(params=TABLE)
def pairs(request):
    return TABLE[request.param]()


def test_every_kind_of_pairs_keeps_the_protocol(pairs):
    assert isinstance(pairs, Pairs)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 20, 31)], ids=str)
def test_pairs_work_for_any_image_size_and_colour(pairs, shape):
    images, draws = torch.rand(2, *shape), torch.rand(2, pairs.draws(shape))
    assert pairs.perturb(images, draws).shape == pairs.clean(images).shape == (2, *pairs.image_shape(shape))
    assert len(pairs.describe(draws)) == 2


def test_one_image_does_not_influence_another(pairs):
    images, draws = torch.rand(3, 1, 28, 28), torch.rand(3, pairs.draws((1, 28, 28)))
    assert torch.allclose(pairs.perturb(images, draws)[1:2], pairs.perturb(images[1:2], draws[1:2]), atol=1e-6)


def test_noise_is_uniform_in_its_radius_and_clipped():
    images = torch.full((50, 1, 28, 28), 0.5)
    noise = LinfPairs().perturb(images, torch.rand(50, 784, generator=torch.Generator().manual_seed(0))) - images
    assert noise.abs().max() <= 0.3 and noise.std() == pytest.approx(0.6 / 12**0.5, rel=0.02)
    assert LinfPairs().perturb(torch.ones(1, 1, 28, 28), torch.ones(1, 784)).max() == 1


def test_too_few_draws_are_refused():
    with pytest.raises(InvalidInput, match="4 uniform numbers"):
        PAIRS.parameters(torch.rand(5, 3))


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name]().parameter_names])
def test_one_half_for_every_number_leaves_the_image_as_it_is(name):
    images = torch.rand(1, 1, 28, 28)
    pairs = TABLE[name]()
    neutral = torch.full((1, len(pairs.parameter_names)), 0.5)
    assert torch.allclose(pairs.perturb(images, neutral), pairs.clean(images), atol=1e-4)


def test_every_parameter_has_a_value_for_each_image(pairs):
    values = pairs.parameter_values(torch.rand(3, pairs.draws((1, 28, 28))))
    assert values.shape == (3, len(pairs.parameter_names))
