"""Tables that no memory holds: learned from a sample, packed onto the disk, written portion by portion."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest
import torch

from gansmith.data.readers import limits
from gansmith.kinds.opening import open_dataset
from gansmith.kinds.tables import large, streams
from gansmith.kinds.tables.build import build_table
from gansmith.kinds.tables.files import table_from_parquet

pa = pytest.importorskip("pyarrow")
ROWS = 900


@pytest.fixture
def shop(tmp_path):
    """A Parquet file of columns of every type, in row groups."""
    from pyarrow.parquet import write_table

    rng = np.random.default_rng(0)
    low = rng.normal(50, 9, ROWS).round(3)
    day = [datetime(2024, 1, 1) + timedelta(minutes=int(x)) for x in rng.integers(0, 10**5, ROWS)]
    columns = {
        "price": pa.array(
            [None if gap else x for x, gap in zip(rng.normal(size=ROWS).tolist(), rng.random(ROWS) < 0.1, strict=True)]
        ),
        "count": pa.array(rng.integers(0, 4, ROWS)),
        "number": pa.array(rng.permutation(ROWS * 5)[:ROWS] - 900, pa.int32()),
        "when": pa.array(day, pa.timestamp("ms")),
        "day": pa.array([date(2020, 1, 1) + timedelta(days=int(x)) for x in rng.integers(0, 999, ROWS)]),
        "word": pa.array(rng.choice(["a", "b", None], ROWS).tolist()),
        "yes": pa.array(rng.random(ROWS) < 0.3),
        "written": pa.array([f"{x:.2f}" for x in rng.normal(5, 2, ROWS)]),
        "low": pa.array(low),
        "high": pa.array((low + rng.exponential(3, ROWS)).round(3)),
        "huge": pa.array(rng.integers(2**60, 2**60 + 10**6, ROWS)),
        "id": pa.array([f"u{x}" for x in rng.permutation(ROWS)]),
    }
    path = tmp_path / "shop.parquet"
    write_table(pa.table(columns), path, row_group_size=200)
    return path


def opened(monkeypatch, path, cache, **sizes):
    for name, value in {"LARGE": 1000, "SAMPLE": ROWS, "AT_ONCE": 128, **sizes}.items():
        monkeypatch.setattr(large, name, value)
    monkeypatch.setenv("GANSMITH_CACHE", str(cache))
    return open_dataset(path, kind="tables")


def test_a_large_table_is_packed_as_a_small_one_is(monkeypatch, shop, tmp_path):
    """All rows are in the sample here, so that the codec is the same; only ranks among equal numbers are drawn anew."""
    small = build_table(table_from_parquet([shop], "shop"))
    data = opened(monkeypatch, shop, tmp_path / "cache")
    assert isinstance(data.arrays["row"], np.memmap) and len(data) == ROWS
    assert data.codec.to_json() == small.codec.to_json() and "drawn at random" in data.facts["notes"][0]
    found, expected = (small.codec.table(each.packed(slice(None))) for each in (data, small))
    for name in ("price", "count", "number", "when", "day", "word", "yes", "written", "low", "high"):
        same = [a == b for a, b in zip(found[name], expected[name], strict=True)]
        assert np.mean(same) > (0.99 if name != "high" else 0.9), name


def test_a_large_table_is_packed_once_and_again_where_the_file_changed(monkeypatch, shop, tmp_path):
    first = opened(monkeypatch, shop, tmp_path / "cache")
    monkeypatch.setattr(large, "sample_of", lambda *_: pytest.fail("read again"))
    again = opened(monkeypatch, shop, tmp_path / "cache")
    assert again.fingerprint == first.fingerprint
    resumed = large.build_large([shop], "shop", ROWS, tmp_path / "cache", codec=first.codec)
    assert resumed.fingerprint == first.fingerprint
    shop.touch()
    with pytest.raises(BaseException, match="read again"):
        opened(monkeypatch, shop, tmp_path / "cache")


def test_what_the_sample_lacks_is_drawn_among_the_others(monkeypatch, tmp_path):
    from pyarrow.parquet import write_table

    words = ["a"] * 500 + ["b"] * 480 + ["c"] * 20
    numbers = [1.0, 2.0] * 450 + [None] * 10 + [7.0] * 90
    write_table(pa.table({"word": words, "x": numbers, "y": np.arange(1000.0) ** 1.5}), tmp_path / "t.parquet")
    data = opened(monkeypatch, tmp_path / "t.parquet", tmp_path / "cache", SAMPLE=40)
    table = data.codec.table(data.packed(slice(None)))
    assert set(table["word"]) <= {"a", "b", "c"} and len(data) == 1000
    assert np.isfinite(data.packed(slice(None))["row"]).all()
    ranks = data.packed(slice(None))["row"][:, -1]
    assert abs(ranks.mean()) < 0.5 and np.all(np.diff(ranks) >= 0)


def test_a_streamed_table_may_have_more_cells_than_memory(monkeypatch, shop, tmp_path):
    monkeypatch.setenv(limits.VARIABLE, "cells=5000")
    assert len(opened(monkeypatch, shop, tmp_path / "cache")) == ROWS


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_written_in_portions_are_those_written_together(monkeypatch, shop, tmp_path, suffix):
    data = build_table(table_from_parquet([shop], "shop"))
    codec, batches = data.codec, [data.batch(np.arange(at, at + 100)) for at in range(0, ROWS, 100)]
    whole = {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}
    codec.write(codec.decode(whole), tmp_path / f"whole{suffix}")
    monkeypatch.setattr(streams, "PORTION", 250)
    assert codec.stream(iter(batches), tmp_path / f"parts{suffix}") == [tmp_path / f"parts{suffix}"]
    if suffix == ".csv":
        one, other = ((tmp_path / f"{name}.csv").read_text() for name in ("whole", "parts"))
        assert one == other
        return
    from pyarrow.parquet import ParquetFile, read_table

    one, other = (read_table(tmp_path / f"{name}.parquet") for name in ("whole", "parts"))
    assert one.equals(other) and ParquetFile(tmp_path / "parts.parquet").num_row_groups == 4
    assert len(set(other["id"].to_pylist())) == ROWS
    assert codec.stream(iter(batches[:1]), tmp_path) == [tmp_path / "rows.csv"]
    assert codec.stream(iter(batches[:1]), tmp_path) == [tmp_path / "rows-1.csv"]


def test_whole_numbers_stay_such_where_cells_are_missing(tmp_path):
    from pyarrow.parquet import read_schema, write_table

    drawn = np.random.default_rng(0).normal(size=400).round(1) * 10
    write_table(pa.table({"n": [*drawn.astype(int).tolist(), *[None] * 100], "x": np.arange(500) % 7}), tmp_path / "t.parquet")
    data = build_table(table_from_parquet([tmp_path / "t.parquet"], "t"))
    for rows in (slice(0, 100), slice(350, 450), slice(420, 500)):
        data.codec.stream([data.batch(rows)], tmp_path / f"{rows.start}.parquet")
        assert read_schema(tmp_path / f"{rows.start}.parquet").field("n").type == pa.int64()


def test_a_column_of_which_one_value_is_kept_stays_and_decides_nothing(tmp_path):
    """Of 19 numbers that one row each has, none is kept: the column is 0 throughout, and what went with them is not lost."""
    rare, rng = list(range(1, 20)), np.random.default_rng(0)
    lines = [f"{n},{'boss' if n else 'worker'},{x:.3f}" for n, x in zip([0] * 181 + rare, rng.normal(size=200), strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["n,level,x", *lines]) + "\n")
    data = open_dataset(tmp_path / "t.csv", kind="tables")
    assert not [rule for rule in data.codec.rules if rule.column == "level"]
    table = data.codec.table(data.packed(slice(None)))
    assert list(table) == ["n", "level", "x"] and set(table["n"]) == {"0"}
    assert table["level"].count("boss") == 19
