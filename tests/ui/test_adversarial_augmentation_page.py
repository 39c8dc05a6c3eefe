"""The page Adversarial augmentation, opened alone."""

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.papers.adversarial_augmentation.exploration import PathSettings, corruption_path
from explorer.papers.adversarial_augmentation.opening import open_backbone
from explorer.runs import Store
from explorer.studies.classifiers import open_classifier
from explorer.ui import library
from explorer.ui.adversarial_augmentation import ChosenNetwork
from explorer.ui.adversarial_augmentation_link import Link, checked
from explorer.ui.adversarial_augmentation_live import _scene
from explorer.ui.adversarial_augmentation_work import View
from explorer.ui.bounds import Subject
from explorer.ui.model_choice import Model
from tests.apps import opened_page, texts
from tests.tiny_backbones import save_backbone
from tests.tiny_budgets import save_tiny

FAST = {"model": "mine/tiny-uniform", "steps": "1"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A tiny classifier and a tiny network of the embedded digits, and nothing else."""
    monkeypatch.setattr(library, "SHIPPED", tmp_path / "nothing")
    monkeypatch.setenv("EXPLORER_RUNS", str(tmp_path / "runs"))
    (tmp_path / "mine").mkdir()
    save_tiny(tmp_path / "mine", learned=False)
    save_backbone(tmp_path / "mine", "affine_warp")
    monkeypatch.setenv(library.VARIABLE, str(tmp_path / "mine"))
    return tmp_path / "mine"


def page(**query: str) -> AppTest:
    return opened_page("adversarial_augmentation", FAST | query)


@pytest.mark.parametrize(
    ("panel", "words"),
    [("Search", "Frame 0: what the network makes"), ("Guard", "root of a parabola"), ("Layers", "‖δᵢ‖ over ν·‖φᵢ‖"), ("Test set", "it goes on when this page is closed"), ("Imitation", "maximising SSIM")],
)
def test_every_panel_shows_its_part(panel, words):
    test = page(panel=panel)
    assert not test.exception and not test.error and words in texts(test)


def test_ssim_before_and_after_the_guard_are_numbers_on_the_page():
    test = page(panel="Guard", ssim_limit="0.2")
    shown = {each.label: float(each.value) for each in test.metric}
    assert shown["SSIM after"] >= max(shown["SSIM before"], 0.8) - 1e-3 and 0 <= shown["γ"] <= 1


def test_an_image_that_is_lost_is_said_with_its_ssim(folder):
    edsr = save_backbone(folder, "edsr")
    test = page(radius="0.1", steps="10", network="mine/tiny-edsr")
    opened, backbone = open_classifier(folder / "tiny-uniform.safetensors"), open_backbone(edsr)
    path = corruption_path(opened.model, backbone.ball(0.1), opened.images.images[:1], int(opened.images.labels[0]), PathSettings(0.1))
    assert path.lost and not test.exception and f"its SSIM is {float(path.ssim[-1]):.3f}" in texts(test)


def test_a_link_to_a_network_chooses_a_classifier_for_it():
    test = page(model="mine/tiny-affine-warp")
    assert not test.exception and not test.warning and "tiny-uniform" in texts(test)


def test_without_a_network_the_page_says_which_command_trains_one(folder):
    (folder / "tiny-affine-warp.safetensors").unlink()
    test = page()
    assert not test.exception and "python -m explorer.train backbone-unet-digits" in texts(test)


def test_a_network_of_other_channels_is_refused(folder):
    save_backbone(folder, "completion_unet", channels=3)
    test = page(network="mine/tiny-completion-unet")
    assert not test.exception and "takes images of other channels than grey ones" in texts(test)


@pytest.mark.parametrize(
    ("query", "words"),
    [({"radius": "0"}, "expected ν above 0"), ({"network": "nowhere"}, "'nowhere' is not an image-to-image network that is here"), ({"model": "nowhere"}, "'nowhere' is not a classifier that is here")],
    ids=str,
)
def test_a_bad_link_is_one_message_and_the_page_goes_on(query, words):
    test = page(**query)
    assert not test.exception and len(test.warning) == 1 and words in texts(test)
    assert "Frame 0" in texts(test)


@pytest.mark.parametrize("changes", [{"radius": -1.0}, {"radius": 0.5}, {"steps": 7}, {"ssim_limit": 3.0}, {"corruption": "rain"}, {"severity": 6}, {"radii": (7.0,)}, {"radii": ()}, {"count": 3}, {"image": 999}], ids=str)
def test_every_value_that_cannot_be_shown_gets_a_sentence(changes, folder):
    link, problems = checked(Link(**changes), open_classifier(folder / "tiny-uniform.safetensors"))
    assert link == Link() and len(problems) == 1


def test_a_run_of_the_test_set_is_launched_with_the_pages_settings(monkeypatch):
    submitted = []
    monkeypatch.setattr(Store, "submit", lambda self, made: submitted.append(made))
    test = page(panel="Test set", radii="0.015,0.03", seed="5")
    next(each for each in test.button if each.label == "Measure").click().run()
    (made,) = submitted
    assert (made.kind, made.parameters["radii"], made.parameters["limit"], made.seed) == ("worst_weights", [0.015, 0.03], 25, 5) and made.parameters["backbones"][0].endswith("tiny-affine-warp.safetensors")


@pytest.mark.parametrize("radius", [0.0, 0.02])
def test_what_is_dragged_is_one_step_at_that_radius(folder, radius):
    opened, path = open_classifier(folder / "tiny-uniform.safetensors"), save_backbone(folder, "edsr")
    image = opened.images.images[:1]
    shown = View(
        [Model("m", opened, path, ())], Subject(image, 3, "an image", ()), ChosenNetwork("n", path, open_backbone(path), ()), PathSettings(0.015), None, (), ""
    )
    values = _scene(shown).compute(radius)
    assert values["radius"] == radius and len(values["marks"]["step"]) == 10 and set(values["pictures"]) == {"attacked", "difference"}
    assert ("SSIM" in values["notes"]["step"]["text"]) == (radius > 0)
    if radius == 0:
        own = opened.model(open_backbone(path).model(image).clamp(0, 1))[0]
        assert values["marks"]["step"] == pytest.approx([float(f"{value:.5g}") for value in torch.as_tensor(own).tolist()], rel=1e-3, abs=1e-4)
