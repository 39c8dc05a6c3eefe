"""The page Contextual budgets, opened alone, on tiny models."""

import base64
import json
import math
import time

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.checkpoints import Header, save
from explorer.figures import pixels, to_png
from explorer.models import build_model
from explorer.ui import library, live_budgets
from explorer.ui.background import JOBS
from explorer.ui.bounds import Subject
from explorer.ui.contextual_budgets import known_models, open_models
from explorer.ui.contextual_budgets_link import Link, checked, given_state, packed, sliders, unpacked, with_state
from explorer.ui.contextual_budgets_live import _scene
from explorer.ui.contextual_budgets_panels import PANELS
from explorer.ui.live_budgets import BudgetState, committed_budgets
from explorer.ui.live_inference import Request, answer
from explorer.ui.live_scenes import SCENES
from tests.apps import opened_page, texts

SMALL = {"widths": [2, 3], "hidden_units": [4]}
QUICK = {"steps": "0"}  # no attack but the one step
PIXELS = 28 * 28


def classifier(folder, name, learned=True, radius=0.1, edge=28, seed=0, dataset="digits"):
    """A tiny classifier of the embedded digits, with a generator or without."""
    config = SMALL | {"height": edge, "width": edge}
    model, given = ("budgeted_classifier", {"classifier_config": config, "rank": 2, "volume": radius, "alpha": 0.25, "alpha_bar": 4.0}) if learned else ("dm_small", config)
    torch.manual_seed(seed)
    made = build_model(model, given)
    header = Header("classifier", name, model, given, {"name": dataset}, training={}, metrics={}, seed=0, radius=radius, percentile_radii={})
    save(folder / f"{name}.safetensors", made, header)


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    """Nothing but a classifier with a generator, another, and one without."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    monkeypatch.setattr(library, "SHIPPED", shipped)
    monkeypatch.setattr(library, "UPLOADS", tmp_path / "uploads")
    monkeypatch.setenv("EXPLORER_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv(library.VARIABLE, raising=False)
    classifier(shipped, "learned")
    classifier(shipped, "other", seed=1)
    classifier(shipped, "uniform", learned=False)
    return shipped


def page(**query) -> AppTest:
    return opened_page("contextual_budgets", QUICK | query)


def boxes(**query):
    """The table of the panel Numbers, a row for each kind of budgets."""
    test = page(panel="Numbers", **query)
    assert not test.exception and not test.error
    return test.dataframe[0].value.set_index("budgets")


def opened(*names):
    found, problems = open_models(names, known_models(()))
    assert not problems
    return found


def drawn(value=2) -> bytes:
    steps = np.zeros((28, 28), np.int8)
    steps[4:8, 4:20] = value
    return steps.tobytes()


def test_it_opens_on_learned_budgets_beside_uniform_ones():
    test = page()
    assert not test.exception and not test.error and not test.warning
    assert test.multiselect[0].value == ["learned"] and list(test.dataframe[0].value["budgets"]) == ["Learned budgets", "Uniform budgets"]


def test_learned_and_uniform_budgets_have_the_same_volume_and_the_model_its_range():
    rows = boxes(volume="0.2")
    assert rows["volume"].tolist() == pytest.approx([0.2, 0.2], rel=1e-4)
    learned = rows.loc["Learned budgets"]
    assert 0.25 * 0.2 * 0.999 <= learned["smallest ε"] <= learned["largest ε"] <= 4 * 0.2 * 1.001


def test_a_narrower_range_is_kept_to():
    learned = boxes(alpha="0.9", alpha_bar="1.1").loc["Learned budgets"]
    assert 0.09 * 0.999 <= learned["smallest ε"] and learned["largest ε"] <= 0.11 * 1.001


def test_without_a_classifier_it_says_how_to_train_one(models):
    for path in models.iterdir():
        path.unlink()
    test = page()
    assert not test.exception and "python -m explorer.train budgets-digits" in texts(test)


def test_with_no_classifier_chosen_it_asks_for_one():
    test = page()
    test.multiselect[0].set_value([]).run()
    assert not test.exception and "Choose at least one classifier" in texts(test)


def test_a_classifier_without_generator_shows_what_it_can():
    test = page(model="uniform")
    assert not test.exception and not test.error and list(test.dataframe[0].value["budgets"]) == ["Uniform budgets"] and "it has no generator" in texts(test)


def test_without_generator_and_drawing_the_sliders_of_the_range_say_why_they_are_disabled():
    alone = [each.opened for each in opened("uniform")]
    volume, *range_ = sliders(alone)
    assert not volume.disabled and all("Without a generator" in each.disabled for each in range_)
    assert not any(each.disabled for each in sliders(alone, drawn=True))


def test_learned_budgets_of_a_classifier_without_generator_are_refused_in_words():
    assert "There are no learned budgets here. The classifier has no generator." in texts(page(model="uniform", sources="learned,uniform"))


def test_two_models_stand_side_by_side():
    assert list(boxes(model="learned,uniform").index) == ["Learned budgets, learned", "Uniform budgets, uniform"]


def test_more_maps_than_fit_are_left_out_and_it_says_so():
    test = page(model="learned,other", sources="learned,uniform,mean")
    assert "At most 4 maps" in texts(test) and len(test.dataframe[0].value) == 4


def test_a_model_of_other_images_is_left_out_and_it_says_so(models):
    classifier(models, "small", edge=20)
    test = page(model="learned,small")
    assert not test.exception and "small" in texts(test) and len(test.dataframe[0].value) == 2


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"model": "no-such"}, "'no-such' is not a classifier that is here"),
        ({"volume": "nan", "panel": "Kitchen", "flavour": "mint"}, "volume = 'nan' cannot be used"),
        ({"volume": "7", "drawing": "abc"}, "volume = 7.0 cannot be shown (expected 0.001 to 0.3)"),
    ],
    ids=str,
)  # fmt: skip
def test_a_bad_link_is_one_message_and_the_page_goes_on(query, message):
    test = page(**query)
    assert not test.exception and len(test.warning) == 1 and message in texts(test) and len(test.dataframe[0].value) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"volume": 7.0}, {"volume": 0.0}, {"alpha": 2.0}, {"alpha": 0.0}, {"alpha_bar": 0.5}, {"alpha_bar": 99.0}, {"sources": ("lerned",)}, {"drawing": "abc"}, {"drawing": packed(b"\x01" * 10)}, {"method": "magic"},
        {"channel": 2}, {"channel": -1}, {"image": 999}, {"image": -1}, {"label": "cat"}, {"steps": 7}, {"count": 7}, {"seed": -1}, {"draw": -1},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_that_cannot_be_shown_is_replaced_and_named(wrong):
    link, problems = checked(Link(**wrong), [each.opened for each in opened("learned")])
    assert link == Link() and len(problems) == 1 and next(iter(wrong)) in problems[0]


def test_digits_stand_in_for_a_data_set_that_is_not_here_and_it_says_so(models, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path))
    classifier(models, "mnist", dataset="mnist")
    test = page(model="mnist")
    assert not test.exception and "The data set 'mnist' is not on this machine, so 'digits' stands in" in texts(test) and len(test.dataframe[0].value) == 2


def test_every_script_of_the_folder_is_part_of_the_module():
    assert set(live_budgets.FOLDER.glob("*.js")) == {path for path in live_budgets.MODULES if path.parent == live_budgets.FOLDER}


def test_a_damaged_checkpoint_is_one_message_and_the_other_stays(models):
    (models / "other.safetensors").write_bytes((models / "other.safetensors").read_bytes()[:-10])
    test = page(model="learned,other")
    assert not test.exception and "other" in texts(test) and len(test.dataframe[0].value) == 2


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_opens_by_its_link(panel):
    test = page(panel=panel, sources="learned,uniform,mean,drawn", steps="10")
    assert not test.exception and not test.error and not test.warning


def test_the_attack_finds_no_margin_below_what_is_certified():
    rows = boxes(steps="10", volume="0.05")
    assert (rows["margins ≥"] <= rows["smallest ≤"]).all()


def test_a_drawing_in_the_link_raises_its_region():
    rows = boxes(sources="uniform,drawn", drawing=packed(drawn()), base="uniform", keep="false")
    assert rows.loc["Drawn budgets", "largest ε"] == pytest.approx(0.2, rel=1e-3) and rows.loc["Drawn budgets", "volume"] > rows.loc["Uniform budgets", "volume"]


def test_a_kept_volume_is_that_of_the_control_whatever_is_drawn():
    rows = boxes(sources="uniform,drawn", drawing=packed(drawn(4)), base="uniform")
    assert rows["volume"].tolist() == pytest.approx([0.1, 0.1], rel=1e-4)


def test_an_uploaded_picture_is_examined_for_the_class_that_is_seen():
    test = page(choice="Upload")
    test.file_uploader[0].upload("mine.png", to_png(pixels(torch.rand(1, 1, 28, 28))[0]), "image/png").run()
    assert not test.exception and len(test.dataframe[0].value) == 2


def test_an_upload_that_is_no_picture_is_one_message():
    test = page(choice="Upload")
    test.file_uploader[0].upload("mine.png", b"nothing", "image/png").run()
    assert not test.exception and "this is not a picture that can be read" in texts(test)


def test_the_largest_boxes_are_measured_on_demand():
    found = opened("learned")[0].opened
    right = next(n for n in range(100) if int(found.logits(found.images.images[n : n + 1]).argmax()) == int(found.images.labels[n]))
    test = page(panel="Largest boxes", image=str(right), method="ibp")
    (measure,) = (button for button in test.button if button.label == "Measure")
    measure.click().run()
    deadline = time.monotonic() + 60
    while any(job.active for job in JOBS._jobs.values()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    test.run()
    assert not test.exception
    volumes = test.dataframe[0].value.set_index("budgets")["largest certified volume"]
    assert volumes["Liu et al."] >= volumes["uniform"] > 0 and volumes["Liu et al."] >= volumes["learned"]


def test_an_image_seen_as_another_class_has_no_largest_box():
    found = opened("learned")[0].opened
    wrong = next(n for n in range(100) if int(found.logits(found.images.images[n : n + 1]).argmax()) != int(found.images.labels[n]))
    assert "no box around it can be certified" in texts(page(panel="Largest boxes", image=str(wrong)))


def test_the_settings_are_in_the_link():
    test = page(volume="0.05", alpha="0.5", sources="uniform", scale="paper", panel="Class means")
    shown = {"volume": "0.05", "alpha": "0.5", "sources": "uniform", "scale": "paper", "panel": "Class means", "model": "learned"}
    assert all(test.query_params[name] in (value, [value]) for name, value in shown.items())


def scene(*names, sources=("learned", "uniform", "drawn")):
    chosen = opened(*names)
    first = chosen[0].opened
    subject = Subject(first.images.images[:1], int(first.images.labels[0]), "image 0", ("path", 0, 0, int(first.images.labels[0])))
    return _scene(Link(sources=sources), chosen, subject)


def test_what_follows_the_sliders_is_plain_json_with_a_lane_for_each_kind_of_budgets():
    made = scene("learned", "other")
    lanes = json.loads(json.dumps(made.compute(0.1, 0.25, 4.0, 0.0, 1.0), allow_nan=False))["lanes"]
    assert len(lanes) == 6
    for lane in lanes:
        budgets = np.frombuffer(base64.b64decode(lane["budgets"]), "<f4")
        assert len(budgets) == PIXELS and math.exp(np.log(budgets.astype(float)).mean()) == pytest.approx(0.1, rel=1e-4) == pytest.approx(lane["volume"], rel=1e-4)
        assert lane["verdict"] in ("certified", "attack found", "open") and lane["how"] == "one step"


def test_a_larger_volume_certifies_less():
    small, large = (scene("learned").compute(volume, 0.25, 4.0, 0.0, 1.0)["lanes"][0] for volume in (0.01, 0.1))
    assert all(one >= other for one, other in zip(small["certified"], large["certified"]))


def test_a_drawing_travels_with_the_request():
    token = SCENES.register(("test budgets", "drawing"), lambda: scene("learned", sources=("drawn",)))
    octaves = np.frombuffer(drawn(), np.int8) / 2
    reply = answer(Request(1, token, "numbers", (0.25, 4.0, 1.0, 0.0, *octaves.tolist()), 0.1))
    budgets = np.frombuffer(base64.b64decode(reply["values"]["lanes"][0]["budgets"]), "<f4").reshape(28, 28)
    assert budgets[5, 10] == pytest.approx(0.2) and budgets[0, 0] == pytest.approx(0.1)


@pytest.mark.parametrize("delta", [(), (0.5,), (0.25, 4.0, 0.0, 1.0, 0.0), (0.25, 4.0, 0.0, 1.0, *[0.0] * (PIXELS + 1)), (0.25, 0.5, 0.0, 1.0), (-1.0, 4.0, 0.0, 1.0)], ids=len)
def test_a_request_that_cannot_be_is_answered_with_an_error(delta):
    token = SCENES.register(("test budgets", "errors"), lambda: scene("learned"))
    assert answer(Request(1, token, "numbers", delta, 0.1))["error"]


def test_a_drawing_survives_the_link():
    assert unpacked(packed(drawn()), PIXELS) == drawn() and len(packed(drawn())) < 100


@pytest.mark.parametrize("text", ["", "abc", "é", packed(b"\x01" * 10), packed(b"\x7f" * PIXELS), packed(b"\x01" * 10**6)], ids=["empty", "text", "letter", "short", "strong", "bomb"])
def test_what_is_no_drawing_is_none(text):
    assert unpacked(text, PIXELS) is None


GOOD = {"volume": 0.2, "alpha": 0.5, "alpha_bar": 2.0, "drawing": base64.b64encode(drawn()).decode(), "base": "uniform", "keep": False, "scale": "paper", "channel": 0, "socket": "open", "revision": "now"}


def committed(state, monkeypatch) -> BudgetState:
    monkeypatch.setattr(live_budgets.st, "session_state", {"key": {"state": state}})
    return committed_budgets("key", "now", BudgetState(0.1, 0.25, 4.0), sliders([each.opened for each in opened("learned")]), PIXELS, 1)


def test_a_committed_state_is_taken_over(monkeypatch):
    assert committed(GOOD, monkeypatch) == BudgetState(0.2, 0.5, 2.0, drawn(), "uniform", False, "paper")


@pytest.mark.parametrize(
    "wrong",
    [
        {"revision": "old"}, {"volume": 0.0}, {"volume": math.nan}, {"volume": "0.1"}, {"volume": True}, {"alpha": 0.0}, {"alpha_bar": 99.0}, {"drawing": "?"}, {"drawing": "AAAA"}, {"drawing": None},
        {"base": "mean"}, {"keep": 1}, {"scale": "loud"}, {"channel": 1}, {"channel": "0"},
    ],
    ids=str,
)  # fmt: skip
def test_a_state_that_cannot_be_is_not_taken_from_the_browser(wrong, monkeypatch):
    assert committed(GOOD | wrong, monkeypatch) == BudgetState(0.1, 0.25, 4.0)


def test_the_models_own_numbers_are_left_out_of_the_link():
    found = [each.opened for each in opened("learned")]
    state = given_state(Link(), found)
    assert (state.volume, state.alpha, state.alpha_bar) == (0.1, 0.25, 4.0) and with_state(Link(), state, found) == Link()


def test_a_link_survives_its_state():
    found = [each.opened for each in opened("learned")]
    link = Link(volume=0.2, alpha=0.5, drawing=packed(drawn()), base="uniform", keep=False, scale="absolute")
    assert checked(link, found) == (link, []) and with_state(Link(), given_state(link, found), found) == link
