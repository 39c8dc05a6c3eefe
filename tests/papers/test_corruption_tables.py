"""Tables 5 to 8 of Perturbation sets."""

import dataclasses
import json
from pathlib import Path

import pytest

from explorer.checkpoints import Header
from explorer.papers import EXPERIMENTS, status
from explorer.papers.learned_sets import tables
from explorer.papers.learned_sets.corruption_tables import LABELS, QUALITY, table5, table6
from explorer.papers.results import Results
from tests.papers.test_catalogue import measured

ITEMS = {item.key: item for item in tables.LEARNED_SETS.items}


def test_the_networks_have_the_published_number_of_parameters():
    layers = {row.label: row.measured[0] for filled in (table5(Results()), table6(Results())) for row in filled.rows}
    assert layers.pop("all three networks") == sum(layers.values()) == 34_332_992
    assert layers["recognition: mean"] == 512 * 16 * 32 * 32 + 512 and status(ITEMS["table-5"], Results())[0] == "done"


def test_a_row_of_table_7_is_read_from_squared_errors_alone():
    table = measured("cifar10c-centred", settings={**measured("mnist-rts").settings, "distance": "squared_error"}, dataset="cifar10")
    filled = ITEMS["table-7"].fill(Results((("learned_sets.quality", table, Path("x.json")),)))
    assert [row.label for row in filled.rows] == [LABELS[name] for name in QUALITY]
    assert filled.rows[0].measured[1:] == table.means and filled.rows[0].paper[2] == 0.006 and filled.rows[1].measured is None
    other = ITEMS["table-7"].fill(Results((("learned_sets.quality", measured("cifar10c-centred"), Path("x.json")),)))
    assert other.rows[0].measured is None


@pytest.mark.parametrize("name", ["cifar10c-centred", "scenes-corruptions"])
def test_the_norms_are_those_of_the_header(name):
    training = json.loads(json.dumps(dataclasses.asdict(EXPERIMENTS[name].config)))
    header = Header(
        kind="learned_set", name=name, model="residual_cvae", model_config={}, dataset={}, training=training, metrics={"norm_mean": 6.0, "norm_deviation": 5.0}, seed=0,
        radius=26.0, percentile_radii={"25": 2.5, "50": 4.0, "75": 10.0, "100": 26.0},
    )  # fmt: skip
    rows = {row.label: row for row in ITEMS["table-8"].fill(Results(checkpoints=((Path(f"{name}.safetensors"), header),))).rows}
    row = rows[LABELS[name]]
    assert row.measured == (0.01, 6.0, 5.0, 2.5, 4.0, 10.0, 26.0) and not row.differences and row.own == (name == "scenes-corruptions")
