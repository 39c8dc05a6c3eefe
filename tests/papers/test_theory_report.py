import math

import pytest
import torch

from explorer.errors import Cancelled, InvalidInput
from explorer.evaluation import encode_pairs, measure_objective
from explorer.papers.learned_sets import open_learned_set
from explorer.papers.learned_sets.theory_report import FIRST, SAMPLES, promises, theory_report
from explorer.types import Silent
from explorer.ui.library import SHIPPED
from tests.stopping import Stopped


@pytest.fixture(scope="module")
def learned():
    return open_learned_set(SHIPPED / "learned_sets" / "digits-rts.safetensors")


@pytest.fixture(scope="module")
def reports(learned):
    return list(theory_report(learned, 12, 0, Silent()))


def test_the_first_numbers_come_after_a_few_pairs(reports):
    assert [len(report.measured.error) for report in reports] == [FIRST, 12]


def test_a_pair_is_the_same_in_every_batch(learned, reports):
    whole = measure_objective(learned.checkpoint.model, *learned.pairs.fixed(range(12)).both, 0, SAMPLES)
    assert torch.allclose(whole.log_likelihood, reports[-1].objective.log_likelihood, rtol=1e-5)
    assert torch.allclose(reports[0].likelihood.log_likelihood, reports[-1].likelihood.log_likelihood[:FIRST], rtol=1e-5)


def test_the_closest_member_is_no_farther_out_than_the_encoding(learned, reports):
    norms = encode_pairs(learned.checkpoint.model, *learned.pairs.fixed(range(12)).both).norms
    assert torch.allclose(reports[-1].measured.radius, norms.double(), rtol=1e-5)


@pytest.mark.parametrize("alpha", [0.001, 0.5, 0.999])
def test_theorem_1_is_kept_on_every_pair(reports, alpha):
    assert promises(reports[-1], alpha).kept == 1


def test_what_is_measured_keeps_its_order(reports):
    made = promises(reports[-1], 0.1)
    assert made.measured_error <= made.delta and math.log(made.expected_error) <= made.log_bound
    assert made.log_likelihood_bound <= made.log_likelihood


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.5, math.nan])
def test_an_impossible_alpha_is_refused(reports, alpha):
    with pytest.raises(InvalidInput, match="strictly between 0 and 1"):
        promises(reports[-1], alpha)


def test_it_stops_on_request(learned):
    with pytest.raises(Cancelled):
        next(theory_report(learned, 5, 0, Stopped()))
