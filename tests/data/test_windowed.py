"""Windows that are gathered when they are asked for, against windows that are cut one by one."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansmith.data import fingerprint as hashing
from gansmith.data.fingerprint import fingerprint
from gansmith.data.windowed import AT_ONCE, PerPiece, Starts, Windows, between, passes, stretches

LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=5)


def cut(lengths: list[int], length: int, stride: int) -> list[tuple[int, int]]:
    """(first step, piece) of every window, the plain way."""
    found, before = [], 0
    for piece, steps in enumerate(lengths):
        found += [(before + start, piece) for start in range(0, steps - length + 1, stride)]
        before += steps
    return found


@given(LENGTHS, st.integers(1, 12), st.integers(1, 15))
def test_windows_begin_where_they_do_when_cut_one_by_one(lengths: list[int], length: int, stride: int):
    starts, plain = Starts.of(lengths, length, stride), cut(lengths, length, stride)
    assert len(starts) == len(plain)
    positions = np.arange(len(starts))
    assert list(zip(starts.at(positions), starts.pieces_of(positions), strict=True)) == plain
    chosen = np.arange(len(lengths))[::2]
    some = starts.of_pieces(chosen)
    assert some.at(np.arange(len(some))).tolist() == [start for start, piece in plain if piece in chosen]


@given(LENGTHS, st.integers(1, 12), st.integers(1, 15), st.lists(st.integers(0, 200), min_size=2, max_size=6, unique=True))
def test_windows_within_intervals_are_those_whose_steps_all_lie_in_one(lengths, length, stride, edges):
    edges = sorted(edges)
    intervals = list(zip(edges[::2], edges[1::2], strict=False))
    within = Starts.of(lengths, length, stride).within(intervals)
    expected = [
        pair
        for pair in cut(lengths, length, stride)
        if any(low <= pair[0] and pair[0] + length <= high for low, high in intervals)
    ]
    positions = np.arange(len(within))
    assert list(zip(within.at(positions), within.pieces_of(positions), strict=True)) == expected


@given(st.integers(1, 500), st.sampled_from([0.05, 0.2, 0.5]), st.integers(1, 5))
def test_stretches_and_what_is_between_them_are_all_steps_once(length: int, share: float, count: int):
    held = stretches(length, share, count)
    steps = sorted(step for low, high in [*held, *between(length, held)] for step in range(low, high))
    assert steps == list(range(length))
    assert abs(sum(high - low for low, high in held) - share * length) <= count


def test_four_stretches_of_a_fifth_are_every_fifth_of_twenty_blocks():
    for length in (97, 2000, 10**8 + 3):
        blocks = [(-(-block * length // 20), -(-(block + 1) * length // 20)) for block in (2, 7, 12, 17)]
        assert stretches(length, 0.2, 4) == blocks


@pytest.fixture
def gathered() -> tuple[Windows, np.ndarray]:
    """Windows and the same as an array."""
    long = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    starts = Starts.of([25, 35], 7, 2)
    return Windows(long, starts), np.stack([long[start : start + 7] for start, _ in cut([25, 35], 7, 2)])


@pytest.mark.parametrize(
    "key",
    [
        0,
        -1,
        slice(None),
        slice(3, 9, 2),
        slice(None, None, -1),
        np.array([5, 1, 1]),
        [2, -3],
        np.array([[0, 1], [2, 3]]),
        [],
        np.int64(4),
    ],
)
def test_windows_are_indexed_as_an_array_is(gathered, key):
    windows, array = gathered
    np.testing.assert_array_equal(windows[key], array[np.array([], int) if isinstance(key, list) and not key else key])


def test_windows_act_as_an_array(gathered):
    windows, array = gathered
    assert (windows.shape, windows.dtype, len(windows), windows.ndim, windows.nbytes) == (
        array.shape,
        array.dtype,
        len(array),
        3,
        array.nbytes,
    )
    np.testing.assert_array_equal(np.asarray(windows), array)
    np.testing.assert_array_equal(np.asarray(windows, np.float64), array.astype(np.float64))
    np.testing.assert_array_equal(windows[1:4, 2:, 0], array[1:4, 2:, 0])
    mask = np.arange(len(array)) % 3 == 0
    np.testing.assert_array_equal(windows[mask], array[mask])
    np.testing.assert_array_equal(np.stack(list(windows)), array)
    for key in (len(array), -len(array) - 1, np.array([0, len(array)]), mask[1:]):
        with pytest.raises(IndexError):
            windows[key]
    with pytest.raises(TypeError):
        windows[np.array([0.5])]


def test_windows_of_arrays_that_are_not_contiguous_and_of_memory_maps_are_the_same(gathered, tmp_path):
    windows, array = gathered
    np.save(tmp_path / "long.npy", windows.source)
    for source in (np.asfortranarray(windows.source), np.load(tmp_path / "long.npy", mmap_mode="r")):
        other = Windows(source, windows.starts)
        np.testing.assert_array_equal(other[:], array)
        other.release()
        np.testing.assert_array_equal(other[::-1], array[::-1])


def test_rows_are_made_of_windows_and_values_of_pieces_are_repeated(gathered):
    windows, array = gathered
    means = Windows(windows.source, windows.starts, lambda rows: rows.mean(1))
    assert means.shape == (len(array), 2)
    np.testing.assert_array_equal(means[:], array.mean(1))
    of_piece = PerPiece(np.array([[1.0], [2.0]]), windows.starts)
    assert of_piece.shape == (len(array), 1)
    np.testing.assert_array_equal(of_piece[:, 0], [piece + 1 for _, piece in cut([25, 35], 7, 2)])


@pytest.mark.parametrize("stride", [1, 3, 9])
def test_the_parts_of_windows_are_the_steps_that_they_cover(stride, monkeypatch):
    monkeypatch.setattr("gansmith.data.windowed.AT_ONCE", 8 * 11)  # few steps at a time
    long, starts = np.arange(100.0), Starts.of([53, 47], 5, stride)
    windows = Windows(long, starts)
    covered = {step for start, _ in cut([53, 47], 5, stride) for step in range(start, start + 5)}
    assert {float(step) for part in windows.parts() for step in part.ravel()} == covered
    pairs = {(float(a), float(b)) for part in windows.parts(shared=1) for row in part for a, b in zip(row, row[1:], strict=False)}
    assert pairs == {(step, step + 1) for step in covered if any(s <= step < s + 4 for s, _ in cut([53, 47], 5, stride))}
    np.testing.assert_array_equal(np.concatenate(list(windows.chunks())), windows[:])
    np.testing.assert_array_equal(np.concatenate(list(passes(long))), long)


def test_windows_have_the_fingerprint_of_the_array_that_they_stand_for(gathered):
    windows, array = gathered
    assert fingerprint({"x": windows}, "facts") == fingerprint({"x": array}, "facts")  # pyright: ignore[reportArgumentType]


def test_the_fingerprint_of_many_windows_is_that_of_what_they_are_gathered_from(gathered, monkeypatch):
    windows, array = gathered
    monkeypatch.setattr(hashing, "AS_GATHERED", 100)
    mark = fingerprint({"x": windows})  # pyright: ignore[reportArgumentType]
    long, starts = windows.source, windows.starts
    changed = long.copy()
    changed[30] += 1
    others = [
        Windows(changed, starts),
        Windows(long, replace(starts, length=6)),
        Windows(long, replace(starts, stride=1)),
        Windows(long, starts.of_pieces(np.array([1]))),
        Windows(long.astype(np.float64), starts),
    ]
    marks = [fingerprint({"x": other}) for other in others]  # pyright: ignore[reportArgumentType]
    assert len({mark, *marks, fingerprint({"x": array})}) == 7
    assert fingerprint({"x": Windows(long.copy(), starts)}) == mark  # pyright: ignore[reportArgumentType]


def test_ten_million_windows_are_hashed_and_dealt_in_little_memory():
    long = np.zeros(10**7, np.float32)
    windows = Windows(long, Starts.of([10**7], 24))
    tracemalloc.start()
    fingerprint({"x": windows})  # pyright: ignore[reportArgumentType]
    assert windows[np.array([0, len(windows) - 1])].shape == (2, 24)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert windows.nbytes > 900e6 and most < 3 * AT_ONCE
