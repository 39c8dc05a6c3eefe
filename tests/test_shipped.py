"""The shipped checkpoints are what their README and their headers say."""

import re
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import describe, load
from explorer.data import load_dataset
from explorer.evaluation import encode_pairs, set_quality
from explorer.measuring import file_digest
from explorer.papers import RESULTS, read_results
from explorer.papers.learned_sets import evaluated, open_learned_set
from explorer.papers.learned_sets.tables import KIND

FOLDER = Path(__file__).parents[1] / "checkpoints" / "learned_sets"
LARGEST_SHARE = {"rts": 0.4, "linf": 0.9, "lights": 0.45, "corruptions": 0.4}  # of the clean image's error; noise on each pixel is hardly predictable
SHIPPED = sorted(FOLDER.glob("*.safetensors"))
TOO_LARGE = ("mnist-rts",)  # measured, not shipped
SHORT_RUNS = ("cifar10c-centred-compact",)  # the same
PAIRINGS = ("scenes-corruptions", "scenes-corruptions-original", "scenes-corruptions-perturbed")  # the first measured on part of its pairs, the others not shipped
README = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_readme_repeats_the_header(path):
    header = describe(path)
    (row,) = re.findall(rf"^\| `{path.stem}` \|.*$", README, flags=re.M)
    shown = [float(number) for number in re.findall(r"\d+\.\d+", row)]
    metrics, radii = header.metrics, header.percentile_radii
    expected = [header.radius, *(radii[key] for key in ("25", "50", "75"))]
    expected += [metrics[key] for key in ("squared_error_per_pixel", "cross_entropy_per_pixel", "kl_nats")]
    assert shown == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_weights_are_stored_in_half_precision_and_run_in_float32(path):
    model = load(path).model
    assert all(torch.equal(p, p.half().float()) for p in model.parameters())


def test_the_digits_are_still_those_it_was_trained_on():
    header = describe(FOLDER / "digits-rts.safetensors")
    assert header.dataset["train_fingerprint"] == load_dataset("digits", "train").fingerprint()


def test_radius_and_metrics_of_digits_are_measured_again():
    learned = open_learned_set(FOLDER / "digits-rts.safetensors")
    header, model = learned.checkpoint.header, learned.checkpoint.model
    validation = evaluated(learned.of_split("validation"))
    assert encode_pairs(model, *validation).norms.max().item() == pytest.approx(header.radius, rel=1e-3)
    quality = set_quality(model, *evaluated(learned.pairs), seed=0)
    assert quality.kl_nats == pytest.approx(header.metrics["kl_nats"], rel=1e-3)
    assert quality.squared_error_per_pixel == pytest.approx(header.metrics["squared_error_per_pixel"], rel=1e-3)


@pytest.mark.slow
def test_radius_and_metrics_of_mnist_are_measured_again(real_data):
    learned = open_learned_set(FOLDER / "mnist-rts-compact.safetensors", root=real_data)
    header, model = learned.checkpoint.header, learned.checkpoint.model
    validation = evaluated(learned.of_split("validation"))
    assert encode_pairs(model, *validation).norms.max().item() == pytest.approx(header.radius, rel=1e-3)
    quality = set_quality(model, *evaluated(learned.pairs), seed=0)
    assert quality.kl_nats == pytest.approx(header.metrics["kl_nats"], rel=1e-3)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_reconstruction_is_closer_to_the_real_pair_than_the_clean_image(path):
    learned = open_learned_set(path)
    clean, perturbed = learned.pairs.fixed(range(64)).both
    model = learned.checkpoint.model
    decoded = model.decode(clean, model.encode(clean, perturbed).mean)
    errors = [(image - perturbed).square().flatten(1).sum(1).mean() for image in (decoded, clean)]
    assert errors[0] < LARGEST_SHARE[learned.checkpoint.header.dataset["pairs"]] * errors[1]


def test_every_results_file_is_of_the_checkpoint_beside_it():
    tables = read_results(RESULTS, (FOLDER,))
    assert not tables.problems and len(tables.tables) >= len(SHIPPED)
    for table, path in tables.of(KIND):
        shipped = FOLDER / f"{table.checkpoint}.safetensors"
        assert table.digest == file_digest(shipped) if shipped.is_file() else table.checkpoint in (*TOO_LARGE, *SHORT_RUNS, *PAIRINGS), path.name
        assert table.pairs == (600 if table.dataset in ("cifar10", "scenes", "lit_scenes") else table.available)


def test_centred_pairs_are_best_by_every_measure_as_the_readme_says():
    found = {table.checkpoint: table for table, _ in read_results(RESULTS, (FOLDER,)).of(KIND) if table.checkpoint in PAIRINGS}
    assert found.keys() == set(PAIRINGS)
    for name, table in found.items():
        (row,) = re.findall(rf"^\| here, `{name}` \|.*$", README, flags=re.M)
        assert [float(cell) for cell in row.strip("| ").split("|")[1:]] == pytest.approx([table.radius, *table.means], abs=6e-3)
        assert name == PAIRINGS[0] or all(better < worse for better, worse in zip(found[PAIRINGS[0]].means, table.means, strict=True))


def test_the_readme_repeats_what_was_measured_of_sets_too_large_to_ship():
    for name in (*TOO_LARGE, *SHORT_RUNS):
        (table,) = [table for table, _ in read_results(RESULTS, (FOLDER,)).of(KIND) if table.checkpoint == name]
        (row,) = re.findall(rf"^\| (?:here, )?`{name}` \|.*$", README, flags=re.M)
        assert [float(cell) for cell in row.strip("| ").split("|")[1:]] == pytest.approx([table.radius, *table.means], abs=6e-3)
