import pytest
import torch

from explorer.data.illumination import LIGHTS, open_scenes
from explorer.data.illumination_pairs import LightPairs, open_lit_scenes
from explorer.errors import InvalidInput
from tests.lit_folders import LEVEL, write_scene


def test_the_fixed_pairs_are_all_ordered_pairs_of_lights_of_every_scene(tmp_path):
    write_scene(tmp_path, "elm_a")
    write_scene(tmp_path, "elm_b")
    pairs = LightPairs(open_scenes("train", LEVEL, tmp_path))
    batch = pairs.fixed(range(len(pairs)))
    light = batch.reference.mean((1, 2, 3)).mul(255 / 8).round().long(), batch.perturbed.mean((1, 2, 3)).mul(255 / 8).round().long()
    assert torch.equal(light[1], batch.types)
    assert len(set(zip(batch.scenes.tolist(), *(each.tolist() for each in light)))) == len(pairs) == 2 * 625


def test_the_first_fixed_pairs_cover_scenes_and_lights_evenly():
    pairs = LightPairs(_Numbers(4))
    batch = pairs.fixed(range(100))
    assert batch.scenes.bincount().tolist() == [25] * 4 and batch.types.bincount(minlength=LIGHTS).max() <= 6


def test_a_training_draws_two_different_lights_all_alike():
    pairs = LightPairs(_Numbers(3))
    draws = torch.rand(4000, 2, generator=torch.Generator().manual_seed(0))
    batch = pairs.drawn(torch.randint(3, (4000,)), draws)
    first, other = batch.reference[:, 0, 0, 0].long(), batch.perturbed[:, 0, 0, 0].long()
    assert (first != other).all() and torch.equal(other, batch.types)
    assert all(120 < count < 200 for each in (first, other) for count in each.bincount(minlength=LIGHTS))


@pytest.mark.parametrize("name", ["scenes", "multi_illumination", "multi_illumination-mip9"])
def test_a_data_set_without_lights_is_refused(name):
    with pytest.raises(InvalidInput, match="expected scenes under several lights"):
        open_lit_scenes(name, "test", None)


class _Numbers:
    """Pictures of one pixel that holds the light's number."""

    image_shape, material_names = (1, 1, 1), ("all",)

    def __init__(self, count):
        self.names = tuple(map(str, range(count)))

    def pictures(self, scenes, lights):
        return torch.tensor(list(lights)).float().view(-1, 1, 1, 1)

    def materials(self, scenes):
        return torch.zeros(len(scenes), 1, 1, dtype=torch.long)
