import math

import pytest
import torch

from explorer.checkpoints import Header, save
from explorer.errors import ConfigurationError, InvalidInput
from explorer.models import build_model
from explorer.sets import BudgetBox, LatentBall, LpBall, ManifoldLatent
from explorer.studies.classifiers import open_classifier
from explorer.studies.threats import THREATS, Threat, build_set, parse_threat
from tests.tiny_budgets import save_tiny


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return open_classifier(save_tiny(tmp_path_factory.mktemp("c"))).model


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A learned set and a class-conditional VAE for images of 28 × 28, and a learned set for others."""
    folder, made = tmp_path_factory.mktemp("f"), {}
    configs = {
        "latent": ("rts_cvae", "learned_set", {"height": 28, "width": 28, "latent_dim": 4, "localization_widths": [8], "transformers": 1}),
        "manifold": ("class_mlp_cvae", "class_cvae", {"latent_dim": 3, "hidden_units": 4}),
        "other": ("rts_cvae", "learned_set", {"height": 42, "width": 42, "latent_dim": 4, "localization_widths": [8], "transformers": 1}),
    }
    for name, (model, kind, config) in configs.items():
        torch.manual_seed(0)
        header = Header(kind=kind, name=name, model=model, model_config=config, dataset={"name": "digits"}, training={}, metrics={}, seed=0, radius=2.0, percentile_radii={})
        save(folder / f"{name}.safetensors", build_model(model, config), header)
        made[name] = str(folder / f"{name}.safetensors")
    return made


@pytest.mark.parametrize("text", ["linf:0.1", "l2:1.5", "l1:10", "budgets:0.2"])
def test_a_text_is_read_as_it_is_written(text):
    assert parse_threat(text).text == text


def test_every_set_that_needs_no_file_is_built(classifier):
    kinds = {name: type(build_set(Threat(name, 0.1), classifier)) for name in ("linf", "l2", "l1", "budgets")}
    assert kinds == {"linf": LpBall, "l2": LpBall, "l1": LpBall, "budgets": BudgetBox}
    assert build_set(Threat("linf", 0.1), classifier) == LpBall(math.inf, 0.1)


def test_sets_of_other_models_are_built_from_their_files(classifier, files):
    for name, kind in (("latent", LatentBall), ("manifold", ManifoldLatent), ("manifold-l2", ManifoldLatent)):
        made = build_set(parse_threat(f"{name}:1.5:{files[name.removesuffix('-l2')]}"), classifier)
        assert isinstance(made, kind) and made.radius == 1.5


def test_without_a_number_it_is_the_usual_radius(files):
    assert parse_threat("l2").radius == THREATS["l2"].usual and parse_threat(f"latent::{files['latent']}").radius == THREATS["latent"].usual


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("linff:0.1", "Did you mean 'linf'"),
        ("linf:x", "expected a number for the radius"),
        ("linf:0", "the image alone cannot be attacked"),
        ("l2:inf", "expected a finite number above 0"),
        ("l2:nan", "expected a finite number above 0"),
        ("latent:5", "expected the file of a trained model"),
        ("latent:5:/nowhere.safetensors", "there is no file"),
        ("l2:1:/nowhere", "l2 needs no file"),
        ("", "unknown set"),
    ],
)
def test_impossible_texts_are_refused(text, words):
    with pytest.raises(ConfigurationError, match=words):
        parse_threat(text)


def test_a_model_of_other_images_is_refused(classifier, files):
    with pytest.raises(InvalidInput, match=r"takes images of shape \(1, 42, 42\)"):
        build_set(parse_threat(f"latent:1:{files['other']}"), classifier)


def test_a_model_of_another_kind_is_refused(classifier, files):
    with pytest.raises(InvalidInput, match="expected a ClassConditionalVAE"):
        build_set(parse_threat(f"manifold:1:{files['latent']}"), classifier)


def test_a_uniform_classifier_has_no_budgets(tmp_path):
    with pytest.raises(InvalidInput, match="expected a BudgetedClassifier"):
        build_set(Threat("budgets", 0.1), open_classifier(save_tiny(tmp_path, learned=False)).model)
