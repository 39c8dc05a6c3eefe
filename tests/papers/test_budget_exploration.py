import math

import pytest
import torch

from explorer.attacks import cross_entropy, pgd
from explorer.data import ImageDataset
from explorer.errors import ConfigurationError, InvalidInput, UnknownName
from explorer.metrics import log_volume
from explorer.models import build_model
from explorer.papers.contextual_budgets.exploration import SOURCES, Drawing, Settings, attacked, budgets_of, examined, explore, mean_budgets, surroundings, worst_of_one_step
from explorer.papers.contextual_budgets.largest import largest_boxes
from explorer.randomness import Streams
from explorer.sets import BudgetBox
from explorer.sets.budget_box import DrawnBudgets

SETTINGS = Settings(0.1, 0.5, 2.0)
SMALL = {"height": 12, "width": 12, "classes": 4, "widths": [2, 3], "hidden_units": [6]}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(2)
    made = build_model("budgeted_classifier", {"classifier_config": SMALL, "rank": 4}).eval().requires_grad_(False)
    for each in made.generator.parameters():
        each.mul_(4)  # so that pixels differ
    return made


@pytest.fixture(scope="module")
def images():
    return torch.rand(5, 1, 12, 12, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def around(model, images):
    return surroundings(model, images[:1], int(model(images[:1]).argmax()), images)


@pytest.fixture(scope="module")
def plain(model, images):
    """Of the same classifier without its generator."""
    return surroundings(model.classifier, images[:1], int(model(images[:1]).argmax()), images)


class Brightness(torch.nn.Module):
    """Two classes: bright, and dark; the margin of the first is 2·mean − 1."""

    image_shape = (1, 4, 4)

    def forward(self, x):
        mean = x.flatten(1).mean(1, keepdim=True)
        return torch.cat([mean, 1 - mean], 1)


def drawing(value: float = 1.0, **changes) -> Drawing:
    octaves = torch.zeros(12, 12)
    octaves[2:5, 3:9] = value
    return Drawing(octaves, **changes)


def test_learned_budgets_are_the_models_own(around, model, images):
    torch.testing.assert_close(budgets_of(around, "learned", SETTINGS), model.budgets(images[:1], 0.1, 0.5, 2.0))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("volume", "alpha", "alpha_bar"), [(0.1, 0.5, 2.0), (0.7, 0.5, 2.0), (0.02, 0.125, 8.0)])
def test_all_budgets_have_the_volume_and_the_range(around, source, volume, alpha, alpha_bar):
    found = budgets_of(around, source, Settings(volume, alpha, alpha_bar), drawing(3.0))
    assert log_volume(found).item() == pytest.approx(math.log(volume), abs=1e-5)
    assert alpha * volume * (1 - 1e-5) <= float(found.min()) and float(found.max()) <= min(alpha_bar * volume, 1) * (1 + 1e-5)


def test_a_freely_drawn_region_has_its_factor_and_the_rest_is_as_it_was(around):
    base, found = budgets_of(around, "learned", SETTINGS), budgets_of(around, "drawn", SETTINGS, drawing(1.0, keep=False))
    torch.testing.assert_close(found[..., 2:5, 3:9], (2 * base[..., 2:5, 3:9]).clamp(max=1))
    torch.testing.assert_close(found[..., 5:, :], base[..., 5:, :])


def test_a_raised_region_takes_its_volume_from_the_rest(around):
    base, found = budgets_of(around, "uniform", SETTINGS), budgets_of(around, "drawn", SETTINGS, drawing(1.0, base="uniform"))
    assert (found[..., 2:5, 3:9] > base[..., 2:5, 3:9]).all() and (found[..., 5:, :] < base[..., 5:, :]).all()


def test_no_drawing_is_its_base(around):
    torch.testing.assert_close(budgets_of(around, "drawn", SETTINGS), budgets_of(around, "learned", SETTINGS))


def test_a_class_mean_of_one_image_is_that_images(model, images):
    around = surroundings(model, images[:1], 0, images[:1])
    torch.testing.assert_close(budgets_of(around, "mean", SETTINGS), budgets_of(around, "learned", SETTINGS))


def test_the_mean_budgets_of_a_class_are_those_of_its_images(model, images):
    data = ImageDataset(images, torch.tensor([0, 1, 0, 1, 1]), ("a", "b", "c", "d"))
    found = mean_budgets(model, data, 2, 0.1, 0.5, 2.0)
    torch.testing.assert_close(found[1], model.budgets(images[[1, 3]], 0.1, 0.5, 2.0).log().mean(0).exp())
    assert log_volume(found[:2]).exp().tolist() == pytest.approx([0.1, 0.1], rel=1e-5) and found[2:].isnan().all()


