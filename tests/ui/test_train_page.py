"""The page Train, opened alone."""

import io
import zipfile

import pytest
from streamlit.testing.v1 import AppTest

from explorer.papers import EXPERIMENTS
from explorer.runs import Store
from explorer.ui import train
from tests.apps import opened_page, texts
from tests.own_pictures import write_scenes


def page(**query) -> AppTest:
    return opened_page("train", query)


def field(test: AppTest, label: str):
    return next(each for each in test.text_input if each.label == label)


def test_every_field_shows_its_value_and_the_papers_where_it_differs():
    test = page(experiment="digits-rts")
    assert not test.exception and field(test, "latent dim").value == "32" and "paper: 128" in texts(test)
    assert field(test, "learning rate").value == "0:0,40:0.0008,100:0"


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name.startswith("digits")])
def test_a_dry_run_says_what_would_be_done(name):
    test = page(experiment=name)
    config = EXPERIMENTS[name].config
    assert f"{EXPERIMENTS[name].steps(config, None):,} training steps" in texts(test)
    assert f"python -m explorer.train {name} --seed 0" in texts(test)


def test_a_changed_field_is_in_the_link_the_command_and_the_specification():
    test = page(experiment="digits-rts")
    field(test, "epochs").set_value("3")
    test.run()
    assert test.query_params["changes"] in ("epochs=3", ["epochs=3"])
    assert "--epochs 3" in texts(test) and "246 training steps" in texts(test)


def test_all_that_is_wrong_is_said_and_nothing_can_be_launched():
    test = page(experiment="digits-rts")
    field(test, "epochs").set_value("0")
    field(test, "pairs").set_value("rst")
    field(test, "batch size").set_value("many")
    test.run()
    shown = texts(test)
    assert "epochs = 0" in shown and "pairs = 'rst'" in shown and "batch-size many" in shown
    assert "Train" not in [button.label for button in test.button]


def test_a_data_set_that_is_not_here_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path))
    train.cache.training_steps.clear()
    test = page(experiment="mnist-rts")
    assert not test.exception and "python -m explorer.data mnist" in texts(test)


@pytest.mark.parametrize(
    ("query", "message"),
    [({"experiment": "mnist-rst"}, "not known"), ({"changes": "epohs=3"}, "epohs"), ({"seed": "-1"}, "seed"), ({"seed": "9999999999999999"}, "seed"), ({"device": "cuda:9"}, "cuda:9"), ({"what": "1"}, "what")],
)
def test_a_bad_link_is_one_message(query, message):
    test = page(**query)
    assert not test.exception and message in texts(test) and test.warning


def test_launching_makes_one_run_that_the_page_finds_again(monkeypatch):
    launched = []
    monkeypatch.setattr("explorer.runs.store.start_anywhere", launched.append)
    test = page(experiment="digits-rts", changes="epochs=1")
    next(button for button in test.button if button.label == "Train").click().run()
    (run,) = Store().runs()
    assert not test.exception and launched == [run.folder]
    again = page(experiment="digits-rts", changes="epochs=1")
    assert f"run {run.number}" in texts(again) and "Train" not in [button.label for button in again.button]


@pytest.mark.parametrize("text", ["a;b", "x=y", "50%", "0:0,40:0.01", "é &?"])
def test_any_text_of_a_field_comes_back_from_the_link(text):
    assert train.read_changes(train.write_changes({"pairs": text, "epochs": "3"})) == {"pairs": text, "epochs": "3"}


def zipped(entries: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_a_zip_of_ones_own_pictures_becomes_the_data_of_the_training(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_RUNS", str(tmp_path / "runs"))
    folder = write_scenes(tmp_path / "scenes")
    content = zipped({str(path.relative_to(tmp_path)): path.read_bytes() for path in folder.rglob("*.png")})
    test = page(experiment="pairs")
    test.file_uploader[0].upload("mine.zip", content, "application/zip").run()
    assert not test.exception and not test.error
    (place,) = [each for each in (tmp_path / "runs" / "own_pairs").iterdir() if each.is_dir()]
    assert field(test, "data").value == str((place / "scenes").resolve()) and "training steps" in texts(test) and "--data" in texts(test)
    assert len(list(place.rglob("*.png"))) == len(list(folder.rglob("*.png")))
    field(test, "data").set_value(str(folder)).run()
    assert field(test, "data").value == str(folder) and "training steps" in texts(test), "the field is the user's again"


@pytest.mark.parametrize(("content", "message"), [(zipped({"../outside.png": b"x"}), "climbs out of its folder"), (b"no zip", "not a zip that can be read")], ids=["path", "text"])
def test_a_zip_that_cannot_be_used_is_one_message_and_leaves_nothing(monkeypatch, tmp_path, content, message):
    monkeypatch.setenv("EXPLORER_RUNS", str(tmp_path / "runs"))
    test = page(experiment="pairs")
    test.file_uploader[0].upload("mine.zip", content, "application/zip").run()
    assert not test.exception and any(message in each.value for each in test.error)
    assert not list(tmp_path.rglob("*.png")) and field(test, "data").value in ("", "none")
