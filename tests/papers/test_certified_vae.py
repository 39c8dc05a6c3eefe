"""proVAE: training on the bound, what is measured of it, and that no attack finds less than is certified."""

import io
import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from explorer.bounds.elbo import elbo_lower_bound
from explorer.checkpoints import Header, describe, load, save
from explorer.errors import Cancelled, ConfigurationError, InvalidInput
from explorer.evaluate import main as evaluate
from explorer.models import elbo
from explorer.papers import EXPERIMENTS, PAPERS, RESULTS, Results, read_results, save_result, status
from explorer.papers.base import Place
from explorer.papers.certified_vae import Settings, attack_elbo, attacked, box_perturbations, certificate, explore, open_certified_vae, posterior_noise, prior_samples
from explorer.papers.certified_vae.evaluation import ATTACK_KIND, ELBO_KIND, AttackSettings, AttackTable, ElboSettings, ElboTable, attack_table, elbo_table
from explorer.papers.certified_vae.pictures import attacked_images, contact_sheet, figure_1, figure_2, figure_4
from explorer.papers.certified_vae.tables import differences, own_path
from explorer.papers.certified_vae.training import bound_loss
from explorer.papers.report import find_item
from explorer.randomness import Streams
from explorer.train import configure, main
from explorer.training import Samples, State
from explorer.types import Silent
from tests.tiny_vae import batch, tiny_vae
from tests.few import few

