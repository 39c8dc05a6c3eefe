"""Work over many examples survives being stopped anywhere."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from explorer.batches import over_batches, shared_with_others
from explorer.errors import Cancelled, ExplorerError
from explorer.types import Silent
from tests.stopping import StopAt


def squares(asked=None):
    def compute(first, last):
        if asked is not None:
            asked.append((first, last))
        numbers = torch.arange(first, last)
        return {"number": numbers, "square": numbers.double() ** 2}

    return compute


def last_of(folder, compute, count=10, size=4, progress=None):
    *_, columns = over_batches(folder, count, size, compute, progress or Silent())
    return columns


def test_columns_grow_batch_by_batch(tmp_path):
    sizes = [len(columns["number"]) for columns in over_batches(tmp_path, 10, 4, squares(), Silent())]
    assert sizes == [4, 8, 10]


def test_after_a_stop_no_example_is_redone_or_lost(tmp_path):
    asked = []
    with pytest.raises(Cancelled):
        last_of(tmp_path, squares(asked), progress=StopAt(8))
    columns = last_of(tmp_path, squares(asked))
    assert asked == [(0, 4), (4, 8), (8, 10)]
    assert columns["number"].tolist() == list(range(10)) and columns["square"][9] == 81


def test_progress_starts_where_the_work_was_stopped(tmp_path):
    with pytest.raises(Cancelled):
        last_of(tmp_path, squares(), progress=StopAt(8))
    watched = StopAt(99)
    last_of(tmp_path, squares(), progress=watched)
    assert watched.seen == [8, 10]


@pytest.mark.parametrize("damage", [b"", b"half", None])
def test_a_damaged_batch_is_computed_again(tmp_path, damage):
    first, asked = last_of(tmp_path, squares()), []
    file = tmp_path / "000000004.safetensors"
    file.write_bytes(file.read_bytes()[:-8] if damage is None else damage)
    again = last_of(tmp_path, squares(asked))
    assert asked == [(4, 8)] and torch.equal(first["square"], again["square"])


def test_a_file_left_behind_by_a_kill_is_no_batch(tmp_path):
    (tmp_path / ".000000000.safetensors.abc").write_bytes(b"half")
    assert len(last_of(tmp_path, squares())["number"]) == 10


def test_a_wrong_number_of_rows_is_named_and_nothing_is_kept(tmp_path):
    with pytest.raises(ExplorerError, match="batch of 4 examples.*number has 3"):
        last_of(tmp_path, lambda first, last: {"number": torch.zeros(3)})
    assert not list(tmp_path.iterdir())


def shared_here(folder, asked, at_first=None):
    """In a thread of its own: what one of several finds, and which batches it was asked for."""

    def compute(first, last):
        asked.append((first, last))
        if at_first:
            at_first()
        return squares()(first, last)

    with shared_with_others():
        return last_of(folder, compute, count=40, size=4)


def test_batches_that_another_version_has_measured_are_named(tmp_path):
    with pytest.raises(Cancelled):
        last_of(tmp_path, squares(), progress=StopAt(4))
    with pytest.raises(ExplorerError, match="hold number, square and cube: another version"):
        last_of(tmp_path, lambda first, last: {"cube": torch.arange(first, last) ** 3})
    assert len(list(tmp_path.glob("*.safetensors"))) == 2


def test_of_several_each_does_other_batches_and_all_find_all(tmp_path):
    asked, barrier = [[], [], []], threading.Barrier(3)
    once = [iter([barrier.wait]) for _ in asked]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda number: shared_here(tmp_path, asked[number], lambda: next(once[number], lambda: None)()), range(3)))
    assert sorted(sum(asked, [])) == [(first, first + 4) for first in range(0, 40, 4)], "each batch once"
    assert all(asked) and all(columns["square"].tolist() == [n * n for n in range(40)] for columns in found)


def test_what_one_leaves_undone_another_does_and_no_more(tmp_path):
    def stopped(first, last):
        if first == 8:
            raise Cancelled("killed")
        return squares()(first, last)

    with pytest.raises(Cancelled), shared_with_others():
        last_of(tmp_path, stopped, count=40, size=4)
    assert shared_here(tmp_path, asked := [])["number"].tolist() == list(range(40))
    assert asked == [(first, first + 4) for first in range(8, 40, 4)]
