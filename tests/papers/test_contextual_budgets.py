import json
from dataclasses import replace

import pytest
import torch

from explorer.bounds import Interval, cross_entropy_bound
from explorer.checkpoints import load
from explorer.errors import ConfigurationError
from explorer.models import build_model
from explorer.papers import EXPERIMENTS
from explorer.papers.base import Place
from explorer.papers.contextual_budgets.config import BudgetsConfig, problems
from explorer.papers.contextual_budgets.training import schedules, steps, train
from explorer.train import main
from explorer.training import State, certified_cross_entropy
from explorer.types import Silent
from tests.stopping import StopAfterResults

NAMES = [name for name, experiment in EXPERIMENTS.items() if experiment.paper == "contextual_budgets"]
TINY = replace(EXPERIMENTS["uniform-digits"].config, widths=(2, 3), hidden_units=(8,), epochs=2, passes=1, batch_size=20, limit=40)


LEARNED = replace(TINY, budgets="learned", volume=0.2, alpha=0.25, alpha_bar=2.5, rank=3, growth=((0.0, 0.2), (1.0, 1.0)))


@pytest.fixture(scope="module", params=[TINY, LEARNED], ids=["uniform", "learned"])
def trained(request, tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("trained"), torch.device("cpu"))
    return request.param, train("tiny", request.param, place, Silent())


@pytest.fixture
def batch():
    return torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2])


@pytest.fixture
def classifier():
    torch.manual_seed(0)
    return build_model("dm_small", {"widths": [2, 3], "hidden_units": [8]})


def state(radius=0.1, crown_share=0.5, clean_share=0.0):
    return State(0.0, {"volume": radius, "crown_share": crown_share, "clean_share": clean_share}, torch.Generator())


@pytest.mark.parametrize("name", NAMES)
def test_every_experiments_own_configuration_is_possible(name):
    assert not problems(EXPERIMENTS[name].config)


def test_the_mnist_baseline_has_the_papers_schedule():
    values = schedules(EXPERIMENTS["uniform-mnist-0.3"].config)
    assert [values["volume"](epoch) for epoch in (0, 1, 31, 61, 99)] == pytest.approx([0, 0, 0.15, 0.3, 0.3])
    assert [values["crown_share"](epoch) for epoch in (0, 31, 61)] == pytest.approx([1, 0.5, 0])