CPU = torch.device("cpu")
SMALL = {"limit": "40", "batch_size": "16", "latent_dim": "3", "widths": "4,6", "hidden_units": "8", "passes": "1"}
OPTIONS = [word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", value)]
SHIPPED = sorted((Path(__file__).parents[2] / "checkpoints" / "certified_vae").glob("*.safetensors"))
TABLE_1, FIGURE_3 = find_item(PAPERS["certified_vae"], "table", 1), find_item(PAPERS["certified_vae"], "figure", 3)


def small_config(**changes):
    return configure(EXPERIMENTS["provae-digits-0.05"], SMALL | changes)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    assert main(["provae-digits-0.05", *OPTIONS, "--epochs", "2", "--output", str(folder)]) == 0
    return folder / "provae-digits-0.05.safetensors"


@pytest.fixture(scope="module")
def opened(checkpoint):
    return open_certified_vae(checkpoint)


@pytest.mark.parametrize(("dataset", "radii"), [("mnist", (0, 0.01, 0.02, 0.05, 0.1)), ("cifar10", (0, 0.01, 0.02, 0.05, 0.1))])
def test_the_papers_models_are_experiments_with_the_papers_settings(dataset, radii):
    for radius in radii:
        config = EXPERIMENTS[f"provae-{dataset}-{radius:g}"].config
        assert (config.dataset, config.radius, config.clip, config.latent_dim, config.widths, config.hidden_units) == (dataset, radius, False, 50, (32, 64), None)
        assert config.sigma0**2 == pytest.approx(0.5)


def test_a_compact_variant_differs_from_the_paper_in_size_and_time_alone():
    own, paper = (asdict(EXPERIMENTS[f"provae-mnist-0.05{ending}"].config) for ending in ("-compact", ""))
    assert {name for name in own if own[name] != paper[name]} <= {"widths", "hidden_units", "epochs", "learning_rate", "ramp"}


def test_the_loss_is_minus_the_bound_and_at_radius_0_minus_the_elbo():
    model, (x, _) = tiny_vae(), batch()
    for radius in (0.0, 0.1):
        loss = bound_loss(0.7, False)(model, (x,), State(0.0, {"radius": radius}, torch.Generator().manual_seed(3)))
        noise = torch.randn(4, 3, generator=torch.Generator().manual_seed(3))
        torch.testing.assert_close(loss, -elbo_lower_bound(model, x, radius, noise, sigma0=0.7))


def test_training_writes_a_checkpoint_with_the_columns_of_table_1(checkpoint):
    header = describe(checkpoint)
    assert header.kind == "certified_vae" and header.radius == 0.05 and header.description.startswith("compact: latent_dim 3")
    metrics = header.metrics
    assert metrics["test_bound"] <= metrics["test_bound_clipped"] <= metrics["test_elbo"] < 0
    assert metrics["train_bound"] <= metrics["train_bound_clipped"] <= metrics["train_elbo"]


def test_training_raises_the_bound(tmp_path):
    options = ["--epochs", "6", "--learning-rate", "0:0.005,6:0.001", "--latent-dim", "8", "--hidden-units", "32"]
    assert main(["provae-digits-0.05", *OPTIONS, *options, "--limit", "128", "--output", str(tmp_path)]) == 0
    history = json.loads((tmp_path / "history.json").read_text())
    assert history[-1]["validation"] < 0.9 * history[0]["validation"]


class Recorder(Silent):
    def __init__(self, stop_at=math.inf):
        self.steps, self.strips, self.stop_at, self.cancelled = [], [], stop_at, False

    def advance(self, done, total, note=""):
        self.steps.append(done)
        self.cancelled = done >= self.stop_at

    def partial(self, result):
        self.strips.append(result)


def test_a_stopped_training_resumes_to_the_same_weights(tmp_path):
    config, run, name = small_config(epochs="3"), EXPERIMENTS["provae-digits-0.05"].train, "provae-digits-0.05"
    run(name, config, Place(tmp_path / "whole", CPU), Silent())
    with pytest.raises(Cancelled):
        run(name, config, Place(tmp_path / "parts", CPU), Recorder(stop_at=7))
    resumed = Recorder()
    run(name, config, Place(tmp_path / "parts", CPU, resume=True), resumed)
    assert resumed.steps[0] == 6, "two epochs of three steps are not trained again"
    first, second = (load(tmp_path / folder / "last.safetensors").model.state_dict() for folder in ("whole", "parts"))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_every_epoch_hands_over_a_strip_of_samples(tmp_path):
    seen = Recorder()
    EXPERIMENTS["provae-digits-0.05"].train("x", small_config(epochs="2"), Place(tmp_path, CPU), seen)
    assert [each.epoch for each in seen.strips] == [1, 2] and all(isinstance(each, Samples) and each.images.shape[1:] == (1, 28, 28) for each in seen.strips)


def test_all_impossible_options_are_reported_at_once(capsys):
    options = {"radius": "-1", "sigma0": "0", "latent_dim": "0", "ramp": "0:0,5:0.5", "dataset": "mnits", "widths": "0,4"}
    assert main(["provae-mnist-0.1", *(word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value))]) == 1
    message = capsys.readouterr().err
    assert all(word in message for word in ("radius = -1", "sigma0 = 0", "latent_dim = 0", "end at 1", "'mnits'", "widths"))


@pytest.mark.parametrize("clip", [False, True], ids=["whole box", "clipped"])
@pytest.mark.parametrize("seed", range(3))
def test_bound_attack_and_clean_stand_in_order(seed, clip):
    model, (x, noise) = tiny_vae(seed), batch(8, seed)
    low, high = (attack_elbo(model, x, 0.1, noise, Streams(seed, range(8)), clip=clip, maximise=up, steps=10, restarts=3).loss for up in (False, True))
    clean, bound = elbo(model, x, noise), elbo_lower_bound(model, x, 0.1, noise, clip=clip)
    assert (bound <= low + 1e-4).all() and (low <= clean).all() and (clean <= high).all()
    assert (low < clean - 0.01).any() and (high > clean + 0.01).any()


def test_only_the_unclipped_attack_leaves_the_pixels_range():
    model, (x, noise) = tiny_vae(), batch()
    whole, cut = (attack_elbo(model, x, 0.3, noise, Streams(0, range(4)), clip=clip, steps=10).perturbed for clip in (False, True))
    assert whole.min() < 0 and whole.max() > 1 and cut.min() >= 0 and cut.max() <= 1
    assert (whole - x).abs().max() <= 0.3 + 1e-6


