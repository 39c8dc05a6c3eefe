from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.ui import library
from tests.onnx_writer import model, node

GALLERY = Path(__file__).parents[2] / "pages" / "gallery.py"


@pytest.fixture
def gallery(tmp_path, monkeypatch):
    """Without the shipped checkpoints, whose cards take time."""
    monkeypatch.setattr(library, "UPLOADS", tmp_path / "uploads")
    monkeypatch.setattr(library, "SHIPPED", tmp_path / "shipped")
    monkeypatch.delenv(library.VARIABLE, raising=False)
    return AppTest.from_file(str(GALLERY), default_timeout=120).run()


def sent(gallery, name, content):
    gallery.file_uploader(key="import.file").upload(name, content, "application/octet-stream")
    gallery.selectbox(key="import.dataset").set_value("digits")
    (button,) = (each for each in gallery.button if each.label == "Import")
    return button.click().run()


def test_an_onnx_file_gets_a_card(gallery):
    weights = {"w": torch.randn(10, 784, generator=torch.Generator().manual_seed(0)), "b": torch.zeros(10)}
    content = model([node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "w", "b"], ["y"], transB=1)], weights, {"x": (None, 1, 28, 28)})
    done = sent(gallery, "mine.onnx", content)
    assert not done.exception and any(each.value.startswith("upload/mine-") for each in done.subheader)
    assert any("is in the gallery" in each.value for each in done.success)


def test_a_file_that_is_none_is_one_message(gallery):
    done = sent(gallery, "mine.onnx", b"this is no network")
    assert not done.exception and any("not ONNX" in each.value for each in done.warning)