def test_a_dry_run_prints_the_configuration(capsys):
    assert main(["uniform-mnist-0.3", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["classifier"] == "dm_small"


@pytest.mark.parametrize("name", ["uniform-mnist-0.3", "uniform-mnist-0.4"])
def test_one_step_of_the_papers_size_changes_every_weight(name):
    config = EXPERIMENTS[name].config
    torch.manual_seed(0)
    model = build_model(config.model, config.model_config((1, 28, 28), 10))
    certified_cross_entropy(model, (torch.rand(2, 1, 28, 28), torch.tensor([3, 7])), state(config.volume)).mean().backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in model.parameters())


def test_at_radius_zero_the_loss_is_the_clean_cross_entropy(classifier, batch):
    expected = torch.nn.functional.cross_entropy(classifier(batch[0]), batch[1], reduction="none")
    torch.testing.assert_close(certified_cross_entropy(classifier, batch, state(radius=0.0)), expected)


def test_no_sampled_image_of_the_box_has_a_larger_loss(classifier, batch):
    images, labels = batch
    worst = certified_cross_entropy(classifier, batch, state(0.05))
    for seed in range(50):
        noise = 0.1 * torch.rand(images.shape, generator=torch.Generator().manual_seed(seed)) - 0.05
        found = torch.nn.functional.cross_entropy(classifier((images + noise).clamp(0, 1)), labels, reduction="none")
        assert (found <= worst + 1e-5).all()


def test_the_box_is_cut_to_the_range_of_pixels(classifier, batch):
    black = torch.zeros_like(batch[0])
    found = certified_cross_entropy(classifier, (black, batch[1]), state(0.2, crown_share=0.0))
    expected = cross_entropy_bound(classifier, Interval(black, black + 0.2), batch[1], "ibp")
    torch.testing.assert_close(found, expected)


def test_the_shares_mix_the_losses(classifier, batch):
    clean, worst = certified_cross_entropy(classifier, batch, state(0.0)), certified_cross_entropy(classifier, batch, state())
    torch.testing.assert_close(certified_cross_entropy(classifier, batch, state(clean_share=0.25)), 0.25 * clean + 0.75 * worst)


def test_a_trained_classifier_says_what_was_measured_of_it(trained):
    config, path = trained
    header = load(path).header
    assert header.kind == "classifier" and header.model == config.model and header.radius == config.volume and header.description.startswith("compact: widths")
    metrics = header.metrics
    assert 0 <= metrics["certified_ibp"] <= metrics["certified_crown_ibp"] <= metrics["attacked"] <= metrics["clean"] <= 1


def test_a_stopped_training_goes_on_bit_for_bit(trained, tmp_path):
    place = Place(tmp_path, torch.device("cpu"))
    with pytest.raises(Exception, match="stopped"):
        train("tiny", trained[0], place, StopAfterResults())
    again = train("tiny", trained[0], replace(place, resume=True), Silent())
    assert again.read_bytes()[-2000:] == trained[1].read_bytes()[-2000:]


def test_budgets_that_cannot_differ_train_the_classifier_of_uniform_ones_to_the_last_bit(tmp_path):
    uniform = replace(TINY, growth=((0.0, 0.2), (1.0, 1.0)))
    learned = replace(uniform, budgets="learned", alpha=1.0, alpha_bar=1.0, rank=2)
    paths = [train(name, config, Place(tmp_path / name, torch.device("cpu")), Silent()) for name, config in (("uniform", uniform), ("learned", learned))]
    one, other = (load(path) for path in paths)
    assert all(torch.equal(a, b) for a, b in zip(one.model.parameters(), other.model.classifier.parameters(), strict=True))
    assert one.header.metrics == other.header.metrics


def test_training_changes_the_generator(trained):
    config, path = trained
    if config.learned:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            start = build_model(config.model, config.model_config((1, 28, 28), 10)).half().float()
        assert not any(torch.equal(a, b) for a, b in zip(start.generator.parameters(), load(path).model.generator.parameters()))


def test_steps_count_the_batches():
    assert steps(TINY, None) == 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"volume": 2.0}, "volume = 2.0"),
        ({"classifier": "rts_cvae"}, "expected one of dm_small"),
        ({"widths": (1, 2, 3)}, "widths"),
        ({"growth": ((0.0, 0.0), (1.0, 0.5))}, "end at 1"),
        ({"crown_share": (2.0, 0.0)}, "crown_share"),
        ({"volume": 0.0}, "volume = 0.0: expected a number above 0"),
        ({"alpha": 1.5}, "alpha = 1.5"),
        ({"alpha_bar": 0.5}, "alpha_bar = 0.5"),
        ({"rank": 0}, "rank = 0"),
        ({"clip_norm": 0.0}, "clip_norm = 0.0"),
        ({"smoothed": True, "growth": ((0.0, 0.5), (1.0, 1.0))}, "smoothed growth"),
        ({"mean": (0.5,)}, "mean and std come together"),
        ({"alpha": 1.5, "rank": 0, "dataset": "nothing"}, r"alpha = 1.5(.|\n)*rank = 0(.|\n)*dataset"),
        ({"dataset": "nothing"}, "dataset"),
    ],
)
def test_impossible_configurations_are_refused_before_training(changes, words, tmp_path):
    with pytest.raises(ConfigurationError, match=words):
        train("tiny", replace(BudgetsConfig(), **changes), Place(tmp_path, torch.device("cpu")), Silent())
