"""The page Certified VAE, opened alone, on tiny models."""

import itertools
import json
import re
import time
from dataclasses import asdict, replace

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.checkpoints import Header, save
from explorer.models import build_model
from explorer.papers.certified_vae.evaluation import AttackTable, ElboTable
from explorer.runs import Store
from explorer.runs.kinds import specify
from explorer.ui import library
from explorer.ui.background import JOBS
from explorer.ui.certified_vae import Subject, known_models, open_models, usual_models
from explorer.ui.certified_vae_link import Link, checked
from explorer.ui.certified_vae_live import _scene
from explorer.ui.certified_vae_panels import PANELS
from explorer.ui.live_scenes import NumberScene
from tests.apps import opened_page, texts
from tests.runs.conftest import made, store  # noqa: F401

CONFIG = {"latent_dim": 3, "widths": [2, 3], "hidden_units": 4}
QUICK = {"steps": "0"}  # no attack


def vae(folder, name, radius=0.05, **changes):
    """A tiny VAE of the embedded digits."""
    header = Header("certified_vae", name, "vae", CONFIG | changes, {"name": "digits"}, training={}, metrics={}, seed=0, radius=radius, percentile_radii={})
    torch.manual_seed(int(1000 * radius))
    save(folder / f"{name}.safetensors", build_model("vae", CONFIG | changes), header)


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    """Nothing but two models of one family, one of larger latents, and one for other images."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    monkeypatch.setattr(library, "SHIPPED", shipped)
    monkeypatch.setattr(library, "UPLOADS", tmp_path / "uploads")
    monkeypatch.setenv("EXPLORER_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv(library.VARIABLE, raising=False)
    vae(shipped, "a-0", 0.0)
    vae(shipped, "a-0.05")
    vae(shipped, "wide", latent_dim=5)
    return shipped


def page(stem="certified_vae", **query) -> AppTest:
    return opened_page(stem, QUICK | query if stem == "certified_vae" else query)


def numbers(**query):
    """The table of the panel Numbers, a row for each model."""
    test = page(panel="Numbers", **query)
    assert not test.exception and not test.error
    return test.dataframe[0].value


def test_it_opens_on_the_models_of_one_family():
    test = page()
    assert not test.exception and not test.error and not test.warning
    assert test.multiselect[0].value == ["a-0", "a-0.05"]


def test_halves_of_a_training_are_not_chosen_first(models, tmp_path, monkeypatch):
    for path in models.glob("*"):
        path.rename(models / f"z-{path.name}")
    vae(models, "best")
    assert usual_models(known_models(())) == ["z-a-0", "z-a-0.05"]


def test_without_a_model_it_says_how_to_train_one(models):
    for path in models.iterdir():
        path.unlink()
    test = page()
    assert not test.exception and "python -m explorer.train provae-digits-0.1" in texts(test)


def test_with_no_model_chosen_it_asks_for_one():
    test = page()
    test.multiselect[0].set_value([]).run()
    assert not test.exception and "Choose at least one certified VAE" in texts(test)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"model": "no-such-vae"}, "'no-such-vae' is not a certified VAE that is here"),
        ({"radius": "nan", "panel": "Kitchen", "flavour": "mint"}, "radius = 'nan' cannot be used.*\n*.*panel = 'Kitchen' cannot be used.*\n*.*not known here"),
        ({"image": "100000", "steps": "7"}, "image = 100000 cannot be shown.*\n*.*steps = 7 cannot be shown"),
    ],
    ids=str,
)  # fmt: skip
def test_a_bad_link_says_so_and_the_page_stays_usable(query, message):
    test = page(**query)
    assert not test.exception and any(re.search(message, warning.value.replace("\\", "")) for warning in test.warning)
    assert test.multiselect[0].value


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": -1}, {"radius": -0.1}, {"radius": 0.9}, {"variance": 0.0}, {"steps": 7}, {"restarts": 2}, {"confidence": 1.0}, {"draws": 3}, {"amplify": 5},
        {"count": 1}, {"label": "cat"}, {"seed": -1}, {"samples": -1},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_that_cannot_be_shown_is_replaced_and_named(wrong):
    models, _ = open_models(["a-0"], known_models(()))
    link, problems = checked(Link(**wrong), [models[0].opened])
    assert link == Link() and len(problems) == 1 and next(iter(wrong)) in problems[0]


def test_a_link_to_more_models_than_four_shows_the_first_four(models):
    for name in ("b", "c", "d"):
        vae(models, name, latent_dim=2)
    test = page(model="a-0,a-0.05,b,c,d")
    assert test.multiselect[0].value == ["a-0", "a-0.05", "b", "c"] and "names 5 models. The first 4" in texts(test)


def test_a_damaged_checkpoint_is_one_message_and_the_others_stay(models):
    content = (models / "a-0.safetensors").read_bytes()
    vae(models, "broken", latent_dim=4)
    described = (models / "broken.safetensors").read_bytes()
    header = int.from_bytes(described[:8], "little")
    (models / "broken.safetensors").write_bytes(described[: 8 + header] + content[:10])
    test = page(model="a-0,broken")
    assert not test.exception and len(test.multiselect) == 1
    assert sum("broken" in warning.value for warning in test.warning) == 1


def test_models_of_other_images_are_left_out_and_it_says_so(models):
    vae(models, "small", height=8, width=8)
    test = page(model="a-0,small")
    assert not test.exception and "small.safetensors takes images of (1, 8, 8)" in texts(test)


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_opens_by_its_link(panel):
    test = page(panel=panel, raised="true", **({"steps": "10"} if panel == "Pictures" else {}))
    assert not test.exception and not test.error and not test.warning


def test_attacks_lie_between_the_certified_bounds_and_on_their_side_of_clean():
    rows = numbers(radius="0.1", raised="true", model="a-0,a-0.05,wide", steps="10")
    order = ["certified ≥", "lowest attack found", "clean", "highest attack found", "certified ≤"]
    assert len(rows) == 3
    for lower, upper in itertools.pairwise(order):
        assert (rows[lower] <= rows[upper] + 1e-4).all()


def test_a_box_cut_to_the_range_of_pixels_has_a_tighter_bound():
    assert (numbers(clip="true", radius="0.1")["certified ≥"] > numbers(radius="0.1")["certified ≥"]).all()


def test_at_radius_zero_there_is_nothing_to_attack_and_the_bound_is_the_elbo():
    rows = numbers(radius="0", steps="10")
    assert "lowest attack found" not in rows and rows["certified ≥"].tolist() == pytest.approx(rows["clean"].tolist(), abs=1e-3)


def test_a_smaller_variance_weighs_the_residual_more():
    assert (numbers(variance="0.1", radius="0")["clean"] < numbers(radius="0")["clean"]).all()


def test_a_certificate_on_demand_becomes_a_number_of_the_bracket():
    test = page(panel="Certificate", draws="1000")
    (measure,) = (button for button in test.button if button.label == "Measure")
    measure.click().run()
    deadline = time.monotonic() + 30
    while any(job.active for job in JOBS._jobs.values()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    test.run()
    assert not test.exception and "confidence" in test.dataframe[0].value
    rows = numbers(draws="1000")
    assert (rows["confidence"] == 0.99).all() and (rows["certificate ≥"] <= rows["clean"] + 100).all()


def test_the_settings_are_in_the_link():
    test = page(radius="0.03", clip="true", panel="Latents", model="a-0")
    (steps,) = (box for box in test.selectbox if box.label == "Attack: steps")
    steps.select(20).run()
    shown = {"model": "a-0", "radius": "0.03", "clip": "True", "panel": "Latents", "steps": "20"}
    assert {name: test.query_params[name] for name in shown} in (shown, {name: [value] for name, value in shown.items()})


def scene() -> NumberScene:
    opened, problems = open_models(["a-0", "a-0.05"], known_models(()))
    assert not problems
    return _scene(opened, Subject(opened[0].opened.images.images[:1], "image 0", 0), Link().settings(0.0, 0))


def test_what_follows_the_radius_widens_with_it():
    made = scene()
    small, large = made.compute(0.02), made.compute(0.05)
    for index in range(2):
        assert large["bars"]["certified"][0][index] < small["bars"]["certified"][0][index]
        assert sum(large["latents"][index]["width"]) > sum(small["latents"][index]["width"]) > 0
    assert json.loads(json.dumps(large, allow_nan=False))["radius"] == 0.05


def test_at_radius_zero_the_latents_have_no_width():
    for each in scene().compute(0.0)["latents"]:
        assert max(each["width"]) < 1e-5 and each["sigma"][0] == pytest.approx(each["sigma"][1], rel=1e-4)


ATTACK = AttackTable(
    checkpoint="a-0", radius=0.0, radii=(0.0, 0.1), images=40, available=300, attacked=(-20.0, -40.0), attacked_errors=(0.1, 0.2), bounds=(-20.0, -90.0),
    bound_errors=(0.1, 0.3), settings={"steps": 10}, training={}, dataset="digits", digest="abc",
)  # fmt: skip
BOUND = ElboTable(
    checkpoint="a-0", radius=0.0, images=(0, 40), available=(1297, 300), means=(None, -20.0, -20.0, None, -20.0), standard_errors=(None, 0.1, 0.1, None, 0.1),
    settings={}, training={}, dataset="digits", digest="abc",
)  # fmt: skip


def finished(kind, name, table, path, limit=40):
    return made(specify(kind, {"checkpoint": str(path)}, {"limit": limit}, "cpu"), results={name: asdict(table)})


def test_a_run_of_the_attack_shows_its_curve_and_what_its_numbers_are(store, models):  # noqa: F811
    finished("elbo_attack", "attack", ATTACK, models / "a-0.safetensors")
    test = page("runs", run="1")
    assert not test.exception and not test.error and "40 of 300 test images" in texts(test) and "attack found" in texts(test)
    assert test.dataframe[1].value["0.1"].tolist() == ["−40.00", "−90.00"]


def test_runs_of_the_attack_stand_in_one_figure(store, models):  # noqa: F811
    finished("elbo_attack", "attack", ATTACK, models / "a-0.safetensors")
    finished("elbo_attack", "attack", replace(ATTACK, checkpoint="a-0.05"), models / "a-0.05.safetensors")
    test = page("runs", run="1,2")
    assert not test.exception and not test.error and len(test.dataframe[1].value) == 4


def test_a_run_of_the_bound_shows_only_what_it_has_measured(store, models):  # noqa: F811
    finished("elbo_table", "elbo", BOUND, models / "a-0.safetensors")
    test = page("runs", run="1")
    assert not test.exception and not test.error
    row = test.dataframe[1].value.iloc[0]
    assert row["train bound"] == "" and row["test ELBO"] == "−20.00 ± 0.10"


def test_damaged_results_of_a_run_are_one_message(store, models):  # noqa: F811
    finished("elbo_attack", "attack", replace(ATTACK, attacked=(-20.0, -40.0)), models / "a-0.safetensors")
    for path in Store().find("1").results.glob("attack.json"):
        path.write_text(json.dumps({**asdict(ATTACK), "attacked": [-20.0]}))
    test = page("runs", run="1")
    assert not test.exception and any("cannot be shown" in error.value for error in test.error)