def test_the_attack_at_radius_0_is_the_image():
    model, (x, noise) = tiny_vae(), batch()
    assert torch.equal(attack_elbo(model, x, 0.0, noise, Streams(0, range(4)), steps=2, restarts=2).perturbed, x)


def test_a_negative_radius_is_refused():
    with pytest.raises(InvalidInput, match="radius"):
        box_perturbations(batch()[0], -0.1, False)


def test_what_the_page_shows_stands_in_order(opened):
    image, settings = opened.image(3), Settings(0.05, key=3)
    shown, found = explore(opened, image, settings), attacked(opened, image, settings, steps=5)
    assert float(shown.bounds.elbo.lower) <= found.elbo + 1e-4 and found.elbo <= shown.clean
    proof = certificate(opened, image, settings, draws=2000)
    assert float(proof.lower) < float(proof.estimate) <= shown.clean + 20 and found.reconstruction.shape == image.shape


def test_samples_of_the_prior_do_not_depend_on_their_number(opened):
    torch.testing.assert_close(prior_samples(opened.model, 6)[:2], prior_samples(opened.model, 2))


def test_the_pictures_have_a_row_for_each_model(opened):
    shown = attacked_images(opened, count=3, radius=0.1, steps=3)
    assert shown.attacked_elbo < shown.clean_elbo and (shown.attacked - shown.clean).abs().max() <= 0.1 + 1e-6
    edge = 28 + 1
    sizes = [Image.open(io.BytesIO(png)).size for png in (figure_1([shown, shown]), figure_2([shown]), figure_4([opened, opened], 4), contact_sheet(shown))]
    assert sizes == [(2 * (columns * edge - 1), 2 * (rows * edge - 1)) for columns, rows in ((3, 3), (6, 1), (4, 2), (3, 4))]


def test_another_kind_of_checkpoint_is_refused():
    with pytest.raises(InvalidInput, match="expected a 'certified_vae'"):
        open_certified_vae(Path(__file__).parents[2] / "checkpoints" / "learned_sets" / "digits-rts.safetensors")


def test_a_missing_data_set_is_replaced_by_the_embedded_one_and_said(tmp_path):
    header = Header("certified_vae", "x", "vae", {"latent_dim": 3, "widths": [4, 6]}, {"name": "mnist"}, {}, {}, 0, 0.1, {})
    from explorer.models import build_model

    save(tmp_path / "x.safetensors", build_model("vae", header.model_config), header)
    assert "'digits' stands in" in open_certified_vae(tmp_path / "x.safetensors", root=tmp_path).note


def test_the_table_is_the_header_measured_again(opened, tmp_path):
    *_, table = elbo_table(opened, "d", ElboSettings(), tmp_path, Silent())
    metrics = opened.checkpoint.header.metrics
    assert table.images == table.available == (1297, 300)
    assert table.means[1] <= table.means[4] <= table.means[2] and table.means[0] <= table.means[3]
    assert all(error > 0 for error in table.standard_errors) and metrics["test_elbo"] == pytest.approx(table.means[2], abs=5)


def test_a_stopped_table_goes_on_without_redoing_a_batch(opened, tmp_path):
    settings = ElboSettings(limit=20, batch_size=8)
    with pytest.raises(Cancelled):
        list(elbo_table(opened, "d", settings, tmp_path, Recorder(stop_at=8)))
    resumed = Recorder()
    tables = list(elbo_table(opened, "d", settings, tmp_path, resumed))
    whole = list(elbo_table(opened, "d", replace(settings, batch_size=40), tmp_path / "other", Silent()))
    assert resumed.steps[0] == 8 and tables[0].means[0] is None and tables[-1].means == pytest.approx(whole[-1].means)


def test_the_curve_falls_from_the_clean_elbo_and_stays_above_its_bound(opened, tmp_path):
    *_, table = attack_table(opened, "d", AttackSettings(radii=(0.0, 0.02, 0.1), steps=5, limit=12), tmp_path, Silent())
    assert list(table.attacked) == sorted(table.attacked, reverse=True)
    assert table.bounds[0] == pytest.approx(table.attacked[0]) and all(low <= high for low, high in zip(table.bounds, table.attacked))


