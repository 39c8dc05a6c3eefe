"""A folder of pictures that another tool wrote becomes an explorable set by the README's commands."""

import re
import shlex
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.attacks import cross_entropy, pgd
from explorer.errors import ConfigurationError
from explorer.models import build_model
from explorer.papers import EXPERIMENTS
from explorer.papers.learned_sets import memory, open_learned_set
from explorer.papers.learned_sets.latent_norms import latent_norms
from explorer.papers.learned_sets.own import OwnPairsConfig, plan
from explorer.randomness import Streams
from explorer.sets import LatentBall
from explorer.smoothing import certify
from explorer.train import main
from explorer.types import Silent
from tests.own_pictures import write_scenes

ROOT = Path(__file__).parents[2]
SMALL = {"maps": 4, "latent_dim": 3, "epochs": 1}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_scenes(tmp_path_factory.mktemp("own") / "mine")


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """By the README's command, with options that make it short."""
    (line,) = re.findall(r"-m explorer\.train (pairs .*)", (ROOT / "README.md").read_text())
    output = tmp_path_factory.mktemp("runs") / "pairs"
    words = [str(folder) if word == "FOLDER" else word for word in shlex.split(line)]
    options = [word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    assert main([*words, *options, "--output", str(output), "--device", "cpu"]) == 0
    return output / "pairs.safetensors"


def test_the_report_says_what_was_decided_and_how_good_it_is(trained):
    report = (trained.parent / "report.txt").read_text()
    for text in ("18 pairs of 3 types in 6 scenes, 16×12 pixels, colour", "Model residual_cvae: a side of 16 pixels", "Memory:", "pgd error", "blur", "dark"):
        assert text in report


def test_the_set_opens_with_its_own_test_pairs(trained, folder):
    learned = open_learned_set(trained)
    assert learned.pairs.type_names == ("blur", "bright", "dark") and len(learned.images) == 1 and learned.radius > 0
    *_, norms = latent_norms(learned, None, Silent())
    assert norms.types.tolist() == [0, 1, 2] and learned.real_pairs(learned.images.images[:1], 0).names == ("blur", "bright", "dark")


def test_a_classifier_is_attacked_and_certified_in_it(trained):
    learned = open_learned_set(trained)
    shape = dict(zip(("channels", "height", "width"), learned.checkpoint.model.image_shape))
    torch.manual_seed(0)
    classifier = build_model("dm_small", {**shape, "widths": [2, 2], "hidden_units": [4]}).eval()
    at = LatentBall(learned.checkpoint.model, learned.radius).at(learned.clean(0))
    attacked = pgd(at, cross_entropy(classifier, torch.tensor([0])), steps=2, step_size=0.5, streams=Streams(0, [0]))
    assert attacked.delta.norm() <= learned.radius * (1 + 1e-5)
    certificates = certify(classifier, at, sigma=0.5, streams=Streams(0, [0]), samples=100, selection=10)
    assert len(certificates.radius) == 1 and certificates.radius.isfinite().all()


def test_the_page_opens_on_the_set(trained, monkeypatch):
    test = AppTest.from_file(str(ROOT / "pages" / "learned_sets.py"), default_timeout=120)
    test.session_state["gallery.folders"] = [str(trained.parent)]
    test.query_params["panel"] = "Latent norms"
    test.run()
    names = test.selectbox[0].options
    test.selectbox[0].select(next(name for name in names if name.endswith("pairs"))).run()
    assert not test.exception and not test.error


def test_the_architecture_follows_the_pictures_and_says_why(tmp_path):
    large = plan(OwnPairsConfig(data=str(write_scenes(tmp_path / "large", size=(80, 60)))))
    assert large.config.model == "unet_cvae" and any("above 64" in reason for reason in large.reasons)
    assert build_model(large.config.model, large.config.model_config((3, 60, 80))).image_shape == (3, 60, 80)


def test_a_batch_that_does_not_fit_is_made_smaller_and_none_is_refused(folder, monkeypatch):
    config = OwnPairsConfig(data=str(folder), **SMALL)
    whole = plan(config, CPU)
    model = build_model(whole.config.model, whole.config.model_config((3, 12, 16)))
    needed = memory.COPIES * memory.weight_bytes(model) + 5 * memory.bytes_per_image(model)
    monkeypatch.setattr("explorer.papers.learned_sets.own.free_bytes", lambda device: int(needed / memory.SHARE) + 1)
    assert plan(config, CPU).config.batch_size == 5 < whole.config.batch_size and "do not fit: 5 pairs" in plan(config, CPU).reasons[-1]
    monkeypatch.setattr("explorer.papers.learned_sets.own.free_bytes", lambda device: 1000)
    with pytest.raises(ConfigurationError, match="does not hold two pictures"):
        plan(config, CPU)


def test_the_memory_of_an_image_grows_with_the_maps():
    wide, narrow = (build_model("residual_cvae", {"height": 8, "width": 8, "latent_dim": 2, "maps": maps, "inner_maps": 2, "bottleneck_maps": 2}) for maps in (32, 8))
    assert 2 < memory.bytes_per_image(wide) / memory.bytes_per_image(narrow) < 4


def test_nothing_and_nonsense_is_refused_before_anything_is_written(folder, tmp_path, capsys):
    assert main(["pairs", "--output", str(tmp_path / "out")]) == 1
    assert "data: expected a folder" in capsys.readouterr().err and not (tmp_path / "out").exists()
    found = EXPERIMENTS["pairs"].problems(OwnPairsConfig(data=str(folder), model="rts_cvae", epochs=0, maps=0))
    assert len(found) == 3
