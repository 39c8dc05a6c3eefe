"""What a training step costs with each method: counted, and as Table 3 says."""

from pathlib import Path

import pytest
import torch

from explorer.errors import CheckpointError, ConfigurationError
from explorer.papers import PAPERS, RESULTS, Results, read_results, save_result
from explorer.papers.adversarial_augmentation.cost_table import COLUMNS, TABLE_3, table_3
from explorer.papers.adversarial_augmentation.costs import COSTS_KIND, METHODS, CostSettings, cost_table, counted
from explorer.papers.adversarial_augmentation.opening import open_backbone
from explorer.papers.base import status
from explorer.papers.report import find_item
from explorer.sets import LpBall
from explorer.studies.classifiers import open_classifier
from explorer.types import Silent
from tests.tiny_backbones import save_backbone
from tests.tiny_budgets import save_tiny

STEPS, IMAGES, WEIGHTS = 3, 4, 2  # M, in a batch, and so many images searched together


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("costs")
    edsr, unet = (save_backbone(folder, model) for model in ("edsr", "completion_unet"))
    opened = open_classifier(save_tiny(folder, learned=False))
    settings = CostSettings(str(unet), str(edsr), STEPS, IMAGES, WEIGHTS, repetitions=1)
    return opened, opened.images.images[:IMAGES], cost_table(opened, "digest", settings, Silent()), unet


def line(measured, name: str) -> dict[str, float]:
    table = measured[2]
    return {column: getattr(table, column)[table.methods.index(name)] for column in ("forward", "backward", "network_forward", "network_backward", "projections", "projected")}


@pytest.mark.parametrize(
    ("name", "passes"),
    {
        "nominal": (1, 1, 0, 0, 0),
        "AdA": (STEPS + 2, STEPS + 1, STEPS + 1, STEPS, STEPS),  # the search, its last point, and the training's own pass
        "AT": (STEPS + 2, STEPS + 1, 0, 0, STEPS),
        "TRADES": (STEPS + 4, STEPS + 2, 0, 0, STEPS + 1),  # also at the image, before and in the loss; its start is projected
        "AWP": (STEPS + 3, STEPS + 2, 0, 0, STEPS),  # W = 1
        "SAM": (2, 2, 0, 0, 0),
        "AugMix": (3, 3, 0, 0, 0),  # two mixtures beside the image
        "DeepAugment": (1, 1, 1, 0, 0),
    }.items(),
)
def test_each_image_passes_as_often_as_the_orders_say(measured, name, passes):
    assert tuple(line(measured, name).values())[:5] == passes


def test_a_projection_changes_all_weights_or_all_pixels(measured):
    _, images, table, unet = measured
    assert line(measured, "AT")["projected"] == STEPS * images[0].numel()
    assert line(measured, "AdA")["projected"] == STEPS * sum(each.numel() for each in open_backbone(unet).model.parameters())
    assert min(table.seconds) > 0


def test_measuring_leaves_the_classifier_as_it_is(measured):
    opened, _, _, unet = measured
    before = {name: each.clone() for name, each in opened.checkpoint.model.state_dict().items()}
    cost_table(opened, "digest", CostSettings(str(unet), steps=1, batch_size=2, repetitions=1), Silent())
    assert all(torch.equal(each, before[name]) for name, each in opened.checkpoint.model.state_dict().items())


def test_counting_ends_where_it_ends():
    with counted() as calls:
        LpBall(2, 0.1).at(torch.rand(2, 1, 4, 4)).region.project(torch.ones(2, 1, 4, 4))
    LpBall(2, 0.1).at(torch.rand(2, 1, 4, 4)).region.project(torch.ones(2, 1, 4, 4))
    assert (calls.projections, calls.projected) == (2, 32)


def test_a_network_that_is_missing_is_named_and_deepaugments_left_out(measured):
    opened, _, table, unet = measured
    few = {"steps": 1, "batch_size": 2, "repetitions": 1}
    with pytest.raises(CheckpointError, match="nowhere"):
        cost_table(opened, "digest", CostSettings("nowhere.safetensors", **few), Silent())
    found = cost_table(opened, "digest", CostSettings(str(unet), "nowhere.safetensors", **few), Silent())
    assert set(METHODS) - set(found.methods) == {"DeepAugment"} and "nowhere" in found.warnings[0]
    with pytest.raises(ConfigurationError) as error:
        cost_table(opened, "digest", CostSettings(batch_size=0, steps=0), Silent())
    assert len(error.value.problems) == 2


def test_table_3_stands_beside_the_papers_orders(measured, tmp_path):
    table = measured[2]
    filled = table_3(Results(((COSTS_KIND, table, Path("costs.json")),)))
    assert [row.label.split(" (")[0] for row in filled.rows[:8]] == list(TABLE_3) and all(len(row.paper) == len(COLUMNS) for row in filled.rows)
    assert [row.label for row in filled.rows if row.measured is None] == ["PAT (O(M·S), O(M·S), O(N))"]
    assert filled.rows[-1].label.startswith("nominal") and filled.rows[-1].measured[-1] == 1 and filled.rows[-1].own
    assert {"batches of 4 (paper 1024)", "M = 3 (paper 10)"} <= set(filled.rows[0].differences)
    save_result(COSTS_KIND, table, tmp_path / "costs.json")
    results = read_results(RESULTS, (tmp_path,))
    assert results.of(COSTS_KIND)[0][0] == table
    assert status(find_item(PAPERS["adversarial_augmentation"], "table", 3), results)[0] == "short run"
