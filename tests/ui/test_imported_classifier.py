"""A classifier from an ONNX file, in every page about classifiers."""

import pytest

from explorer.studies.importing import ImportSettings, import_classifier
from explorer.ui import library
from tests.studies.test_importing import logits_of_digits
from tests.apps import opened_page, texts

NAME = "mine/affine"


@pytest.fixture(autouse=True)
def imported(tmp_path, monkeypatch):
    """In a folder of the user's own."""
    (tmp_path / "affine.onnx").write_bytes(logits_of_digits())
    made = import_classifier(tmp_path / "affine.onnx", ImportSettings("digits", limit=64))
    (tmp_path / "mine").mkdir()
    made.save(tmp_path / "mine" / "affine.safetensors")
    monkeypatch.setenv(library.VARIABLE, str(tmp_path / "mine"))


@pytest.mark.parametrize(
    ("script", "query", "shown"),
    [
        ("attack", {"steps": "10", "panel": "This image"}, "logits"),
        ("attack", {"steps": "10", "threat": "latent", "radius": "2"}, "each point that the search evaluated"),
        ("certify", {"samples": "100", "sigma": "0.1"}, "votes"),
        ("bounds", {"radius": "0.02"}, "onnx_graph"),
    ],
    ids=["attack in pixels", "attack in latents", "certify", "bounds"],
)
def test_it_is_attacked_certified_and_bounded_as_any_other(script, query, shown):
    test = opened_page(script, {"model": NAME} | query)
    said = texts(test)
    assert not test.exception and not test.error and not test.warning
    assert "imported from affine.onnx" in said and shown in said
