"""What is measured of classifiers off and on the manifold, and the tables and figures that are read from it."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from explorer.errors import Cancelled, ConfigurationError, InvalidInput
from explorer.evaluate import main
from explorer.evaluation.spectra import class_eigenvalues
from explorer.measuring import plain
from explorer.papers import PAPERS, RESULTS, Results, read_results, save_result, status
from explorer.papers.manifold_directions import open_directions
from explorer.papers.manifold_directions.accuracy import HEADINGS, PAPER_STRENGTH, attacks, strength_for
from explorer.papers.manifold_directions.evaluation import accuracy_table, spectra_table
from explorer.papers.manifold_directions.experiments import EXPERIMENTS
from explorer.papers.manifold_directions.finding import differences, own_path
from explorer.papers.manifold_directions.measured import (
    ACCURACIES_KIND,
    SPECTRA_KIND,
    AccuracySettings,
    AccuracyTable,
    SpectraSettings,
    SpectraTable,
)
from explorer.papers.manifold_directions.published import TABLE_1, TABLE_2
from explorer.papers.manifold_directions.report import report
from explorer.papers.manifold_directions.tables import spectra, table_1, table_2
from explorer.papers.manifold_directions.theory import figure_1
from explorer.papers.report import find_item
from explorer.randomness import Streams
from explorer.types import Silent
from tests.tiny_directions import write

QUICK = AccuracySettings(steps=2, limit=40, batch_size=25)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def opened(files):
    return open_directions(files[0])


def last(found):
    *_, table = found
    return table


@pytest.fixture(scope="module")
def accuracies(opened, tmp_path_factory):
    return last(accuracy_table(opened, "d", QUICK, tmp_path_factory.mktemp("work"), Silent()))


@pytest.fixture(scope="module", params=["pgd", "vae"])
def measured_spectra(request, opened, tmp_path_factory):
    settings = SpectraSettings(steps=2, attack=request.param, limit=80, batch_size=50, resamples=20)
    return last(spectra_table(opened, "d", settings, tmp_path_factory.mktemp("work"), Silent()))


def measured(name: str, **changes) -> AccuracyTable:
    """A table of that experiment as if it had been measured at the paper's settings."""
    config = EXPERIMENTS[name].config
    made = AccuracyTable(
        checkpoint=name, images=10_000, available=10_000, settings=plain(AccuracySettings()), strength=asdict(strength_for(config.dataset)), training=plain(config),
        dataset=config.dataset, digest=name, vae=f"class-cvae-{config.dataset}", accuracies=(0.9, 0.8, 0.7, 0.6, 0.5, 0.85), standard_errors=(0.01,) * 6,
    )  # fmt: skip
    return replace(made, **changes)


def drawn(name: str, attack: str, small: float) -> SpectraTable:
    """Spectra of two classes and forty directions."""
    table, clean = measured(name), tuple(float(40 - place) for place in range(40))
    shared = {key: value for key, value in vars(table).items() if key not in ("accuracies", "standard_errors", "settings")}
    return SpectraTable(
        **shared, settings=plain(SpectraSettings()), attack=attack, classes=("0", "1"), clean=(clean, clean), attacked=((*clean[:30], *(small * value for value in clean[30:])),) * 2,
        decoded=(), share=(0.01,) * 30 + (0.07,) * 10, lower=(0.0,) * 40, upper=(0.1,) * 40, confidence=0.95, mean_norm=1.0,
    )  # fmt: skip


def results(*tables) -> Results:
    return Results(tuple((SPECTRA_KIND if isinstance(table, SpectraTable) else ACCURACIES_KIND, table, Path(f"{table.checkpoint}.json")) for table in tables))


