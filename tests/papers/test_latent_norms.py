import pytest
import torch

from explorer.errors import Cancelled, ExplorerError
from explorer.evaluation import encode_pairs
from explorer.papers.learned_sets import open_learned_set
from explorer.papers.learned_sets.latent_norms import BATCH, latent_norms
from explorer.types import Silent
from tests.stopping import Stopped
from tests.tiny import save_learned_set


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    return open_learned_set(save_learned_set(tmp_path_factory.mktemp("norms") / "tiny.safetensors"))


def test_the_norms_are_those_of_the_fixed_test_pairs(learned):
    *_, found = latent_norms(learned, 40, Silent())
    clean, perturbed = learned.pairs.fixed(range(40)).both
    assert torch.allclose(found.norms, encode_pairs(learned.checkpoint.model, clean, perturbed).norms, rtol=1e-4)


def test_what_was_done_stands_beside_each_norm(learned):
    *_, found = latent_norms(learned, 40, Silent())
    assert list(found.parameters) == list(learned.pairs.parameter_names)
    assert found.parameters["rotation (degrees)"].abs().max() <= 45 and len(found.parameters["scale"]) == 40
    assert torch.equal(found.labels, learned.images.labels[:40])


def test_norms_come_batch_by_batch_and_the_read_out_last(learned):
    tables = list(latent_norms(learned, None, Silent()))
    assert [len(table.norms) for table in tables] == [BATCH, 2 * BATCH, len(learned.images)]
    assert [set(table.read_out) for table in tables] == [set(), set(), set(learned.pairs.parameter_names)]


def test_too_few_pairs_have_no_read_out(learned):
    *_, found = latent_norms(learned, 20, Silent())
    assert found.read_out == {}


def test_it_stops_on_request(learned):
    with pytest.raises(Cancelled):
        next(latent_norms(learned, 20, Stopped()))


def test_a_diverged_encoder_is_named(learned, monkeypatch):
    with torch.no_grad():
        parameter = next(iter(learned.checkpoint.model.recognition.parameters()))
        monkeypatch.setattr(parameter, "data", torch.full_like(parameter, torch.nan))
        with pytest.raises(ExplorerError, match="not finite: the encoding of 20 pairs"):
            next(latent_norms(learned, 20, Silent()))
