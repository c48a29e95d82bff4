"""Memory maps are read a few rows at a time, and never joined in memory."""

import mmap
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skl_lstmae import _freed_memory as freed_memory
from skl_lstmae.data import mapped
from skl_lstmae.data.mapped import MappedRows, is_mapped, side_by_side
from skl_lstmae.data.reading import read
from skl_lstmae.data.sequences import Sequences
from skl_lstmae.data.weights import digest

RNG = np.random.default_rng(0)
TABLES = [RNG.normal(size=(n, 2)).astype(np.float32) for n in (4, 1, 7)]


def on_disk(folder, tables, mode="r"):
    """Return memory maps of tables, each of a file of its own."""
    for i, table in enumerate(tables):
        np.save(folder / f"{i}.npy", table)
    return [np.load(folder / f"{i}.npy", mmap_mode=mode) for i in range(len(tables))]


@pytest.fixture
def rows(tmp_path):
    return side_by_side(on_disk(tmp_path, TABLES))


def test_rows_are_those_of_the_tables_joined(rows):
    joined = np.concatenate(TABLES)
    assert (rows.shape, len(rows), rows.dtype) == (joined.shape, 12, joined.dtype)
    for chosen in slice(2, 8), slice(0, 0), slice(12), slice(4, 5):
        assert_array_equal(rows[chosen], joined[chosen])
    for numbers in [11, 0, 4, 4, 5], [[3, 4], [10, 2]], np.zeros(0, dtype=int):
        assert_array_equal(rows[np.array(numbers)], joined[np.array(numbers)])


def test_pieces_are_tables_of_their_own_and_may_repeat(rows):
    joined = np.concatenate(TABLES)
    pieces = rows.pieces(np.array([6, 0, 6]), np.array([3, 2, 3]))
    assert_array_equal(pieces[:], joined[[6, 7, 8, 0, 1, 6, 7, 8]])
    assert all(map(is_mapped, pieces.tables))


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float16, ">f4", bool])
def test_numbers_of_any_kind_become_float64_once_they_are_read(dtype, tmp_path):
    numbers = (100 * TABLES[2]).astype(np.int16).astype(dtype)
    (table,) = on_disk(tmp_path, [numbers])
    values = read([table])[0].values
    assert values.tables[0].dtype == dtype
    assert_array_equal(values[:], numbers.astype(np.float64), strict=True)


def test_one_table_of_float64_among_others_makes_all_float64(tmp_path):
    values = read([*on_disk(tmp_path, TABLES), TABLES[0].astype(np.float64)])[0].values
    assert_array_equal(values[:], np.concatenate(TABLES, dtype=np.float64)[[*range(12), *range(4)]])
    assert values[:5].dtype == values[np.array([0])].dtype == np.float64


def test_what_is_in_memory_is_no_memory_map(tmp_path):
    (table,) = on_disk(tmp_path, [TABLES[2]])
    assert [is_mapped(x) for x in (table, np.asarray(table)[2:, :1], table.T)] == [True] * 3
    assert [is_mapped(x) for x in (table + 1, TABLES[2], np.ma.array(table), [1.0])] == [False] * 4
    assert isinstance(side_by_side(TABLES), np.ndarray)


def test_sequences_that_count_more_than_once_are_not_copied(rows):
    sequences = Sequences(rows, np.array([0, 4, 5]), np.array([4, 1, 7]))
    gathered = sequences.take([2, 0, 2]).gathered()
    assert isinstance(gathered.values, MappedRows)
    assert_array_equal(gathered.values[:], np.concatenate([TABLES[i] for i in (2, 0, 2)]))
    assert gathered.starts.tolist() == [0, 7, 11]


@pytest.mark.parametrize(("mode", "are_let_go"), [("r", True), ("r+", True), ("c", False)])
def test_what_was_read_is_let_go_of_but_never_what_was_written(
    mode, are_let_go, tmp_path, monkeypatch
):
    tables = on_disk(tmp_path, TABLES, mode)
    if mode != "r":
        tables[0][0] = 9.0
    rows = side_by_side(tables)
    expected = rows[:].copy()
    monkeypatch.setattr(mapped, "MAX_RESIDENT", 0)
    assert (len(rows._maps) == 3) == are_let_go
    assert_array_equal(rows[:], expected)
    assert_array_equal(rows[np.arange(12)], expected)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells")
def test_reading_all_of_a_file_leaves_little_of_it_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "MAX_RESIDENT", 2**20)
    table = np.memmap(tmp_path / "table", np.float32, "w+", shape=(2**21, 8))  # 64 MiB
    rows = side_by_side([table])
    before = resident_pages()
    for start in range(0, len(rows), 2**12):
        assert rows[start : start + 2**12].sum() == 0
    assert resident_pages() - before < 2**23 / mmap.PAGESIZE


@pytest.mark.parametrize("library", [object(), None], ids=["another", "none"])
def test_a_c_library_other_than_glibc_is_left_alone(library, monkeypatch):
    def open_library(name):
        if library is None:
            raise OSError
        return library

    freed_memory._malloc_trim.cache_clear()
    monkeypatch.setattr(freed_memory.ctypes, "CDLL", open_library)
    assert freed_memory._malloc_trim() is None
    freed_memory.return_freed_memory()
    freed_memory._malloc_trim.cache_clear()


def resident_pages():
    """Return how many pages of files this process has in memory."""
    return int(Path("/proc/self/statm").read_text("utf-8").split()[2])


def test_the_digest_of_a_long_sequence_takes_little_memory():
    long = np.ones((2**20, 8), dtype=np.float32)
    long[::3] = -0.0
    expected = digest(long.astype(np.float64) + 0.0)
    tracemalloc.start()
    try:
        assert digest(long) == expected
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()