def test_accuracies_are_shares_of_the_images_that_are_right(opened, accuracies):
    x, labels = opened.images.images[:40], opened.images.labels[:40]
    assert accuracies.of("clean")[0] == pytest.approx((opened.model(x).argmax(1) == labels).double().mean().item())
    decoded = opened.vae.model.decode(opened.vae.model.encode(x, labels).mean, labels)
    assert accuracies.of("decoded")[0] == pytest.approx((opened.model(decoded).argmax(1) == labels).double().mean().item())
    assert accuracies.images == 40 and accuracies.available == 300


def test_accuracies_do_not_depend_on_the_batches(opened, accuracies, tmp_path):
    again = last(accuracy_table(opened, "d", replace(QUICK, batch_size=40), tmp_path, Silent()))
    assert again.accuracies == accuracies.accuracies


def test_a_stopped_measurement_goes_on(opened, accuracies, tmp_path):
    class Stop(Silent):
        cancelled = False

    progress = Stop()
    for _ in (found := accuracy_table(opened, "d", QUICK, tmp_path, progress)):
        progress.cancelled = True
        break
    found.close()
    with pytest.raises(Cancelled):
        last(accuracy_table(opened, "d", QUICK, tmp_path, progress))
    assert last(accuracy_table(opened, "d", QUICK, tmp_path, Silent())).accuracies == accuracies.accuracies


def test_without_a_vae_its_attack_is_left_empty_and_its_spectra_are_refused(opened, tmp_path):
    bare = replace(opened, vae=None, missing="train class-cvae-digits first")
    found = last(accuracy_table(bare, "d", replace(QUICK, limit=10), tmp_path, Silent()))
    assert found.of("VAE") == found.of("decoded") == (None, None) and found.of("PGD")[0] is not None
    with pytest.raises(InvalidInput, match="class-cvae-digits first"):
        last(spectra_table(bare, "d", SpectraSettings(attack="vae"), tmp_path, Silent()))


def test_the_attacks_have_the_papers_strength():
    assert (strength_for("mnist").radius, strength_for("mnist").steps, strength_for("mnist").latent_radius) == (0.2, 40, 1.0)
    assert (strength_for("cifar10").radius, strength_for("cifar10").steps, strength_for("cifar10").latent_radius) == (4 / 255, 10, 0.1)


def test_fgsm_is_the_sign_of_the_gradient_at_the_image(opened):
    x, labels = opened.images.images[:5], opened.images.labels[:5]
    point = x.clone().requires_grad_()
    torch.nn.functional.cross_entropy(opened.model(point), labels, reduction="sum").backward()
    expected = (x + 0.1 * point.grad.sign()).clamp(0, 1)
    chosen = attacks(replace(PAPER_STRENGTH["mnist"], radius=0.1), None)["FGSM"]
    found = chosen.perturbed(opened.model, x, labels, Streams(0, range(5)))
    moved = (found != x).flatten(1).any(1)  # where the step lowers the loss, the image itself is the worst point found
    assert moved.any() and torch.allclose(found[moved], expected[moved], atol=1e-6)


def test_spectra_are_those_of_the_attacked_images(opened, measured_spectra):
    x, labels = opened.images.images[:80], opened.images.labels[:80]
    streams, table = Streams(0, range(80)), measured_spectra
    chosen = attacks(SpectraSettings(steps=2).strength("digits"), opened.vae.model)[table.attack.upper()]
    found = chosen.perturbed(opened.model, x, labels, streams)
    for rows, images in ((table.clean, x), (table.attacked, found)):
        torch.testing.assert_close(torch.tensor(rows, dtype=torch.float64), class_eigenvalues(images, labels, 10), rtol=1e-4, atol=1e-6)
    assert sum(table.share) == pytest.approx(1, abs=1e-3) and len(table.decoded) == (10 if table.attack == "vae" else 0)


def test_the_energy_is_counted_in_each_classs_own_directions(measured_spectra):
    rank = 80 // 10  # no class has more images than a few, so that most directions hold no variance of the data
    assert 0 <= measured_spectra.energy_beyond(rank) <= 1 and all(low <= high for low, high in zip(measured_spectra.lower, measured_spectra.upper))


