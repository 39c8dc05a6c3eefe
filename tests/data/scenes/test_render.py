import pytest
import torch

from explorer.data.scenes import GROUNDS, LIGHTS, MATERIALS, SHAPES, SURFACES, render_scenes
from explorer.data.scenes.layout import draw_scenes
from explorer.data.scenes.shading import light_directions, srgb
from explorer.errors import InvalidInput

SOME = range(16)


@pytest.fixture(scope="module")
def made():
    return render_scenes(SOME, 32)


def test_the_same_seed_gives_the_same_pictures_in_any_company(made):
    again = render_scenes(list(reversed(SOME)), 32)
    assert torch.equal(again.images.flip(0), made.images) and torch.equal(again.materials.flip(0), made.materials)
    assert torch.equal(render_scenes([11], 32).images[0], made.images[11])


def test_another_seed_gives_other_pictures(made):
    assert (render_scenes(SOME, 32, seed=1).images - made.images).abs().flatten(1).mean(1).min() > 0.02


def test_pictures_are_bytes_in_their_range(made):
    assert made.images.min() >= 0 and made.images.max() <= 1
    assert torch.equal((made.images * 255).round() / 255, made.images)


def test_shapes_take_turns_as_classes(made):
    assert made.labels.tolist() == [index % len(SHAPES) for index in SOME]


def test_every_picture_shows_a_body_on_a_ground(made):
    body = (made.materials > len(GROUNDS)).flatten(1).float().mean(1)
    ground = ((made.materials > 0) & (made.materials <= len(GROUNDS))).flatten(1).float().mean(1)
    assert body.min() > 0.03 and body.max() < 0.75 and ground.min() > 0.1
    assert made.materials.max() < len(MATERIALS) == 1 + len(GROUNDS) + len(SURFACES)


def test_the_main_body_is_the_largest_and_none_stands_in_front_of_it():
    scenes = draw_scenes(range(500), 3, LIGHTS)
    assert (scenes.size[:, 1:].amax(1) <= 0.6 * scenes.size[:, 0]).all()
    to_eye = scenes.eye[:, None, :2] - scenes.place[:, :1, :2]
    nearer = ((scenes.place[:, 1:, :2] * to_eye).sum(-1) / to_eye.norm(dim=-1)).amax(1)
    assert (nearer < 0.35 * 2.1 * scenes.size[:, 0]).all()


def test_bodies_rest_on_the_ground():
    scenes = draw_scenes(range(64), 0, LIGHTS)
    for position, shape in enumerate(SHAPES.values()):
        those = scenes.shape[:, 0] == position
        down = -scenes.turn[those, 0, 2].T
        lowest = scenes.place[those, 0, 2] - scenes.size[those, 0] * shape.depth(down, scenes.stretch[those, 0])
        assert lowest.abs().max() < 1e-5


def test_a_larger_picture_shows_the_same_scene(made):
    large = render_scenes(range(4), 96)
    shrunk = torch.nn.functional.avg_pool2d(large.images, 3)
    assert (shrunk - made.images[:4]).abs().mean() < 0.02


def test_light_moves_shadows_and_leaves_bodies_in_place():
    under = render_scenes([5] * LIGHTS, 32, light=list(range(LIGHTS)))
    assert (under.materials == under.materials[0]).all()
    apart = torch.cdist(under.images.flatten(1), under.images.flatten(1)) + torch.eye(LIGHTS) * 99
    assert apart.min() > 0.3, "no two lamps give the same picture"


def test_the_ground_is_dark_where_a_body_hides_the_lamp():
    """Scene 0 is a ball; the ground pixels that a lamp from the left leaves dark lie on its right."""
    lamps = light_directions()
    left, right = (int((lamps[9:, 1] * sign).argmax()) + 9 for sign in (-1, 1))  # beside the camera's line of sight
    pair = render_scenes([0, 0], 48, light=[left, right])
    difference = (pair.images[0] - pair.images[1]).mean(0) * ((pair.materials[0] > 0) & (pair.materials[0] <= len(GROUNDS)))
    columns = torch.arange(48.0)
    dark, bright = (-difference).clamp_min(0).sum(0), difference.clamp_min(0).sum(0)
    centre = [float((columns * weight).sum() / weight.sum()) for weight in (dark, bright)]
    assert abs(centre[0] - centre[1]) > 5


def test_lamps_stand_above_the_ground():
    lamps = light_directions()
    assert lamps.shape == (LIGHTS, 3) and lamps[:, 2].min() > 0.4
    assert torch.allclose(lamps.norm(dim=1), torch.ones(LIGHTS))


def test_linear_light_becomes_the_values_of_the_standard():
    assert torch.allclose(srgb(torch.tensor([0.0, 0.002, 0.2140411, 1.0, 7.0])), torch.tensor([0.0, 0.02584, 0.5, 1.0, 1.0]), atol=1e-5)


@pytest.mark.parametrize("wrong", [{"size": 4}, {"size": 4000}, {"samples": 0}, {"light": 25}, {"light": [1, 2]}, {"light": -1}])
def test_what_cannot_be_rendered_is_refused(wrong):
    with pytest.raises(InvalidInput, match="got"):
        render_scenes([0], **wrong)


def test_no_scenes_are_no_pictures():
    assert render_scenes([], 32).images.shape == (0, 3, 32, 32)
