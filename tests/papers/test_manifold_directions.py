"""Trainings of *Manifold directions*: each experiment goes through one epoch of tiny data, from published files to a checkpoint that opens."""

import json
from dataclasses import replace

import pytest
import torch

from explorer.checkpoints import load
from explorer.data import load_dataset
from explorer.errors import Cancelled, CheckpointError, CheckpointMismatch, ConfigurationError, InvalidInput
from explorer.models import build_model
from explorer.papers import EXPERIMENTS
from explorer.papers.base import Place
from explorer.papers.manifold_directions import ClassifierConfig, ClassVaeConfig, open_directions, problems, steps
from explorer.papers.manifold_directions.defences import defence
from explorer.papers.manifold_directions.vae_config import problems as vae_problems
from explorer.papers.trained import trained_path
from explorer.train import main
from explorer.training import PiecewiseLinear, State, class_cvae_loss
from explorer.types import Silent
from tests.published_files import write_published
from tests.stopping import StopAfterResults
from tests.few import few

NAMES = [name for name, experiment in EXPERIMENTS.items() if isinstance(experiment.config, ClassifierConfig)]
VAES = [name for name, experiment in EXPERIMENTS.items() if isinstance(experiment.config, ClassVaeConfig)]
QUICK = ("lenet-mnist-standard", "lenet-mnist-joint", "lenet-digits-l1-linf", "resnet32-cifar10-joint", "robust-digits-rts-adversarial", "robust-cifar10c-adversarial", "robust-scenes-smoothed-50")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_published(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def vaes(root, tmp_path_factory):
    """A class-conditional VAE of each data set after one epoch, by its experiment's name."""
    folder = tmp_path_factory.mktemp("vaes")
    small = {"hidden_units": 4, "latent_dim": 3, "epochs": 1, "passes": 1, "limit": 40}
    made = {name: replace(EXPERIMENTS[name].config, **small, widths=(2, 2, 2, 2) if "cifar10" in name else None) for name in VAES}
    return {name: EXPERIMENTS[name].train(name, config, Place(folder / name, CPU, root), Silent()) for name, config in made.items()}


def narrow(name, vaes):
    config = EXPERIMENTS[name].config
    residual = config.classifier != "lenet5"
    widths, depths = ((2, 2, 2), (1, 1, 1)) if residual else ((2, 3), None)
    changed = replace(config, widths=widths, depths=depths, epochs=1, standard_epochs=0, passes=1, batch_size=20, limit=20 if config.learned_set else 40, steps=2, latent_steps=min(config.latent_steps, 2))
    changed = replace(changed, hidden_units=None if residual else (8,))
    if config.learned_set == "cifar10c-centred":  # is not shipped; a set of images of the same size
        changed = replace(changed, learned_set="scenes-corruptions")
    return replace(changed, vae=str(vaes[config.vae])) if config.vae else changed


@pytest.mark.parametrize("name", NAMES)
def test_an_experiments_own_configuration_is_possible(name):
    assert not problems(EXPERIMENTS[name].config)


@pytest.mark.parametrize("name", VAES)
def test_a_vaes_own_configuration_is_possible(name):
    assert not vae_problems(EXPERIMENTS[name].config)


def test_the_settings_are_the_papers():
    mnist, cifar10 = EXPERIMENTS["lenet-mnist-pgd"].config, EXPERIMENTS["resnet32-cifar10-pgd"].config
    assert (mnist.radius, mnist.steps, mnist.epochs, mnist.standard_epochs, mnist.batch_size, mnist.weight_decay, mnist.latent_radius) == (0.25, 40, 30, 10, 128, 5e-4, 1)
    assert (cifar10.radius, cifar10.steps, cifar10.epochs, cifar10.standard_epochs, cifar10.latent_radius) == (4 / 255, 10, 200, 100, 0.1)
    vae = EXPERIMENTS["class-cvae-mnist"].config
    assert (vae.hidden_units, vae.latent_dim, vae.epochs, vae.batch_size, vae.learning_rate[0][1]) == (256, 10, 20, 64, 1e-3)


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES if name not in QUICK)])
def test_an_experiment_trains_measures_and_saves(name, root, vaes, tmp_path):
    config = narrow(name, vaes)
    path = EXPERIMENTS[name].train(name, config, Place(tmp_path, CPU, root), Silent())
    opened = load(path)
    assert opened.header.kind == "classifier" and opened.header.model == config.classifier and opened.header.radius == config.trained_radius
    assert all(0 <= value <= 1 for key, value in opened.header.metrics.items() if key not in ("epoch", "loss", "validation"))
    assert {"clean", "validation_clean"} <= opened.header.metrics.keys()
    assert ("vae_digest" in opened.header.dataset) == ("manifold" in config.sources)
    data = load_dataset(config.dataset, "test", root, limit=2)
    assert opened.model(data.images).shape == (2, len(data.class_names))


