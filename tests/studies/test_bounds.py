import math

import pytest
import torch

from explorer.attacks import margin
from explorer.checkpoints import Header, save
from explorer.errors import InvalidInput, UnknownName
from explorer.models import build_model
from explorer.studies.bounds import Settings, activations, affordable_methods, certified_margins, certified_radius, layer_widths, live_methods, study_bounds
from explorer.studies.classifiers import open_classifier


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    return build_model("dm_small", {"height": 12, "width": 12, "classes": 4, "widths": [2, 3], "hidden_units": [6]}).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, 1, 12, 12, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def label(classifier, image):
    return int(classifier(image).argmax())


@pytest.fixture(scope="module")
def study(classifier, image, label):
    return study_bounds(classifier, image, label, Settings(0.05))


class Brightness(torch.nn.Module):
    """Two classes: bright, and dark; the margin of the first is 2·mean − 1."""

    def forward(self, x):
        mean = x.flatten(1).mean(1, keepdim=True)
        return torch.cat([mean, 1 - mean], 1)


def test_the_attack_finds_nothing_below_a_certificate(study):
    assert all((each.lower <= study.attack.margins + 1e-5).all() for each in study.methods.values())


def test_the_clean_margins_lie_inside_every_interval(study):
    assert all(((each.lower <= study.clean + 1e-5) & (study.clean <= each.upper + 1e-5)).all() for each in study.methods.values())


def test_the_attack_is_never_worse_than_the_image_itself(study):
    assert (study.attack.margins <= study.clean).all()


def test_tighter_methods_lie_inside_interval_propagation(study):
    loose = study.methods["ibp"]
    assert all((each.lower >= loose.lower - 1e-5).all() and (each.upper <= loose.upper + 1e-5).all() for each in study.methods.values())


def test_the_margins_are_in_the_order_of_the_other_classes(study, label):
    assert study.others.tolist() == [each for each in range(4) if each != label]


def test_the_worst_image_lies_in_the_box(study, image):
    assert (study.attack.worst - image).abs().max() <= 0.05 + 1e-6


def test_at_radius_zero_all_is_the_image_itself(classifier, image, label):
    found = study_bounds(classifier, image, label, Settings(0.0))
    for side in (found.attack.margins, *(getattr(each, end) for each in found.methods.values() for end in ("lower", "upper"))):
        torch.testing.assert_close(side, found.clean, atol=1e-5, rtol=0)


def test_margins_of_brightness_are_those_by_hand():
    found = certified_margins(Brightness(), torch.full((1, 1, 4, 4), 0.8), 0, 0.1, ("ibp",))["ibp"]
    assert found.lower.tolist() == pytest.approx([0.4]) and found.upper.tolist() == pytest.approx([0.8]) and found.certified


@pytest.mark.parametrize("method", ["ibp", "crown-ibp", "crown", "alpha-crown"])
def test_the_certified_radius_of_brightness_is_that_by_hand(method):
    assert certified_radius(Brightness(), torch.full((1, 1, 4, 4), 0.8), 0, method, tolerance=1e-4) == pytest.approx(0.3, abs=2e-4)


def test_a_misclassified_image_has_no_certified_radius():
    assert certified_radius(Brightness(), torch.full((1, 1, 4, 4), 0.2), 0, "ibp") == 0


def test_at_the_certified_radius_there_is_a_certificate(classifier, image, label):
    radius = certified_radius(classifier, image, label, "crown")
    assert 0 < radius and certified_margins(classifier, image, label, radius, ("crown",))["crown"].certified


def test_a_tighter_method_certifies_at_least_as_far(classifier, image, label):
    assert certified_radius(classifier, image, label, "ibp") <= certified_radius(classifier, image, label, "crown") + 1e-3


def test_layers_run_from_the_input_to_the_logits(classifier, image):
    layers = layer_widths(classifier, image, 0.05, "ibp")
    assert [each.values for each in layers] == [144, 50, 50, 12, 12, 6, 6, 4]
    assert layers[0].largest == pytest.approx(0.1, abs=1e-6) and all(each.mean <= each.largest for each in layers)


def test_crown_is_nowhere_wider_than_ibp(classifier, image):
    pairs = zip(layer_widths(classifier, image, 0.05, "crown"), layer_widths(classifier, image, 0.05, "ibp"))
    assert all(tight.mean <= loose.mean + 1e-6 and tight.largest <= loose.largest + 1e-6 for tight, loose in pairs)


def test_activations_are_those_of_all_relus(classifier, image):
    assert activations(classifier, image) == 50 + 12 + 6


@pytest.mark.parametrize(("count", "on_release", "live"), [(5_000, 4, 2), (30_000, 2, 2), (200_000, 2, 1)])
def test_large_classifiers_are_asked_for_less(count, on_release, live):
    cpu = torch.device("cpu")
    assert (len(affordable_methods(count, cpu)), len(live_methods(count, cpu))) == (on_release, live)


@pytest.mark.parametrize("radius", [-0.1, 1.5, math.nan, math.inf])
def test_an_impossible_radius_is_refused(radius):
    with pytest.raises(InvalidInput, match="expected 0 to 1"):
        Settings(radius)


def test_bounds_that_overflow_are_an_error_and_no_number():
    class Exploding(torch.nn.Module):
        def forward(self, x):
            return (1e30 * x.flatten(1)[:, :2]) * 1e10

    with pytest.raises(InvalidInput, match="by IBP overflow at radius 0.1"):
        certified_margins(Exploding(), torch.full((1, 1, 4, 4), 0.5), 0, 0.1, ("ibp",))


def test_an_unknown_method_is_named():
    with pytest.raises(UnknownName, match="Did you mean 'crown'"):
        Settings(0.1, ("crowm",))


def test_a_label_that_is_no_class_is_refused(classifier, image):
    with pytest.raises(InvalidInput, match="expected 0 to 3"):
        study_bounds(classifier, image, 7, Settings(0.1))


def test_the_margin_objective_is_a_difference_of_logits(classifier, image):
    logits = classifier(image)
    assert margin(classifier, torch.tensor([1]), torch.tensor([3]))(image) == pytest.approx(float(logits[0, 1] - logits[0, 3]))


def header(model, config, **changes):
    values = dict(kind="classifier", name="c", model=model, model_config=config, dataset={"name": "digits"}, training={}, metrics={}, seed=0, radius=0.1, percentile_radii={})
    return Header(**{**values, **changes})


def kept(folder, model="dm_small", config=None, **changes):
    config = {"widths": [2, 3], "hidden_units": [4]} if config is None else config
    path = folder / "c.safetensors"
    save(path, build_model(model, config), header(model, config, **changes))
    return path


def test_a_classifier_opens_with_its_test_images(tmp_path):
    opened = open_classifier(kept(tmp_path))
    assert opened.radius == 0.1 and len(opened.images) == 300 and opened.note is None and opened.logits(opened.images.images[:1]).shape == (1, 10)


def test_without_its_data_the_digits_stand_in(tmp_path):
    assert "'digits' stands in" in open_classifier(kept(tmp_path, dataset={"name": "elsewhere"})).note


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "learned_set"}, "holds a 'learned_set'"),
        ({"model": "vae", "config": {"widths": [2, 2], "latent_dim": 2, "hidden_units": 4}}, "with the model 'vae'"),
        ({"config": {"widths": [2, 3], "hidden_units": [4], "classes": 3}}, "in 3 classes"),
    ],
)
def test_what_is_no_classifier_of_these_images_is_refused(tmp_path, changes, words):
    with pytest.raises(InvalidInput, match=words):
        open_classifier(kept(tmp_path, **changes))
