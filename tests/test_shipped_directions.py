"""The shipped classifiers off and on the manifold, and their VAEs, are what their README, their headers and their results files say."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import describe, load
from explorer.data import load_dataset
from explorer.evaluation.spectra import class_eigenvalues
from explorer.measuring import file_digest
from explorer.papers import EXPERIMENTS, RESULTS, read_results
from explorer.papers.manifold_directions import open_directions
from explorer.papers.manifold_directions.accuracy import accuracy_columns, attacks, strength_for
from explorer.papers.manifold_directions.finding import training_differences
from explorer.papers.manifold_directions.measured import ACCURACIES_KIND, SPECTRA_KIND
from explorer.randomness import Streams

FOLDER = Path(__file__).parents[1] / "checkpoints" / "manifold_directions"
SHIPPED = sorted(FOLDER.glob("*.safetensors"))
RESULTS_HERE = read_results(RESULTS, (FOLDER,))
ACCURACIES = [table for table, _ in RESULTS_HERE.of(ACCURACIES_KIND)]
SPECTRA = {table.checkpoint: table for table, _ in RESULTS_HERE.of(SPECTRA_KIND)}
README = (FOLDER / "README.md").read_text(encoding="utf-8")
DIGITS = [path for path in SHIPPED if path.stem.startswith("lenet-digits")]
LARGE, COUNT = 10, 300  # a third of the thirty test digits of a class


def row(name: str) -> list[float]:
    (line,) = re.findall(rf"^\| `{name}` \|.*$", README, flags=re.M)
    return [float(number) for number in re.findall(r"([\d.]+) %", line)]


@pytest.mark.parametrize("table", ACCURACIES, ids=lambda table: table.checkpoint)
def test_the_readme_repeats_the_results(table):
    assert row(table.checkpoint) == pytest.approx([100 * value for value in table.accuracies if value is not None], abs=0.006)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_checkpoint_is_in_the_readme(path):
    assert f"| `{path.stem}` |" in README


@pytest.mark.parametrize("path", [path for path in SHIPPED if path.stem.startswith("robust")], ids=lambda path: path.stem)
def test_the_readme_repeats_the_header_of_those_on_a_learned_set(path):
    metrics = describe(path).metrics
    assert row(path.stem) == pytest.approx([100 * metrics[name] for name in ("clean", "perturbed", *(f"latent_{key}" for key in (25, 50, 75, 100)))], abs=0.006)


@pytest.mark.parametrize("table", [*ACCURACIES, *SPECTRA.values()], ids=lambda table: table.checkpoint)
def test_results_are_of_the_shipped_files(table):
    of_a_short_run = "cifar10" in table.checkpoint  # measured, not shipped
    assert of_a_short_run or table.digest == file_digest(FOLDER / f"{table.checkpoint}.safetensors")
    assert of_a_short_run or not table.vae or table.vae_digest == file_digest(FOLDER / f"{table.vae}.safetensors")
    assert not RESULTS_HERE.problems


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_weights_are_stored_in_half_precision_and_run_in_float32(path):
    assert all(torch.equal(each, each.half().float()) for each in load(path).model.parameters())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_was_trained_as_its_experiment_says_or_shorter(path):
    header = describe(path)
    assert header.name == path.stem
    now = json.loads(json.dumps(asdict(EXPERIMENTS[header.name].config)))
    different = {key for key, value in now.items() if header.training.get(key) != value}
    assert different <= ({"epochs", "standard_epochs", "steps"} if "mnist" in path.stem else set())
    if "sources" in now:
        assert all(each.split()[0] in different for each in training_differences(header.training, header.name))


@pytest.mark.parametrize("path", DIGITS, ids=lambda path: path.stem)
def test_accuracies_of_the_digits_are_measured_again(path):
    opened = open_directions(path)
    x, labels = opened.images.images, opened.images.labels
    quick = {name: each for name, each in attacks(strength_for("digits"), opened.vae.model).items() if name in ("FGSM", "VAE", "decoded")}
    found = accuracy_columns(opened.model, x, labels, quick, Streams(0, range(len(x))))
    (table,) = (table for table in ACCURACIES if table.checkpoint == path.stem)
    for name, column in found.items():
        assert column.mean().item() == pytest.approx(table.of(name)[0], abs=0.007)


def parts(images, labels) -> torch.Tensor:
    """The sums of the large and of the other eigenvalues, over all classes."""
    values = class_eigenvalues(images, labels, 10)
    return torch.stack([values[:, :LARGE].sum(), values[:, LARGE:].sum()])


def test_regular_attacks_raise_the_small_eigenvalues():
    opened = open_directions(FOLDER / "lenet-digits-pgd.safetensors")
    x, labels = opened.images.images[:COUNT], opened.images.labels[:COUNT]
    found = attacks(strength_for("digits"), None)["PGD"]
    found.options["steps"] = 5
    attacked = found.perturbed(opened.model, x, labels, Streams(0, range(COUNT)))
    large, small = (parts(attacked, labels) / parts(x, labels)).tolist()
    assert small > 1.2 and small > large + 0.2 and abs(large - 1) < 0.15


def test_latent_attacks_raise_the_large_eigenvalues_and_not_the_small_ones():
    opened = open_directions(FOLDER / "lenet-digits-vae.safetensors")
    x, labels = opened.images.images[:COUNT], opened.images.labels[:COUNT]
    chosen = attacks(strength_for("digits"), opened.vae.model)
    attacked, decoded = (chosen[name].perturbed(opened.model, x, labels, Streams(0, range(COUNT))) for name in ("VAE", "decoded"))
    large, small = (parts(attacked, labels) / parts(x, labels)).tolist()
    beside = (parts(attacked, labels) - parts(decoded, labels)).tolist()
    assert large > 1.0 and small < 1.0 and beside[0] > beside[1]


@pytest.mark.parametrize("stem", sorted({name.rsplit("-", 1)[0] for name in SPECTRA}))
def test_the_shipped_spectra_say_the_same(stem):
    regular, latent = (SPECTRA.get(f"{stem}-{attack}") for attack in ("pgd", "vae"))
    assert regular and latent, "both classifiers' spectra are shipped"
    assert regular.energy_beyond() > latent.energy_beyond() + 0.2
    assert sum(small for _, small in regular.ratios()) > sum(large for large, _ in regular.ratios())
    assert sum(large for large, _ in latent.ratios()) > sum(small for _, small in latent.ratios())


def test_the_digits_are_still_those_they_were_trained_on():
    for path in SHIPPED:
        if (name := describe(path).dataset["name"]).endswith("digits"):
            assert describe(path).dataset["train_fingerprint"] == load_dataset(name, "train").fingerprint(), path.stem


def test_they_fit_into_two_and_a_half_megabytes():
    assert sum(path.stat().st_size for path in SHIPPED) <= 2_500_000