@pytest.mark.parametrize(
    ("settings", "message"),
    [(AttackSettings(radii=(0.1, 0.0)), "rising"), (AttackSettings(steps=0), "steps"), (AttackSettings(limit=0), "limit"), (AttackSettings(radii=()), "radii")],
    ids=str,
)
def test_impossible_settings_are_refused(opened, settings, message, tmp_path):
    with pytest.raises(ConfigurationError, match=message):
        list(attack_table(opened, "d", settings, tmp_path, Silent()))


def measured(name: str, **changes) -> ElboTable:
    training = json.loads(json.dumps(asdict(EXPERIMENTS[name].config)))
    made = ElboTable(
        checkpoint=name, radius=0.1, images=(59_000, 10_000), available=(59_000, 10_000), means=(-54.0,) * 5, standard_errors=(0.1,) * 5,
        settings=json.loads(json.dumps(asdict(ElboSettings()))), training=training, dataset="mnist", digest="d",
    )  # fmt: skip
    return replace(made, **changes)


def curve(name: str, **changes) -> AttackTable:
    training, settings = (json.loads(json.dumps(asdict(each))) for each in (EXPERIMENTS[name].config, AttackSettings()))
    radii = AttackSettings().radii
    values = tuple(-30.0 - index for index in range(len(radii)))
    made = AttackTable(
        checkpoint=name, radius=0.1, radii=radii, images=10_000, available=10_000, attacked=values, attacked_errors=(0.1,) * len(radii),
        bounds=values, bound_errors=(0.1,) * len(radii), settings=settings, training=training, dataset="mnist", digest="d",
    )  # fmt: skip
    return replace(made, **changes)


