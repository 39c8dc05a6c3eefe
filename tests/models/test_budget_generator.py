import math

import pytest
import torch

from explorer.bounds import Interval, bounds
from explorer.checkpoints import Header, load, save
from explorer.errors import ConfigurationError, InvalidInput
from explorer.models import BudgetGenerator, build_model

TINY = {"classifier_config": {"height": 10, "width": 12, "classes": 3, "widths": [2, 2], "hidden_units": [4]}}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build_model("budgeted_classifier", TINY).eval()


@pytest.fixture
def x():
    return torch.rand(3, 1, 10, 12, generator=torch.Generator().manual_seed(0))


def test_the_papers_generator_has_the_papers_parameters():
    with torch.device("meta"):
        assert sum(each.numel() for each in BudgetGenerator((1, 28, 28)).parameters()) == 4_918_368


def test_the_compact_generator_has_a_tenth_of_them():
    with torch.device("meta"):
        assert sum(each.numel() for each in BudgetGenerator((1, 28, 28), rank=64).parameters()) == 336 + 6272 * 64 + 64 + 64 * 784 + 784


def test_the_model_is_its_classifier(model, x):
    assert torch.equal(model(x), model.classifier(x)) and model.classes == 3


@pytest.mark.parametrize("rank", [None, 3])
def test_budgets_are_of_the_images_shape_volume_and_range(rank, x):
    model = build_model("budgeted_classifier", {**TINY, "rank": rank})
    budgets = model.budgets(x)
    assert budgets.shape == x.shape and budgets.min() >= torch.tensor(0.2) and budgets.max() <= torch.tensor(0.8)
    torch.testing.assert_close(budgets.log().flatten(1).mean(1), torch.full((3,), math.log(0.4)), atol=1e-6, rtol=0)


def test_another_volume_and_range_can_be_asked_for(model, x):
    budgets = model.budgets(x, volume=0.6, alpha=0.1, alpha_bar=5.0)
    assert budgets.min() >= torch.tensor(0.06) and budgets.max() <= 1
    torch.testing.assert_close(budgets.log().flatten(1).mean(1), torch.full((3,), math.log(0.6)), atol=1e-6, rtol=0)


def test_a_range_of_one_point_gives_uniform_budgets(model, x):
    torch.testing.assert_close(model.budgets(x, volume=0.3, alpha=1.0, alpha_bar=1.0), torch.full_like(x, 0.3))


def test_volume_zero_gives_budgets_of_zero(model, x):
    assert not model.budgets(x, volume=0.0).any()


def test_a_checkpoint_keeps_classifier_and_generator(model, x, tmp_path):
    config = {**TINY, "volume": 0.4}
    save(tmp_path / "it.safetensors", model, Header("classifier", "it", "budgeted_classifier", config, {}, {}, {}, 0, 0.4, {}))
    opened = load(tmp_path / "it.safetensors").model
    assert torch.equal(opened(x), model(x)) and torch.equal(opened.budgets(x), model.budgets(x))


def test_the_whole_model_can_be_bounded(model, x):
    found = bounds(model, Interval.around(x, model.budgets(x).detach() / 10, 0.0, 1.0), "crown-ibp")
    assert found.holds(model(x), 1e-5).all()


def test_images_of_another_size_are_refused(model):
    with pytest.raises(InvalidInput, match=r"takes images of shape \(1, 10, 12\), got \(1, 28, 28\)"):
        model.budgets(torch.rand(1, 1, 28, 28))


def test_a_volume_that_alpha_and_alpha_bar_do_not_allow_is_refused(model, x):
    with pytest.raises(InvalidInput, match="volume = 1.5"):
        model.budgets(x, volume=1.5)


def test_all_problems_of_a_configuration_are_told_at_once():
    config = {"classifier": "dm_small", "classifier_config": {"classes": 1}, "rank": 0, "volume": 2.0, "alpha": 3.0}
    with pytest.raises(ConfigurationError) as raised:
        build_model("budgeted_classifier", config)
    assert all(word in str(raised.value) for word in ("classes = 1", "rank = 0", "volume = 2.0", "alpha = 3.0"))


def test_another_network_cannot_be_its_classifier():
    with pytest.raises(ConfigurationError, match="classifier = 'vae': expected one of dm_small"):
        build_model("budgeted_classifier", {"classifier": "vae"})
