import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from safetensors import safe_open
from safetensors.torch import load_file, save_file

from explorer import checkpoints
from explorer.checkpoints import Header, describe, load, save
from explorer.errors import CheckpointMismatch, CheckpointTooNew, CheckpointUnreadable, OutputError
from explorer.storage import write_atomically
from tests.tiny import TINY

ROOT = Path(__file__).parents[1]
HEADER = Header(
    kind="learned_set", name="tiny", model="rts_cvae", model_config=TINY, dataset={"name": "digits", "pairs": "rts"}, training={},
    metrics={}, seed=0, radius=3.0, percentile_radii={"25": 1.0, "100": 3.0},
)  # fmt: skip


@pytest.fixture
def path(tmp_path, tiny_model):
    save(tmp_path / "tiny.safetensors", tiny_model, HEADER)
    return tmp_path / "tiny.safetensors"


def rewrite(path, tensors=None, **changes):
    """The same file with other tensors or other header fields."""
    header = {**dataclasses.asdict(HEADER), **changes}
    save_file(load_file(path) if tensors is None else tensors, path, {"explorer": json.dumps(header)})


def test_a_model_comes_back_bit_for_bit(path, tiny_model):
    loaded = load(path).model.state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in tiny_model.state_dict().items())


def test_no_random_number_is_drawn_for_weights_that_the_file_holds(path):
    before = torch.get_rng_state()
    load(path)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_header_comes_back(path):
    assert describe(path) == load(path).header == HEADER


def test_a_loaded_model_is_in_evaluation_mode_and_float32(tmp_path, tiny_model):
    save(tmp_path / "half.safetensors", tiny_model, HEADER, dtype=torch.float16)
    model = load(tmp_path / "half.safetensors").model
    assert not model.training and {p.dtype for p in model.parameters()} == {torch.float32}


def test_half_precision_halves_the_file(path, tmp_path, tiny_model):
    save(tmp_path / "half.safetensors", tiny_model, HEADER, dtype=torch.float16)
    tensors = sum(value.numel() for value in tiny_model.state_dict().values())
    assert path.stat().st_size - (tmp_path / "half.safetensors").stat().st_size > 1.8 * tensors


@pytest.mark.parametrize("keep", [0, 5, 8, 500, -1], ids=lambda keep: f"{keep} bytes")
def test_a_truncated_file_is_unreadable(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointUnreadable, match="tiny.safetensors"):
        load(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 a zip file, as torch.save writes" * 100, b"\x80\x04\x95 pickle" * 100, b"{}" * 500])
def test_another_kind_of_file_is_unreadable(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointUnreadable):
        load(path)


def test_a_header_that_announces_gigabytes_is_refused_without_reading_them(path):
    content = bytearray(path.read_bytes())
    content[:8] = (5 << 30).to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(CheckpointUnreadable):
        load(path)


def test_safetensors_without_our_header_are_refused(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointUnreadable, match="explorer.train"):
        load(tmp_path / "other.safetensors")


def test_a_newer_format_says_to_update(path):
    rewrite(path, format=checkpoints.FORMAT + 1)
    with pytest.raises(CheckpointTooNew, match="Update"):
        load(path)


def test_missing_and_extra_tensors_are_named(path):
    tensors = load_file(path)
    tensors["surplus"] = tensors.pop("generator.merge.bias")
    rewrite(path, tensors)
    with pytest.raises(CheckpointMismatch, match="missing generator.merge.bias.*unexpected surplus"):
        load(path)


def test_a_wrong_shape_is_named_with_the_expected_one(path):
    rewrite(path, model_config={**TINY, "latent_dim": 7})
    with pytest.raises(CheckpointMismatch, match=r"has shape \(6, 256\), expected \(7, 256\)"):
        load(path)


def test_integers_where_floats_belong_are_refused(path):
    tensors = load_file(path)
    rewrite(path, {**tensors, "generator.merge.bias": tensors["generator.merge.bias"].to(torch.int64)})
    with pytest.raises(CheckpointMismatch, match="type I64"):
        load(path)


def test_weights_that_are_not_finite_are_refused(path):
    tensors = load_file(path)
    tensors["generator.merge.bias"][0] = torch.nan
    rewrite(path, tensors)
    with pytest.raises(CheckpointMismatch, match="not finite in generator.merge.bias"):
        load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "rts_cvea"}, "Did you mean 'rts_cvae'"),
        ({"model_config": {"latent_dim": "six"}}, "latent_dim"),
        ({"model_config": {**TINY, "latent_dim": 10**12}}, "latent_dim = 1000000000000: expected 1 to 65536"),
        ({"model_config": {**TINY, "latent_dim": -3}}, "latent_dim = -3"),
        ({"radius": -1.0}, "radius"),
        ({"radius": 1e30}, "radius"),
        ({"percentile_radii": {"25": "far"}}, "percentile"),
        ({"percentile_radii": {"<b>": 1.0}}, "percentile"),
        ({"metrics": {"kl_nats": "low"}}, "metric kl_nats"),
        ({"model_config": {**TINY, "transformers": 10**9}}, "transformers = 1000000000: expected 1 to 64"),
        ({"kind": 7}, "kind"),
        ({"radius": 10**400}, "radius"),
        ({"metrics": {"kl_nats": 10**400}}, "metric kl_nats"),
        ({"model_config": {**TINY, "log_var_bounds": [0, 10**400]}}, "log_var_bounds"),
        ({"model_config": {**TINY, "log_var_bounds": [-1e200, 1e200]}}, "between -50 and 50"),
        ({"model_config": [1, 2]}, "model_config"),
        ({"surprise": 1}, "unknown field 'surprise'"),
    ],
    ids=str,
)
def test_an_impossible_header_is_refused_in_one_message(path, change, message):
    rewrite(path, **change)
    with pytest.raises(CheckpointMismatch, match=message):
        load(path)


