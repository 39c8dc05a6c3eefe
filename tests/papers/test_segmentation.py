import json
from dataclasses import replace

import pytest
import torch

from explorer import checkpoints
from explorer.data.illumination import LIGHTS
from explorer.data.illumination_pairs import LightPairs, open_lit_scenes
from explorer.errors import ConfigurationError, InvalidInput
from explorer.papers.base import Place
from explorer.papers.learned_sets.segmentation_config import SegmenterConfig, problems
from explorer.papers.learned_sets.segmentation_training import IGNORED, lit_pictures, moved_together, picture_count, sigma_of, steps, train
from explorer.types import Silent
from tests.tiny_light import save_lighting_set, small_scenes

TINY = SegmenterConfig(dataset="lit_scenes", method="pairs", learned_set=None, widths=(4, 6), epochs=2, batch_size=2, limit=1, crop_padding=2)


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    small_scenes(monkeypatch, tmp_path)


@pytest.fixture
def lighting(tmp_path):
    return str(save_lighting_set(tmp_path / "set.safetensors"))


@pytest.mark.parametrize("method", ["fixed", "pairs", "samples", "adversarial", "smoothed"])
def test_a_training_leaves_a_segmenter_that_says_what_it_was_made_of(method, lighting, tmp_path):
    config = replace(TINY, method=method, learned_set=lighting, steps=2, epochs=1)
    made = checkpoints.load(train("a", config, Place(tmp_path / "run", torch.device("cpu")), Silent()))
    header = made.header
    assert header.kind == "segmenter" and 0 <= header.metrics["accuracy"] <= 1 and header.training == json.loads(json.dumps(header.training))
    assert ("learned_set_digest" in header.dataset) == (method in ("samples", "adversarial", "smoothed"))
    assert made.model(torch.rand(1, 3, 16, 16)).shape == (1, len(header.dataset["materials"]), 16, 16)


def test_a_few_scenes_can_be_learned_by_heart(tmp_path):
    config = replace(TINY, widths=(12, 16), epochs=1, passes=80, crop_and_flip=False, learning_rate=((0.0, 0.02), (1.0, 0.0)))
    path = train("a", config, Place(tmp_path, torch.device("cpu")), Silent())
    scenes = open_lit_scenes("lit_scenes", "train", None, 1)
    right = checkpoints.load(path).model(scenes.pictures([0, 0], [3, 4])).argmax(1) == scenes.materials([0, 0])
    assert right.float().mean() > 0.8


def test_pictures_and_materials_move_together():
    materials = torch.arange(64).view(1, 8, 8)
    pictures = materials[:, None].expand(-1, 3, -1, -1) / 100
    moved, named = moved_together(pictures.repeat(20, 1, 1, 1), materials.repeat(20, 1, 1), torch.Generator().manual_seed(0), 2)
    known = named != IGNORED
    assert torch.equal((moved[:, 0] * 100).round().long()[known], named[known]) and (moved[:, 0][~known] == 0).all()
    assert (~known).any() and known.flatten(1).any(1).all()


def test_every_scene_is_seen_under_every_light_once():
    pairs = LightPairs(_Numbered(4))
    pictures, materials = lit_pictures(pairs, range(picture_count(pairs)))
    assert len(set(zip(materials.flatten().tolist(), pictures.flatten().tolist()))) == 4 * LIGHTS


def test_the_papers_noise_certifies_the_whole_set():
    """Appendix F.3: σ = 6.90 for ε = 17."""
    assert sigma_of(17.0) == pytest.approx(6.90, abs=0.005)


def test_the_steps_of_a_training_are_counted():
    assert steps(replace(TINY, passes=3), None) == 2 * 2


def test_everything_impossible_is_said_at_once():
    wrong = replace(TINY, method="adversarial", step_size=0.0, dataset="scenes", widths=(0,), radius=-1.0)
    assert [text.split(" ")[0] for text in problems(wrong)] == ["step_size", "radius", "learned_set", "dataset", "widths"]


def test_a_set_of_other_pictures_is_refused(tmp_path):
    other = str(save_lighting_set(tmp_path / "other.safetensors", height=8, width=8))
    with pytest.raises(InvalidInput, match="takes images of shape"):
        train("a", replace(TINY, method="samples", learned_set=other), Place(tmp_path / "run", torch.device("cpu")), Silent())


def test_a_training_refuses_an_impossible_configuration(tmp_path):
    with pytest.raises(ConfigurationError, match="batch_size"):
        train("a", replace(TINY, batch_size=0), Place(tmp_path, torch.device("cpu")), Silent())


class _Numbered:
    """A picture is the number of its light, its material that of the scene."""

    image_shape, material_names = (1, 1, 1), ("all",)

    def __init__(self, count):
        self.names = tuple(map(str, range(count)))

    def pictures(self, scenes, lights):
        return torch.tensor(list(lights)).float().view(-1, 1, 1, 1)

    def materials(self, scenes):
        return torch.tensor(list(scenes)).view(-1, 1, 1)
