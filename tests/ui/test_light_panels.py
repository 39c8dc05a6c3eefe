from dataclasses import asdict, replace

import pytest

from explorer.checkpoints import describe
from explorer.measuring import plain
from explorer.papers.learned_sets.segmentation_measured import CertifiedSettings, CertifiedTable, RobustSettings, RobustTable
from explorer.runs.kinds import specify
from explorer.ui.background import JOBS
from explorer.ui.checkpoint_kinds import kind_of
from explorer.ui.run_views import VIEWS
from tests.apps import opened_page, settled, texts
from tests.runs.conftest import made, store  # noqa: F401
from tests.tiny_light import EDGE, save_lighting_set, save_segmenter, small_scenes


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A learned set of lights in a folder of one's own."""
    small_scenes(monkeypatch, tmp_path / "cache")
    folder = tmp_path / "own"
    folder.mkdir()
    save_lighting_set(folder / "lights.safetensors")
    monkeypatch.setenv("EXPLORER_CHECKPOINTS", str(folder))
    return "own/lights"


def test_a_scene_is_seen_under_the_light_of_the_link_beside_the_closest_member(model):
    page = opened_page("learned_sets", {"model": model, "panel": "Relighting", "light": "7"})
    assert not page.exception and "closest member" in texts(page)
    (light,) = [each for each in page.selectbox if each.label == "Light"]
    assert light.value == 7
    light.set_value(3).run()
    assert not page.exception and page.query_params["light"] in ("3", ["3"])


def test_a_light_that_there_is_not_is_said(model):
    page = opened_page("learned_sets", {"model": model, "panel": "Relighting", "light": "31"})
    assert not page.exception and "light" in texts(page)


def test_a_set_of_digits_has_no_lights():
    page = opened_page("learned_sets", {"model": "digits-rts", "panel": "Relighting"})
    assert not page.exception and "not one of lights" in texts(page)


def files(page) -> list[str]:
    """What there is to download."""
    return [each.label for each in page.get("download_button")]


def test_materials_are_named_under_a_scenes_own_light_and_under_the_worst_one_found(model, tmp_path):
    save_segmenter(tmp_path / "own" / "names.safetensors", tmp_path / "own" / "lights.safetensors")
    page = opened_page("learned_sets", {"model": model, "panel": "Materials"})
    assert not page.exception and not page.error and files(page).count("Maps (PNG)") == 1 and page.query_params["segmenter"] in ("own/names", ["own/names"])
    (measure,) = [each for each in page.button if each.label == "Measure"]
    settled(measure.click().run(), JOBS)
    assert not page.exception and not page.error and files(page).count("Maps (PNG)") == 2, [each.value for each in page.error]


def test_without_a_segmenter_the_command_that_trains_one_is_said(model):
    page = opened_page("learned_sets", {"model": model, "panel": "Materials"})
    assert not page.exception and "segmentation-scenes-pairs" in texts(page)


def test_a_segmenter_that_is_not_here_is_said(model, tmp_path):
    save_segmenter(tmp_path / "own" / "names.safetensors", tmp_path / "own" / "lights.safetensors")
    page = opened_page("learned_sets", {"model": model, "panel": "Materials", "segmenter": "own/other"})
    assert not page.exception and "own/other" in texts(page) and "not here" in texts(page)


def test_a_set_of_digits_has_no_materials():
    page = opened_page("learned_sets", {"model": "digits-rts", "panel": "Materials"})
    assert not page.exception and "no map of materials" in texts(page)


def test_a_segmenters_card_draws_its_maps_and_leads_to_the_panel_of_its_lights(model, tmp_path):
    path = save_segmenter(tmp_path / "own" / "names.safetensors", tmp_path / "own" / "lights.safetensors")
    kind = kind_of(describe(path))
    assert kind.label == "segmenter of materials" and kind.facts(describe(path)) == [] and kind.usable(path).pairs
    sheet = kind.sheet(str(path), path.stat().st_mtime_ns, 0)
    assert sheet.shape == (3 * EDGE + 2, 10 * EDGE + 9, 3) and (sheet[:EDGE] != kind.sheet(str(path), path.stat().st_mtime_ns, 1)[:EDGE]).any()
    query = kind.query(describe(path), "own/names")
    assert query == {"model": model, "panel": "Materials", "segmenter": "own/names"}
    page = opened_page("learned_sets", query)
    assert not page.exception and "not here" not in texts(page) and files(page).count("Maps (PNG)") == 1
    (tmp_path / "own" / "lights.safetensors").unlink()
    assert kind.query(describe(path), "own/names") is None, "scenes-lighting is of another size"


OF = {"checkpoint": "names", "images": 4, "available": 25, "training": {}, "dataset": "lit_scenes", "digest": "abc", "learned_set": "lights", "learned_set_digest": "d", "epsilon": 2.0, "materials": ("wall", "floor")}
ROBUST = RobustTable(**OF, settings=plain(RobustSettings()), radii=(1.0, 2.0), accuracy=0.9, accuracy_error=0.01, iou=0.7, robust=(0.8, 0.6), robust_errors=(0.02, 0.03), robust_ious=(0.5, 0.4))
CERTIFIED = CertifiedTable(
    **OF, settings=plain(CertifiedSettings()), sigma=0.5, radii=(0.0, 0.5, 1.0), certified=(0.8, 0.5, 0.1), certified_errors=(0.01, 0.01, 0.01), accuracy=0.85, abstained=0.04, attacked_radii=(1.0,), empirical=(0.7,),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "table", "count"), [("segmentation", ROBUST, 3), ("certified_segmentation", CERTIFIED, 3)], ids=["robust", "certified"])
def test_runs_that_measure_segmenters_show_their_curves_and_rows_alone_and_side_by_side(store, model, tmp_path, kind, table, count):  # noqa: F811
    path = save_segmenter(tmp_path / "own" / "names.safetensors", tmp_path / "own" / "lights.safetensors")
    first, _ = [made(specify(kind, {"checkpoint": str(path)}, {}, "cpu", seed=seed), results={kind: asdict(replace(table, learned_set_digest=f"d{seed}"))}) for seed in range(2)]
    page = opened_page("runs", {"run": "1"})
    assert not page.exception and not page.error and len(page.get("plotly_chart")) == 1, [each.value for each in page.error]
    assert "Attack found" in texts(page) and "4 of 25 pictures, set lights with ε = 2.00" in texts(page)
    assert len(VIEWS[kind].rows(first)) == count and VIEWS[kind].rows(first)[0]["radius"] == 0.0
    compared = opened_page("runs", {"run": "1,2"})
    assert not compared.exception and not compared.error and "different learned sets" in texts(compared)