TENSOR = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    "table",
    [
        {"__metadata__": "text", "a": TENSOR},
        {"__metadata__": {"explorer": 5}, "a": TENSOR},
        {"a": {**TENSOR, "data_offsets": ["0", "4"]}},
        {"a": {**TENSOR, "data_offsets": [0]}},
        {"a": {**TENSOR, "shape": None}},
        {"a": {**TENSOR, "shape": [-1]}},
        {"a": {**TENSOR, "dtype": ["F32"]}},
        {"a": [1]},
        [TENSOR],
    ],
    ids=str,
)
def test_a_malformed_table_of_contents_is_refused(tmp_path, table):
    text = json.dumps(table).encode()
    (tmp_path / "odd.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    with pytest.raises(CheckpointUnreadable, match="odd.safetensors"):
        describe(tmp_path / "odd.safetensors")


def test_text_that_cannot_be_shown_is_refused(path):
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["explorer"])
    header["dataset"]["name"] = "\ud800"
    save_file(load_file(path), path, {"explorer": json.dumps(header)})
    with pytest.raises(CheckpointUnreadable):
        describe(path)


def test_weights_that_overflow_float32_are_refused(path):
    tensors = load_file(path)
    rewrite(path, {**tensors, "generator.merge.bias": torch.full((1,), 1e300, dtype=torch.float64)})
    with pytest.raises(CheckpointMismatch, match="not finite"):
        load(path)


def test_negative_variances_are_refused(path):
    tensors = load_file(path)
    tensors["prior.block.norm1.running_var"][:] = -5
    rewrite(path, tensors)
    with pytest.raises(CheckpointMismatch, match="negative variances"):
        load(path)


def test_an_unwritable_folder_is_one_message(tmp_path, tiny_model):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        save(tmp_path / "file" / "tiny.safetensors", tiny_model, HEADER)


def test_a_full_disk_leaves_the_old_file_whole(path, tiny_model, monkeypatch):
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        save(path, tiny_model, dataclasses.replace(HEADER, radius=9.0))
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["tiny.safetensors"]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from explorer.errors import OutputError
from explorer.storage import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), bytes(100_000))
except OutputError as error:
    print(error)
"""


def test_a_write_that_the_system_cuts_short_leaves_the_old_file_whole(tmp_path):
    (tmp_path / "model").write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path / "model")], capture_output=True, text=True, cwd=ROOT)
    assert "could not be written: File too large" in done.stdout
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_an_interrupted_write_leaves_no_temporary_file(tmp_path, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "model", b"0")
    assert not list(tmp_path.iterdir())