@pytest.mark.parametrize("name", VAES)
def test_a_vae_says_how_well_it_reconstructs(name, vaes):
    opened = load(vaes[name])
    assert opened.header.kind == "class_cvae" and {"reconstruction_nats", "kl_nats", "squared_error_per_pixel"} <= opened.header.metrics.keys()


@pytest.mark.parametrize("name", ["lenet-digits-joint", pytest.param("robust-digits-rts-adversarial", marks=pytest.mark.slow)])
def test_a_stopped_training_goes_on_bit_for_bit(name, vaes, tmp_path):
    config = replace(narrow(name, vaes), epochs=2, standard_epochs=1)
    train = EXPERIMENTS[name].train
    whole = train("tiny", config, Place(tmp_path / "whole", CPU), Silent())
    with pytest.raises(Cancelled):
        train("tiny", config, Place(tmp_path / "stopped", CPU), StopAfterResults())
    again = train("tiny", config, Place(tmp_path / "stopped", CPU, resume=True), Silent())
    assert again.read_bytes()[-4000:] == whole.read_bytes()[-4000:]


def test_a_training_does_not_go_on_with_another_vae(vaes, tmp_path):
    path = tmp_path / "vae.safetensors"
    path.write_bytes(vaes["class-cvae-digits"].read_bytes())
    config, train, place = replace(narrow("lenet-digits-vae", vaes), vae=str(path)), EXPERIMENTS["lenet-digits-vae"].train, Place(tmp_path / "out", CPU, resume=True)
    train("tiny", config, place, Silent())
    path.write_bytes(vaes["class-cvae-mnist"].read_bytes())
    with pytest.raises(CheckpointMismatch, match="vae_digest"):
        train("tiny", config, place, Silent())


def test_a_missing_vae_is_an_error_that_names_the_command_before_anything_is_written(tmp_path):
    config = replace(EXPERIMENTS["lenet-digits-vae"].config, vae="class-cvae-other", limit=40)
    with pytest.raises(CheckpointError, match=r"python -m explorer\.train class-cvae-other"):
        EXPERIMENTS["lenet-digits-vae"].train("tiny", config, Place(tmp_path / "out", CPU), Silent())
    assert not (tmp_path / "out").exists()


def test_a_vae_of_other_images_is_refused(vaes, tmp_path):
    config = replace(EXPERIMENTS["lenet-digits-vae"].config, vae=str(vaes["class-cvae-cifar10"]), limit=40)
    with pytest.raises(InvalidInput, match="takes images of shape"):
        EXPERIMENTS["lenet-digits-vae"].train("tiny", config, Place(tmp_path, CPU), Silent())


def test_a_classifier_opens_with_the_vae_of_its_training(vaes, tmp_path):
    name = "lenet-digits-vae"
    path = EXPERIMENTS[name].train(name, narrow(name, vaes), Place(tmp_path, CPU), Silent())
    opened = open_directions(path)
    assert opened.vae.name == "class-cvae-digits" and opened.note is None
    assert opened.manifold(1.0).at(opened.images.images[:2], opened.images.labels[:2]).region.shape == (3,)


def test_a_classifier_opens_without_a_vae_where_none_is_at_hand(tmp_path, monkeypatch):
    monkeypatch.setattr("explorer.papers.trained.SHIPPED", tmp_path)
    name = "lenet-digits-standard"
    path = EXPERIMENTS[name].train(name, narrow(name, {"class-cvae-digits": "class-cvae-digits"}), Place(tmp_path, CPU), Silent())
    opened = open_directions(path)
    assert opened.vae is None and "explorer.train" in opened.missing
    with pytest.raises(InvalidInput, match=r"explorer\.train"):
        opened.manifold(1.0)


