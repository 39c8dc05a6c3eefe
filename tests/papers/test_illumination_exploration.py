from dataclasses import replace

import pytest
import torch

from explorer.checkpoints import load
from explorer.data.illumination import open_scenes
from explorer.data.illumination_pairs import NEUTRAL, LightPairs
from explorer.data.scenes import light_directions
from explorer.errors import InvalidInput
from explorer.models import build_model
from explorer.papers.learned_sets import EXPERIMENTS, open_learned_set
from explorer.papers.learned_sets.beginning import begin_with
from explorer.papers.learned_sets.illumination_exploration import light_places, lit, model_at, pictures_at, relight, resolutions
from tests.lit_folders import LEVEL, write_scene
from tests.tiny_light import EDGE, SMALL_SET, save_lighting_set, small_scenes


@pytest.fixture
def learned(tmp_path, monkeypatch):
    small_scenes(monkeypatch, tmp_path)
    monkeypatch.setattr("explorer.papers.learned_sets.illumination_exploration.SIZE", EDGE)
    return open_learned_set(save_lighting_set(tmp_path / "set.safetensors"))


def test_the_closest_member_is_never_farther_than_the_one_at_the_encoding(learned):
    made = relight(learned, 0, 7, 1.0)
    assert made.closest_error <= made.encoded_error + 1e-9 and made.closest_norm <= 1 + 1e-5
    assert torch.equal(made.real, learned.pairs.scenes.pictures([0], [7])) and torch.equal(made.neutral, learned.clean(0))
    assert relight(learned, 0, NEUTRAL, 1.0).unchanged_error == 0


def test_at_radius_zero_there_is_the_centre_alone(learned):
    made = relight(learned, 0, 7, 0.0)
    assert torch.equal(made.encoded, made.closest) and made.closest_norm == 0


def test_the_same_weights_serve_other_resolutions(learned):
    assert resolutions(learned) == {1: (16, 16), 2: (32, 32), 4: (64, 64)}
    made = relight(learned, 0, 3, 1.0, 2)
    assert made.real.shape == made.closest.shape == (1, 3, 32, 32) and model_at(learned, 1) is learned.checkpoint.model
    coarse = torch.nn.functional.avg_pool2d(pictures_at(learned, 0, (3,), 2), 2)
    assert (coarse - pictures_at(learned, 0, (3,), 1)).abs().mean() < 0.03, "the same scene"


def test_published_scenes_are_seen_at_the_levels_at_hand(learned, tmp_path):
    for level in (LEVEL, LEVEL - 1):
        for name in ("everett_a", "everett_b"):
            write_scene(tmp_path / str(level), name, level=level, size=(6000 >> level, 4000 >> level))
            folder = tmp_path / "multi_illumination" / name
            folder.mkdir(parents=True, exist_ok=True)
            for path in (tmp_path / str(level) / "multi_illumination" / name).iterdir():
                path.rename(folder / path.name)
    scenes = open_scenes("test", LEVEL, tmp_path)
    published = replace(learned, pairs=LightPairs(scenes), data=replace(learned.data, root=tmp_path))
    assert set(resolutions(published)) == {1, 2} and pictures_at(published, 1, (0, 4), 2).shape == (2, 3, 62, 93)


def test_lamps_stand_on_the_pad_as_far_out_as_they_are_low(learned):
    places, height = light_places(learned), light_directions()[:, 2]
    assert torch.allclose(places.norm(dim=1), torch.acos(height) / (torch.pi / 2), atol=1e-5)
    front = light_directions()[:, 0].argmax()
    assert places[front, 1] < 0 and lit(learned), "towards the camera is below"


@pytest.mark.parametrize(("scene", "light", "factor"), [(9, 0, 1), (0, 25, 1), (0, 0, 3)])
def test_what_there_is_not_is_refused(learned, scene, light, factor):
    with pytest.raises(InvalidInput):
        relight(learned, scene, light, 1.0, factor)


def test_training_goes_on_from_another_resolution(tmp_path):
    path = save_lighting_set(tmp_path / "set.safetensors")
    larger = build_model("unet_cvae", {**SMALL_SET, "height": 32, "width": 24})
    said = begin_with(larger, str(path))
    assert said["begin_with"] == "set" and all(torch.equal(a, b) for a, b in zip(larger.state_dict().values(), load(path).model.state_dict().values()))
    with pytest.raises(InvalidInput, match="tensors differ"):
        begin_with(build_model("unet_cvae", {**SMALL_SET, "latent_dims": [4, 2]}), str(path))


def test_each_resolution_goes_on_from_the_one_before():
    chain = [EXPERIMENTS[name].config for name in ("mi-mip5", "mi-mip4", "mi-mip3")]
    assert [config.begin_with for config in chain] == [None, "mi-mip5", "mi-mip4"]
    assert [config.crop_padding for config in chain] == [10, 20, 40] and [config.beta[-1][1] for config in chain] == [1, 1, 10]
    peaks = [max(rate for _, rate in config.learning_rate) for config in chain]
    assert peaks[0] / peaks[1] == pytest.approx(4) and peaks[0] / peaks[2] == pytest.approx(40)