def test_few_images_have_fewer_large_eigenvalues(measured_spectra):
    assert measured_spectra.large == 2 and drawn("lenet-mnist-pgd", "pgd", 2.0).large == 30


def test_ratios_compare_the_large_and_the_small_parts():
    assert drawn("lenet-mnist-pgd", "pgd", 2.0).ratios() == ((1.0, 2.0), (1.0, 2.0)) and drawn("lenet-mnist-pgd", "pgd", 2.0).energy_beyond() == pytest.approx(0.7)


def test_a_class_without_two_images_has_no_covariance(opened, tmp_path):
    with pytest.raises(InvalidInput, match="two images of every class"):
        last(spectra_table(opened, "d", SpectraSettings(limit=10), tmp_path, Silent()))


@pytest.mark.parametrize("changes", [{"steps": 0}, {"radius": 2.0}, {"limit": 0}, {"restarts": 0}, {"seed": -1}], ids=str)
def test_impossible_settings_are_refused_before_the_work(opened, tmp_path, changes):
    with pytest.raises(ConfigurationError):
        next(accuracy_table(opened, "d", replace(QUICK, **changes), tmp_path, Silent()))
    assert not list(tmp_path.iterdir())


def test_tables_are_read_as_they_were_written(accuracies, measured_spectra, tmp_path):
    for kind, table in ((ACCURACIES_KIND, accuracies), (SPECTRA_KIND, measured_spectra)):
        save_result(kind, table, tmp_path / "a.json")
        read = read_results(RESULTS, (tmp_path,))
        assert read.of(kind)[0][0] == table and not read.problems


@pytest.mark.parametrize("changes", [{"accuracies": (1.5,) * 6}, {"images": 0}, {"strength": {"radius": 0.2}}], ids=str)
def test_a_table_that_contradicts_itself_is_refused(changes):
    with pytest.raises(ConfigurationError):
        measured("lenet-mnist-pgd", **changes)


def test_every_line_of_the_paper_is_an_experiment():
    assert {*TABLE_1, *TABLE_2} <= EXPERIMENTS.keys() and len(TABLE_1) == 8 and len(TABLE_2) == 10


def test_table_1_is_done_with_every_row_at_the_papers_settings():
    item = find_item(PAPERS["manifold_directions"], "table", 1)
    assert status(item, results(*map(measured, TABLE_1)))[0] == "done"
    state, how = status(item, results(measured("lenet-mnist-pgd")))
    assert state == "short run" and "1 of 8 rows" in how


def test_the_papers_numbers_stand_beside_ours():
    row = next(row for row in table_1(results(measured("lenet-mnist-vae"))).rows if row.measured)
    assert row.paper == (98.28, 27.94, 1.23, 96.66, None) and row.measured == pytest.approx((90, 80, 70, 60, 85)) and not row.differences
    other = next(row for row in table_2(results(measured("lenet-mnist-pgd"))).rows if row.measured)
    assert other.paper == (12.13, 95.51, 52.18, None) and other.measured == pytest.approx((50, 70, 60, 90))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": 500}, "first 500 of 10000"),
        ({"training": {}}, "training unknown"),
        ({"training": plain(replace(EXPERIMENTS["lenet-mnist-pgd"].config, epochs=3, steps=7))}, "epochs 3 (paper 30)"),
        ({"strength": asdict(replace(PAPER_STRENGTH["mnist"], steps=10))}, "attack's steps 10 (paper 40)"),
        ({"dataset": "digits"}, "measured on digits"),
        ({"vae": "mine"}, "manifold of mine"),
    ],
    ids=str,
)
def test_every_difference_from_the_paper_is_named(changes, words):
    assert any(words in each for each in differences(measured("lenet-mnist-pgd", **changes), "lenet-mnist-pgd"))


