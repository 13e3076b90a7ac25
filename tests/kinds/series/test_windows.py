"""Windows of series against windows that are cut one by one, what is held out, and the memory that long series take."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gansmith.data.windowed import Windows
from gansmith.errors import UserError
from gansmith.evaluation.judge import judge
from gansmith.kinds.opening import inspect_dataset, open_dataset
from gansmith.kinds.series import arrays, windows
from gansmith.kinds.series.kind import TimeSeries
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.returns import heavier
from gansmith.kinds.series.series import Series, decimals_of
from gansmith.kinds.series.source import Sequences
from gansmith.kinds.series.windows import build_series
from gansmith.runs.data import split


def walk(steps: int, columns: int = 2, seed: int = 0) -> np.ndarray:
    return 100 + np.random.default_rng(seed).standard_normal((steps, columns)).cumsum(0)


def numbered(lengths: list[int], static: bool = False) -> Sequences:
    """Series in which every step of all of them is another number."""
    ends = np.cumsum([0, *lengths])
    fixed = [{"size": float(index), "region": "ab"[index % 2]} if static else {} for index in range(len(lengths))]
    raws = [Series(np.arange(low, high)[:, None] + 1.0, own) for low, high, own in zip(ends, ends[1:], fixed, strict=False)]
    return Sequences(name="numbered", series=raws, columns=("x",))


def steps_of(data) -> set[float]:
    return set(data.packed(slice(None))["series"].ravel().tolist())


def one_by_one(raws: list[np.ndarray], length: int, stride: int) -> np.ndarray:
    return np.stack([raw[start : start + length] for raw in raws for start in range(0, len(raw) - length + 1, stride)])


# ---- the same as windows that are copied ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [1, 3, 30])
def test_windows_are_those_that_are_cut_one_by_one(stride):
    values = walk(3000)
    data = build_series(Sequences(name="walk", series=[Series(values)], columns=("a", "b")), Options(window=12, stride=stride))
    assert isinstance(data.arrays["series"], Windows) and data.held_out is not None
    every = one_by_one([values], 12, stride)
    block = np.array([start * 20 // 3000 for start in range(0, 3000 - 11, stride)])
    last = np.array([(start + 11) * 20 // 3000 for start in range(0, 3000 - 11, stride)])
    is_held = (block == last) & np.isin(block, [2, 7, 12, 17])
    touches = np.array([any(b in (2, 7, 12, 17) for b in range(low, high + 1)) for low, high in zip(block, last, strict=True)])
    np.testing.assert_array_equal(data.packed(slice(None))["series"], every[~touches].astype(np.float32))
    np.testing.assert_array_equal(data.held_out.packed(slice(None))["series"], every[is_held].astype(np.float32))
    assert data.codec.low == tuple(every[~touches].min((0, 1))) and data.codec.high == tuple(every[~touches].max((0, 1)))


def test_returns_are_taken_of_every_window_and_scaled_by_all_of_them():
    prices = np.exp(walk(2000) / 100)
    data = build_series(Sequences(name="walk", series=[Series(prices)], columns=("a", "b")), Options(window=32, returns=True))
    every = one_by_one([prices[:1600]], 33, 1)
    moves = np.diff(np.log(every), axis=1)
    np.testing.assert_array_equal(data.packed(slice(None))["series"], moves.astype(np.float32))
    np.testing.assert_array_equal(data.packed(slice(None))["base"], every[:, 0])
    middle, half = moves.reshape(-1, 2).mean(0), moves.reshape(-1, 2).std(0)
    np.testing.assert_allclose(data.codec.low, middle - half, rtol=1e-12)
    largest = np.abs((moves - middle) / half).max((0, 1))
    np.testing.assert_allclose(heavier(np.array(data.codec.edges), np.array(data.codec.heaviness)), largest, rtol=1e-9)


def test_where_there_are_too_many_returns_to_count_the_scale_is_that_of_many_windows(monkeypatch):
    prices = np.exp(walk(3000, 1) / 100)
    found = Sequences(name="walk", series=[Series(prices)], columns=("a",))
    exact = build_series(found, Options(window=32, returns=True)).codec
    monkeypatch.setattr(windows, "MOVES", 1000)
    monkeypatch.setattr(windows, "SURVEYED", 500)
    surveyed = build_series(found, Options(window=32, returns=True)).codec
    assert surveyed.low != exact.low
    np.testing.assert_allclose([surveyed.low, surveyed.high], [exact.low, exact.high], rtol=0.05)
    largest = [
        np.abs(np.diff(np.log(prices[:2400, 0])) - (c.low[0] + c.high[0]) / 2).max() / ((c.high[0] - c.low[0]) / 2)
        for c in (exact, surveyed)
    ]
    for codec, size in zip(
        (exact, surveyed), largest, strict=True
    ):  # the largest move of all, though it may be in no surveyed window
        assert codec.edges[0] * np.exp(codec.heaviness[0] / 2 * codec.edges[0] ** 2) == pytest.approx(size, rel=1e-6)


def test_labels_come_with_every_window_of_their_series():
    found = numbered([50] * 25, static=True)
    data = build_series(found, Options(window=10))
    packed = data.packed(slice(None))
    owner = ((packed["series"][:, 0, 0] - 1) // 50).astype(int)
    sizes = [raw.static["size"] for raw in data.codec.decode(data.batch(slice(None)))]
    np.testing.assert_allclose(sizes, owner, atol=1e-3)
    assert data.groups is not None and data.groups[:].tolist() == owner.tolist()


@given(st.lists(st.integers(0, 10**7).map(lambda x: x / 1000), min_size=1, max_size=30), st.integers(0, 6))
def test_decimals_are_counted_part_by_part(numbers, decimals):
    given = np.round(np.array(numbers), decimals)
    fits = [d for d in range(7) if np.allclose(given, np.round(given, d), rtol=1e-12, atol=1e-9)]
    assert decimals_of(given) == min(fits, default=7)


def test_the_last_number_of_many_may_have_the_most_decimals():
    assert decimals_of(np.append(np.zeros(2**20, np.float32), 0.25)) == 2


# ---- what is held out -----------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(8, 400), min_size=1, max_size=19), st.integers(2, 24), st.integers(1, 30), st.booleans())
def test_no_training_window_shares_a_step_with_a_held_out_one(lengths, window, stride, returns):
    options = Options(window=window, stride=stride, returns=returns)
    found = numbered(lengths)
    spans = [(steps - window - returns) // stride * stride for steps in lengths if steps >= window + returns]
    are_enough = sum(span // stride + 1 for span in spans) >= 8
    if not are_enough or (len(spans) == 1 and spans[0] < window + returns):
        with pytest.raises(UserError):
            split(build_series(found, options))
        return
    training, held = split(build_series(found, options))
    if returns:  # every return is another number, as every step is
        sides = [
            set((np.asarray(part.packed(slice(None))["base"])[:, :1] + np.arange(window + 1)).ravel().tolist())
            for part in (training, held)
        ]
    else:
        sides = [steps_of(training), steps_of(held)]
    assert sides[0] and sides[1] and not sides[0] & sides[1]
    ends = np.cumsum(lengths)
    entities = [set(np.searchsorted(ends, [step - 1 for step in side], side="right").tolist()) for side in sides]
    if len(spans) > 1:
        assert not entities[0] & entities[1]


def test_of_a_few_long_series_whole_ones_are_held_out():
    data = build_series(numbered([200] * 6), Options(window=24))
    assert data.held_out is not None and len(data.held_out) == len(data) // 5
    entities = [{(step - 1) // 200 for step in steps_of(part)} for part in (data, data.held_out)]
    assert not entities[0] & entities[1] and entities[0] | entities[1] == set(range(6))
    assert any("examples of whole series are held out" in note for note in data.facts["notes"])


def test_a_short_series_that_is_split_at_random_no_more_says_what_to_change():
    data = build_series(numbered([40]), Options(window=24))
    with pytest.raises(UserError, match="numbered overlaps with every other.*shorter examples"):
        split(data)


# ---- memory ---------------------------------------------------------------------------------------------------------------------


def test_windows_of_four_million_steps_take_no_memory_of_their_own(tmp_path):
    walk = np.random.default_rng(0).standard_normal(4 * 10**6, np.float32)
    np.save(tmp_path / "walk.npy", walk)
    for source in (walk, tmp_path / "walk.npy"):
        tracemalloc.start()
        data = open_dataset(source, kind="series")
        training, held = split(data)
        for part in (training, held):
            part.batch(np.linspace(0, len(part) - 1, 64).astype(int))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert data.arrays["series"].nbytes > 300e6 and most < 80e6
        np.testing.assert_array_equal(data.packed(np.array([5]))["series"][0, :, 0], walk[5:29])


@pytest.mark.parametrize("stored", [True, False])
def test_arrays_in_archives_are_mapped_where_they_are_not_compressed(tmp_path, monkeypatch, stored):
    monkeypatch.setattr(arrays, "COPIED", 1000)
    rows = walk(900).astype(np.float32)
    (np.savez if stored else np.savez_compressed)(
        tmp_path / "x.npz", other=np.arange(3), series=rows, columns=np.array(["a", "b"])
    )
    data = open_dataset(tmp_path / "x.npz", kind="series", window=10)
    long = data.arrays["series"].source  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(long, np.memmap) == stored
    np.testing.assert_array_equal(data.packed(slice(0, 5))["series"], one_by_one([rows], 10, 1)[:5])
    again = open_dataset(rows.astype(np.float64), kind="series", window=10, columns=("x0", "x1"))
    np.testing.assert_array_equal(again.packed(slice(None))["series"], data.packed(slice(None))["series"])


def test_a_flipped_bit_in_an_archive_that_would_be_mapped_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "COPIED", 1000)
    np.savez(tmp_path / "x.npz", series=walk(900))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[5000] ^= 1
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(UserError, match='"series" in .* cannot be read .*CRC'):
        open_dataset(tmp_path / "x.npz", kind="series")


def test_an_archive_behind_other_bytes_is_mapped_at_the_right_place(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "COPIED", 1000)
    rows, memory = walk(900), io.BytesIO()
    np.savez(memory, series=rows)
    (tmp_path / "x.npz").write_bytes(b"#!/bin/sh\n" + memory.getvalue())
    assert zipfile.is_zipfile(tmp_path / "x.npz")
    data = open_dataset(tmp_path / "x.npz", kind="series", window=10)
    np.testing.assert_array_equal(data.packed(np.array([0]))["series"][0], rows[:10].astype(np.float32))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "i8", "u1", ">f4"])
@pytest.mark.parametrize("shape", [(700,), (700, 3), (25, 300, 3), (30, 20, 2)])
def test_large_arrays_that_are_not_copied_make_the_same_data(monkeypatch, dtype, shape):
    given = (np.random.default_rng(0).random(shape) * 100).astype(dtype)
    opening = {"kind": "series", "window": 12, **({"columns": ("x0", "x2")} if shape[-1] == 3 else {})}
    copied = open_dataset(given, **opening)
    monkeypatch.setattr(arrays, "COPIED", 100)
    kept = open_dataset(given, **opening)
    assert kept.fingerprint == copied.fingerprint and kept.codec == copied.codec
    assert np.shares_memory(kept.arrays["series"].source, given)  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_array_equal(kept.batch(slice(0, 9))["series"], copied.batch(slice(0, 9))["series"])
    ranges = [inspect_dataset(given, **opening).ranges for _ in range(1)]
    assert (
        ranges[0]["x0"] == (given[..., 0].min(), given[..., 0].max())
        if len(shape) > 1
        else ranges[0]["x0"] == (given.min(), given.max())
    )


def test_generated_series_are_compared_with_a_bounded_number_of_windows(monkeypatch):
    monkeypatch.setattr(TimeSeries, "most_compared", lambda self, spec: 100)
    data = open_dataset(walk(3000), kind="series", window=12)
    training, held = split(data)
    fake = training.subset(np.arange(0, len(training), 7))
    found = judge(fake, training, held, metrics=["precision", "memorisation"], samples=60)
    assert found["precision"].reference_samples == 60
    nearest = found.neighbours.nearest
    assert nearest.max() > 100 and nearest.max() < len(training)
    distance = np.abs(fake.packed(found.neighbours.generated[:1])["series"] - training.packed(nearest[0, :1])["series"]).max()
    assert (
        distance < np.abs(fake.packed(np.array([0]))["series"] - training.packed(np.array([len(training) - 1]))["series"]).max()
    )