def test_what_is_explored_together_is_what_is_explored_alone(around):
    together = explore(around, tuple(SOURCES), SETTINGS, drawing())
    for source in SOURCES:
        alone = explore(around, (source,), SETTINGS, drawing())[source]
        torch.testing.assert_close(together[source].certified, alone.certified, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(together[source].found, alone.found, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("method", ["ibp", "crown-ibp", "crown"])
@pytest.mark.parametrize("volume", [0.01, 0.1, 0.5])
def test_no_image_of_the_box_has_a_margin_below_what_is_certified(around, method, volume):
    for each in explore(around, tuple(SOURCES), Settings(volume, 0.5, 2.0, method), drawing()).values():
        shift = 2 * torch.rand(200, 1, 12, 12, generator=torch.Generator().manual_seed(0)) - 1
        logits = around.model((around.image + each.budgets * shift.sign()).clamp(0, 1))
        others = [index for index in range(4) if index != around.label]
        margins = logits[:, [around.label]] - logits[:, others]
        assert (margins >= each.certified - 1e-4).all() and (each.certified <= each.found).all() and (each.found <= around.clean).all()


def test_what_one_step_finds_is_the_margin_of_an_image_in_the_box(around):
    found = explore(around, ("learned",), Settings(0.3, 0.5, 2.0))["learned"]
    worst = worst_of_one_step(around, found.budgets)
    assert ((worst - around.image).abs() <= found.budgets + 1e-6).all() and worst.min() >= 0 and worst.max() <= 1
    logits = around.model(worst)[0]
    margins = logits[around.label] - torch.cat([logits[: around.label], logits[around.label + 1 :]])
    assert float(margins.min()) == pytest.approx(float(found.found.min()), abs=1e-5)


def test_an_attack_finds_no_less_than_one_step_and_nothing_below_the_certificate(around):
    explored = explore(around, ("learned",), Settings(0.3, 0.5, 2.0))["learned"]
    found = attacked(around, explored)
    assert (found.margins <= explored.found).all() and (found.margins >= explored.certified - 1e-4).all()
    assert ((found.worst - around.image).abs() <= explored.budgets + 1e-6).all()


def test_a_certified_box_withstands_the_attack(around):
    sizes = [volume for volume in (0.001, 0.003, 0.01, 0.03) if explore(around, ("learned",), Settings(volume, 0.5, 2.0))["learned"].verdict == "certified"]
    assert sizes, "the test needs a certified box"
    explored = explore(around, ("learned",), Settings(sizes[-1], 0.5, 2.0))["learned"]
    box, labels = BudgetBox(DrawnBudgets(explored.budgets)), torch.tensor([around.label])
    found = pgd(box.at(around.image), cross_entropy(around.model, labels), steps=20, step_size=0.25, restarts=10, streams=Streams(0, [0]))
    assert int(around.model(found.perturbed).argmax()) == around.label


def test_the_wrong_label_is_an_attack_found_at_any_volume(model, images):
    wrong = (int(model(images[:1]).argmax()) + 1) % 4
    around = surroundings(model, images[:1], wrong)
    assert explore(around, ("uniform",), Settings(1e-6, 0.5, 2.0))["uniform"].verdict == "attack found"


@pytest.mark.parametrize(("volume", "verdict"), [(0.01, "certified"), (0.099, "certified"), (0.101, "attack found"), (1.0, "attack found")])
def test_the_verdict_on_a_linear_classifier_turns_where_it_does_by_hand(volume, verdict):
    around = surroundings(Brightness(), torch.full((1, 1, 4, 4), 0.6), 0)
    assert explore(around, ("uniform",), Settings(volume, 0.5, 2.0))["uniform"].verdict == verdict


def test_a_classifier_without_generator_has_uniform_and_drawn_budgets(plain):
    assert plain.sources == ("uniform", "drawn") and set(explore(plain, plain.sources, SETTINGS, drawing())) == {"uniform", "drawn"}


@pytest.mark.parametrize("source", ["learned", "mean"])
def test_a_classifier_without_generator_says_so(plain, source):
    with pytest.raises(InvalidInput, match="no generator of budgets"):
        budgets_of(plain, source, SETTINGS)


def test_uniform_verdicts_do_not_depend_on_the_generator(around, plain):
    one, other = (explore(each, ("uniform",), SETTINGS)["uniform"] for each in (around, plain))
    assert torch.equal(one.certified, other.certified) and torch.equal(one.found, other.found)


@pytest.mark.parametrize("wrong", [{"volume": 0.0}, {"volume": -1.0}, {"volume": math.nan}, {"volume": 2.0}, {"alpha": 0.0}, {"alpha": 1.5}, {"alpha_bar": 0.9}])
def test_impossible_volumes_and_ranges_are_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        Settings(**{"volume": 0.1, "alpha": 0.5, "alpha_bar": 2.0, **wrong})


def test_everything_wrong_is_said_at_once():
    with pytest.raises(ConfigurationError) as caught:
        Settings(2.0, 0.0, 0.5)
    assert len(caught.value.problems) == 3


def test_an_unknown_source_is_named(around):
    with pytest.raises(UnknownName, match="learned"):
        budgets_of(around, "lerned", SETTINGS)


def test_a_drawing_of_another_size_is_refused(around):
    with pytest.raises(InvalidInput, match="7×7 pixels, these have 12×12"):
        budgets_of(around, "drawn", SETTINGS, Drawing(torch.zeros(7, 7)))


def test_a_drawing_that_is_not_finite_is_refused():
    with pytest.raises(InvalidInput, match="not finite"):
        Drawing(torch.full((2, 2), math.nan))


def test_an_image_of_another_size_is_refused(model):
    with pytest.raises(InvalidInput, match=r"takes images of shape \(1, 12, 12\), got \(1, 8, 8\)"):
        surroundings(model, torch.rand(1, 1, 8, 8), 0)


def test_a_label_outside_the_classes_is_refused(model, images):
    with pytest.raises(InvalidInput, match="label = 9"):
        surroundings(model, images[:1], 9)


def test_the_largest_boxes_are_certified_and_the_optimum_is_the_largest(around):
    found = largest_boxes(around, SETTINGS)
    assert found.explored.verdict == "certified" and float(found.optimum.volume) >= max(found.uniform, found.learned) * (1 - 1e-4)
    learned = budgets_of(around, "learned", Settings(found.learned, 0.5, 2.0))
    assert examined(around, learned)[0].verdict == "certified"


def test_without_a_generator_the_largest_learned_volume_is_unknown(plain):
    assert largest_boxes(plain, SETTINGS).learned is None
