"""The closest and the farthest member for many pairs."""

import dataclasses
import io

import pytest
import torch
from PIL import Image

from explorer.errors import Cancelled
from explorer.evaluation import pair_metrics
from explorer.papers.learned_sets import open_learned_set
from explorer.papers.learned_sets.extremes import ExtremesSettings, contact_sheet, extremes, problems, worst_pairs
from explorer.types import Silent
from tests.runs.conftest import checkpoint  # noqa: F401
from tests.stopping import Stopped

SETTINGS = ExtremesSettings(steps=4, seed=3, points=True)


@pytest.fixture(scope="module")
def learned(checkpoint):  # noqa: F811
    return open_learned_set(checkpoint)


def test_errors_are_those_of_the_quality_table(learned):
    found = extremes(learned, SETTINGS, Silent())(5, 11)
    clean, perturbed = learned.pairs.fixed(range(5, 11)).both
    table = pair_metrics(learned.checkpoint.model, clean, perturbed, radius=learned.radius, seed=3, first=5, steps=4)
    assert torch.equal(found["closest_error"], table.pgd_error) and torch.equal(found["farthest_error"], table.over_error)


def test_a_pairs_result_depends_on_its_number_alone(learned):
    search = extremes(learned, SETTINGS, Silent())
    together, alone = search(0, 6), search(4, 5)
    assert all(torch.allclose(together[name][4:5], alone[name], rtol=1e-4, atol=1e-6) for name in together)


def test_the_closest_is_closer_than_the_farthest_and_both_lie_inside(learned):
    found = extremes(learned, SETTINGS, Silent())(0, 12)
    assert (found["closest_error"] <= found["farthest_error"]).all()
    for name in ("closest", "farthest"):
        assert (found[f"{name}_norm"] <= learned.radius * (1 + 1e-5)).all()
        assert torch.allclose(found[f"{name}_delta"].norm(dim=1), found[f"{name}_norm"])


def test_points_are_kept_only_where_they_are_asked_for(learned):
    assert not [name for name in extremes(learned, dataclasses.replace(SETTINGS, points=False), Silent())(0, 2) if "delta" in name]


def test_the_worst_pairs_come_first():
    assert worst_pairs({"closest_error": torch.tensor([0.1, 0.5, 0.3, 0.5])}, "closest_error", 3) == [1, 3, 2]


def test_the_sheet_has_a_column_for_each_pair_and_four_rows(learned):
    picture = Image.open(io.BytesIO(contact_sheet(learned, SETTINGS, [7, 2, 5], Silent())))
    assert picture.size == (2 * (3 * 43 - 1), 2 * (4 * 43 - 1))


def test_a_search_can_be_cancelled(learned):
    with pytest.raises(Cancelled):
        extremes(learned, SETTINGS, Stopped())(0, 2)


def test_all_that_is_wrong_is_said_at_once():
    assert len(problems(ExtremesSettings(steps=-1, batch_size=0, radius=float("nan"), limit=0))) == 4