def test_fields_that_say_nothing_about_a_training_are_no_difference():
    training = {**plain(EXPERIMENTS["lenet-mnist-standard"].config), "steps": 7, "vae": None, "standard_epochs": 1.0}
    assert differences(measured("lenet-mnist-standard", training=training), "lenet-mnist-standard") == ()


def test_digits_are_lines_of_their_own():
    rows = table_1(results(measured("lenet-digits-vae"))).rows
    assert rows[-1].own and rows[-1].label == "lenet-digits-vae" and "the paper has no such model" in rows[-1].differences


def test_figures_2_and_3_compare_both_attacks_class_by_class():
    both = results(drawn("lenet-mnist-pgd", "pgd", 3.0), drawn("lenet-mnist-vae", "vae", 1.0))
    filled = spectra(both)
    assert [row.label for row in filled.rows] == ["lenet-mnist, class 0", "lenet-mnist, class 1", "lenet-mnist, mean of all classes"]
    assert filled.rows[0].measured == pytest.approx((1, 3, 1, 1), nan_ok=True) or filled.rows[0].measured[:4] == pytest.approx((1, 3, 1, 1))
    assert filled.rows[-1].measured[4:] == pytest.approx((0.7, 0.7))
    assert status(find_item(PAPERS["manifold_directions"], "figure", 3), both)[0] == "done"


def test_one_attack_alone_is_a_short_run():
    state, how = status(find_item(PAPERS["manifold_directions"], "figure", 2), results(drawn("lenet-mnist-pgd", "pgd", 3.0)))
    assert state == "short run" and "vae not measured (python -m explorer.train lenet-mnist-vae" in how


def test_figure_1_says_what_the_paper_draws():
    regular, generative = figure_1().rows
    assert regular.measured[1] > 0.9 and regular.measured[3] > regular.measured[2]  # into the small variance
    assert generative.measured[0] > 0.9 and generative.measured[2] == pytest.approx(generative.measured[3])  # along the ellipse


@pytest.mark.parametrize("form", ["text", "json", "csv", "latex"])
def test_every_form_of_a_report_holds_the_numbers(form):
    assert "70" in report(measured("lenet-mnist-pgd"), form) and "95.51" in report(measured("lenet-mnist-pgd"), form)
    assert "0.7" in report(drawn("lenet-mnist-pgd", "pgd", 3.0), form)


def test_a_part_of_the_images_never_replaces_them_all(accuracies):
    assert own_path(ACCURACIES_KIND, measured("lenet-mnist-pgd")).name == "lenet-mnist-pgd-accuracies.json"
    assert own_path(ACCURACIES_KIND, accuracies).name != "lenet-digits-pgd-accuracies.json"


def test_the_command_measures_prints_and_keeps(files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([str(files[0]), "--limit", "20", "--steps", "1", "--format", "json", "--work", str(tmp_path / "work")]) == 0
    assert main([str(files[0]), "--spectra", "--vae", str(files[1]), "--limit", "80", "--steps", "1", "--work", str(tmp_path / "work")]) == 0
    found = read_results(RESULTS, (tmp_path / "runs" / "results",)) if (tmp_path / "runs").exists() else read_results(RESULTS)
    assert found.of(ACCURACIES_KIND)[0][0].images == 20 and found.of(SPECTRA_KIND)[0][0].attack == "pgd"
    assert "mean of all classes" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "message"), [(["--volume", "0.1"], "--volume does not go with"), (["--vae", "nothing"], "explorer.train nothing"), (["--latent-radius", "-1"], "latent_radius")])
def test_a_command_that_cannot_be_is_one_message(files, capsys, words, message):
    assert main([str(files[0]), *words]) == 1
    assert message in capsys.readouterr().err


def test_headings_name_what_is_measured():
    assert HEADINGS == ("clean", "FGSM", "PGD", "VAE", "ℓ1", "decoded")