def results(kind, *tables):
    return Results(tuple((kind, table, Path(f"{table.checkpoint}.json")) for table in tables))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (measured("provae-mnist-0.1", images=(59_000, 500)), "first 500 of 10000 test images"),
        (measured("provae-mnist-0.1", training={}), "training unknown"),
        (measured("provae-mnist-0.1", dataset="digits"), "measured on digits"),
        (measured("provae-mnist-0.1-compact"), "epochs 6 (experiment 60)"),
        (measured("provae-mnist-0.1-compact"), "widths 16,32 (paper 32,64)"),
        (measured("provae-mnist-0.1-compact"), "hidden_units 96 (paper 3136)"),
        (curve("provae-mnist-0.1", settings={**curve("provae-mnist-0.1").settings, "clip": True}), "box cut to [0, 1]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_difference_from_the_paper_is_named(table, words):
    assert words in differences(table, "provae-mnist-0.1")


def test_the_papers_size_fills_a_row_before_its_compact_variant():
    found = results(ELBO_KIND, measured("provae-mnist-0.1-compact"), measured("provae-mnist-0.1", means=(-1.0,) * 5))
    row = next(row for row in TABLE_1.fill(found).rows if row.label == "MNIST, ε 0.1")
    assert row.measured == (-1.0,) * 5 and row.paper[:3] == (-54.49, -54.49, -43.41)


def test_a_model_of_other_data_has_a_row_of_its_own_that_does_not_count():
    found = results(ELBO_KIND, measured("provae-digits-0.1", dataset="digits"))
    assert [row.label for row in TABLE_1.fill(found).rows if row.own] == ["provae-digits-0.1"] and status(TABLE_1, found)[0] == "not run"


def test_figures_2_and_3_read_the_same_curve():
    found = results(ATTACK_KIND, curve("provae-mnist-0.1"))
    (row,) = [row for row in find_item(PAPERS["certified_vae"], "figure", 2).fill(found).rows if row.measured]
    assert row.measured == (-30.0, -34.0) and row.paper == (-41.31, -50.06)
    (row,) = [row for row in FIGURE_3.fill(found).rows if row.measured]
    assert row.measured == curve("provae-mnist-0.1").attacked


def test_results_are_read_as_they_were_written(tmp_path):
    for kind, table in ((ELBO_KIND, measured("provae-mnist-0.1")), (ATTACK_KIND, curve("provae-mnist-0.1"))):
        save_result(kind, table, tmp_path / f"{kind}.json")
    read = read_results(RESULTS, (tmp_path,), (tmp_path,))
    assert not read.problems and read.of(ELBO_KIND)[0][0] == measured("provae-mnist-0.1") and read.of(ATTACK_KIND)[0][0] == curve("provae-mnist-0.1")


@pytest.mark.parametrize(("kind", "change"), [(ELBO_KIND, {"images": [9, 20_000]}), (ELBO_KIND, {"standard_errors": [-1.0] * 5}), (ATTACK_KIND, {"bounds": [1.0]})], ids=str)
def test_a_results_file_that_contradicts_itself_is_left_out(tmp_path, kind, change):
    table = measured("provae-mnist-0.1") if kind == ELBO_KIND else curve("provae-mnist-0.1")
    (tmp_path / "x.json").write_text(json.dumps({"format": 1, "kind": kind, **asdict(table), **change}))
    assert len(read_results(RESULTS, (tmp_path,), (tmp_path,)).problems) == 1


def test_a_part_never_replaces_a_whole_measurement():
    whole = measured("provae-mnist-0.1")
    save_result(ELBO_KIND, whole, own_path(ELBO_KIND, whole))
    part, other = replace(whole, images=(5, 5), settings={**whole.settings, "limit": 5}), replace(whole, digest="another file")
    assert len({own_path(ELBO_KIND, each) for each in (whole, part, other)}) == 3


@pytest.mark.parametrize(("options", "words"), [([], "test bound"), (["--attack", "--steps", "2"], "0.15")], ids=["table 1", "figure 3"])
def test_the_command_measures_a_checkpoint_and_leaves_a_results_file(checkpoint, options, words, capsys, tmp_path):
    assert evaluate([str(checkpoint), "--limit", "6", "--work", str(tmp_path), *options]) == 0
    assert words in capsys.readouterr().out and len(read_results(RESULTS).of(ATTACK_KIND if options else ELBO_KIND)) >= 1


@pytest.mark.parametrize("options", [["--steps", "3"], ["--attack", "--radius", "0.1"], ["--distance", "squared_error"]], ids=str)
def test_options_that_say_nothing_about_a_vae_are_refused(checkpoint, options, capsys):
    assert evaluate([str(checkpoint), *options]) == 1
    assert "does not go with" in capsys.readouterr().err


def test_no_restart_at_all_is_refused(checkpoint, capsys):
    assert evaluate([str(checkpoint), "--attack", "--restarts", "0"]) == 1
    assert "restarts = 0" in capsys.readouterr().err


def sandwich(path, count, restarts, steps):
    """The largest amount by which an attack at the model's radius, and at 0.1, gets below the bound or above clean."""
    vae = open_certified_vae(path)
    x = vae.images.images[:count]
    noise = posterior_noise(vae.model, range(len(x)))
    for radius in {vae.radius, 0.1}:
        bound, clean = elbo_lower_bound(vae.model, x, radius, noise), elbo(vae.model, x, noise)
        found = attack_elbo(vae.model, x, radius, noise, Streams(0, range(len(x))), steps=steps, restarts=restarts).loss
        yield float((bound - found).max()), float((found - clean).max())


@pytest.mark.parametrize("path", few(2, SHIPPED[::-1]), ids=lambda path: path.stem)
def test_no_attack_on_a_shipped_model_goes_below_its_bound(path):
    for below, above in sandwich(path, 24, 3, 15):
        assert below <= 1e-3 and above <= 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("path", [path for path in SHIPPED if "digits" in path.stem], ids=lambda path: path.stem)
def test_no_attack_on_any_digit_goes_below_its_bound_in_20_restarts(path):
    for below, above in sandwich(path, None, 20, 40):
        assert below <= 1e-3 and above <= 0