def test_a_path_to_nothing_is_an_error():
    with pytest.raises(CheckpointError, match="no such file"):
        trained_path("nowhere/class-cvae.safetensors")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sources": ("linf", "l3")}, "sources = linf,l3: expected one or more of clean"),
        ({"sources": ()}, "expected one or more"),
        ({"sources": ("linf", "linf")}, "each once"),
        ({"sources": ("manifold",), "vae": None}, "needs a class-conditional VAE"),
        ({"sources": ("manifold",), "latent_radius": None}, "latent_radius"),
        ({"sources": ("samples",)}, "samples needs a learned set"),
        ({"radius": 2.0}, "radius = 2.0"),
        ({"step_size": 0.0}, "step_size"),
        ({"classifier": "lenet6"}, "classifier = 'lenet6'"),
        ({"dataset": "mnits"}, "dataset = 'mnits'"),
        ({"learning_rate": ((1.0, 1.0), (0.0, 1.0))}, "learning_rate"),
        ({"limit": 0}, "limit = 0"),
    ],
    ids=str,
)
def test_impossible_configurations_say_what_was_expected(changes, words):
    assert any(words in problem for problem in problems(replace(EXPERIMENTS["lenet-mnist-pgd"].config, **changes)))


def test_all_problems_are_reported_at_once(tmp_path):
    config = replace(EXPERIMENTS["lenet-digits-pgd"].config, radius=2.0, steps=0, classifier="lenet6")
    with pytest.raises(ConfigurationError) as error:
        EXPERIMENTS["lenet-digits-pgd"].train("tiny", config, Place(tmp_path, CPU), Silent())
    assert len(error.value.problems) == 3


def test_a_dry_run_prints_the_configuration(capsys):
    assert main(["lenet-mnist-l1-linf", "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["sources"] == ["l1", "linf"]


def test_steps_count_the_batches():
    assert steps(replace(EXPERIMENTS["lenet-digits-pgd"].config, limit=40, passes=1, batch_size=20, epochs=3), None) == 6


@pytest.mark.parametrize(("model", "shape"), [("class_mlp_cvae", (1, 28, 28)), ("class_cnn_cvae", (3, 32, 32))])
def test_one_step_of_the_papers_vae_reaches_every_weight(model, shape):
    torch.manual_seed(0)
    vae = build_model(model, {})
    class_cvae_loss("bernoulli")(vae, (torch.rand(2, *shape), torch.tensor([3, 7])), State(0.0, {"beta": 1.0}, torch.Generator())).mean().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() and each.grad.abs().sum() > 0 for each in vae.parameters())


@pytest.mark.parametrize("how", ["joint", pytest.param("l1-linf", marks=pytest.mark.slow)])
def test_one_step_of_the_papers_resnet_reaches_every_weight_and_its_attack_no_running_mean(how, vaes):
    config = replace(EXPERIMENTS[f"resnet32-cifar10-{how}"].config, vae=str(vaes["class-cvae-cifar10"]), standard_epochs=0, steps=1)
    torch.manual_seed(0)
    model = build_model("resnet32", config.model_config((3, 32, 32), 10)).train()
    images = torch.rand(3, 3, 32, 32)
    loss = defence(config, (3, 32, 32), 10, CPU).loss(model, (images, torch.tensor([3, 7, 1])), State(0.0, {}, torch.Generator()))
    assert model.training and model.features[1].num_batches_tracked == len(config.sources)
    loss.mean().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in model.parameters())
    assert sum(float(each.grad.abs().sum() > 0) for each in model.parameters()) == len(list(model.parameters()))


@pytest.mark.parametrize("name", few(1, ["lenet-mnist-l1", "lenet-mnist-joint"]))
def test_a_small_batch_is_learned_by_heart_under_its_attacks(name, vaes):
    config = replace(narrow(name, vaes), widths=(6, 12), hidden_units=(32,), radius=0.1, radius_l1=3.0, steps=1, latent_radius=0.5)
    images = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0)).round()
    labels = torch.arange(6) % 3
    torch.manual_seed(0)
    model = build_model("lenet5", config.model_config((1, 28, 28), 10))
    loss_of, optimiser, state = defence(config, (1, 28, 28), 10, CPU).loss, torch.optim.Adam(model.parameters(), lr=1e-2), State(0.0, {}, torch.Generator())
    for _ in range(80):
        loss = loss_of(model, (images, labels), state).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.8  # from log 10 = 2.3; a VAE of 3 latents and one epoch shows some images alike


def test_a_constant_learning_rate_is_the_papers():
    assert PiecewiseLinear(EXPERIMENTS["resnet32-cifar10-standard"].config.learning_rate)(150.0) == 1e-3
