"""Which examples are held out, and in what order the others are dealt."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansmith.data import dataset as module
from gansmith.data.dataset import Dataset, Order, choose, permuted
from gansmith.data.groups import held_groups
from gansmith.data.windowed import PerPiece, Starts, Windows
from gansmith.errors import UserError
from tests import toys


def numbered(count: int, groups: np.ndarray | None = None) -> Dataset:
    """So many numbers, as a data set."""
    return Dataset(name="numbers", codec=toys.points().codec, arrays={"x": np.arange(count)}, fingerprint="", groups=groups)


def windowed(lengths: list[int], length: int, stride: int) -> Dataset:
    """Windows of pieces of these lengths, in which every step is another number; their pieces are their groups."""
    starts = Starts.of(lengths, length, stride)
    arrays: Any = {"x": Windows(np.arange(sum(lengths)), starts)}
    groups = PerPiece(np.arange(len(lengths)), starts)
    return Dataset(name="windows", codec=toys.points().codec, arrays=arrays, fingerprint="", groups=groups)


def everything(data: Dataset) -> set[int]:
    return set(data.packed(slice(None))["x"].ravel().tolist())


# ---- without groups -------------------------------------------------------------------------------------------------------------


def test_examples_without_groups_are_held_out_as_ever():
    for seed in (0, 7):
        order = np.random.Generator(np.random.Philox(key=seed)).permutation(101)
        training, held = numbered(101).split(0.3, seed)
        assert held.packed(slice(None))["x"].tolist() == sorted(order[:30].tolist())
        assert training.packed(slice(None))["x"].tolist() == sorted(order[30:].tolist())


# ---- by groups ------------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 9), min_size=2, max_size=60), st.floats(0.05, 0.5), st.integers(0, 5))
def test_no_group_lies_on_both_sides_and_no_example_is_lost(groups, share, seed):
    data = numbered(len(groups), np.array(groups))
    if len(set(groups)) < 2:
        return
    training, held = data.split(share, seed)
    sides = [{groups[example] for example in everything(part)} for part in (training, held)]
    assert sides[0] and sides[1] and not sides[0] & sides[1]
    assert len(training) + len(held) == len(data)
    again = data.split(share, seed)[1]
    assert everything(again) == everything(held)


@given(st.lists(st.integers(1, 20), min_size=20, max_size=80), st.integers(0, 9))
def test_about_the_share_is_held_out_where_groups_are_small(sizes, seed):
    found = held_groups(np.array(sizes), 0.2, np.random.default_rng(seed))
    assert len(set(found.tolist())) == len(found)
    assert abs(sum(sizes[group] for group in found) - 0.2 * sum(sizes)) <= max(sizes) / 2


def test_other_seeds_hold_out_other_groups_and_every_group_has_its_turn():
    data = numbered(50, np.repeat(np.arange(10), 5))
    held = [frozenset(everything(data.split(0.2, seed)[1])) for seed in range(40)]
    assert len(set(held)) > 10 and set().union(*held) == set(range(50))


def test_of_two_groups_the_smaller_is_held_out():
    assert everything(numbered(10, np.array([0] * 7 + [1] * 3)).split(0.1)[1]) == {7, 8, 9}


def test_a_part_of_the_data_is_split_by_the_groups_of_its_examples():
    data = numbered(40, np.repeat(np.arange(8), 5)).subset(np.arange(3, 40, 2))
    training, held = data.split(0.25, 1)
    groups = [{example // 5 for example in everything(part)} for part in (training, held)]
    assert not groups[0] & groups[1] and everything(training) | everything(held) == set(range(3, 40, 2))


def test_mirrored_images_are_held_out_by_groups_too():
    from gansmith.kinds.images.mirrored import mirrored

    plain = replace(toys.images(), groups=np.arange(len(toys.images())) // 4, held_out=None)
    training, held = mirrored(plain).split(0.2)
    assert training.indices is not None and held.indices is not None
    sides = [set((part.indices % len(plain)) // 4) for part in (training, held)]  # pyright: ignore[reportOptionalOperand]
    assert not sides[0] & sides[1] and len(sides[0] | sides[1]) == -(-len(plain) // 4)


# ---- windows --------------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 150), min_size=1, max_size=4), st.integers(1, 20), st.integers(1, 25), st.integers(0, 3))
def test_no_training_window_shares_a_step_with_a_held_out_one(lengths, length, stride, seed):
    data = windowed(lengths, length, stride)
    pieces = [steps for steps in lengths if steps >= length]
    is_possible = len(pieces) > 1 or (pieces and (pieces[0] - length) // stride * stride >= length)
    if not is_possible:
        if len(data):
            with pytest.raises(UserError, match="every example of windows overlaps with every other"):
                data.split(0.2, seed)
        return
    training, held = data.split(0.2, seed)
    assert len(training) and len(held)
    assert not everything(training) & everything(held)


def test_of_one_long_piece_a_fifth_of_the_windows_is_held_out_all_over_it():
    data = windowed([2000], 20, 1)
    training, held = data.split(0.2)
    assert len(held) == pytest.approx(0.2 * len(data), abs=3)
    assert 6 * 19 <= len(data) - len(held) - len(training) <= 8 * 19
    starts = held.packed(slice(None))["x"][:, 0]
    assert len(np.flatnonzero(np.diff(starts) > 1)) == 3 and np.ptp(starts) > 1000
    assert everything(data.split(0.2, 7)[1]) != everything(held)


def test_of_a_short_piece_as_few_windows_are_lost_as_can_be():
    assert [len(part) for part in windowed([60], 24, 1).split(0.2)] == [7, 7]
    assert [len(part) for part in windowed([48], 24, 1).split(0.2)] == [1, 1]


def test_one_group_of_examples_that_are_no_windows_is_held_out_in_stretches():
    training, held = numbered(100, np.zeros(100, int)).split(0.2)
    assert len(held) == 20 and len(training) == 80
    assert len(np.flatnonzero(np.diff(held.packed(slice(None))["x"]) > 1)) == 3


# ---- the order in which examples are dealt --------------------------------------------------------------------------------------


@given(st.integers(1, 3000), st.integers(0, 2**63), st.integers(0, 100))
def test_a_permutation_that_is_computed_piece_by_piece_is_one(length, seed, epoch):
    found = permuted(np.arange(length), length, (seed, epoch))
    assert sorted(found.tolist()) == list(range(length))
    assert permuted(np.array([length - 1]), length, (seed, epoch)) == found[-1]


def test_such_permutations_look_random():
    length = 10_000
    found = np.stack([permuted(np.arange(length), length, (seed, 0)) for seed in range(20)])
    assert abs(np.corrcoef(found[:, :-1].ravel(), found[:, 1:].ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(found[0], found[1])[0, 1]) < 0.05
    assert np.abs((found == np.arange(length)).sum(1) - 1).max() <= 6  # fixed points are Poisson, mean 1
    parts = np.bincount(found[:, :1000].ravel() // 1000, minlength=10)  # 2,000 of each are expected
    assert ((parts - 2000) ** 2 / 2000).sum() < 30


def test_the_order_of_many_examples_is_the_same_however_many_are_taken(monkeypatch):
    monkeypatch.setattr(module, "SHUFFLED", 100)
    at_once, by_sevens = Order(1009, 3), Order(1009, 3)
    taken = at_once.take(3000)
    assert np.concatenate([by_sevens.take(7) for _ in range(429)])[:3000].tolist() == taken.tolist()
    assert sorted(taken[:1009].tolist()) == sorted(taken[1009:2018].tolist()) == list(range(1009))
    assert taken[:1009].tolist() != taken[1009:2018].tolist()
    resumed = Order(1009, 3)
    resumed.position = 2000
    assert resumed.take(5).tolist() == taken[2000:2005].tolist()


def test_of_many_examples_each_is_taken_with_the_same_probability_by_poisson_sampling(monkeypatch):
    monkeypatch.setattr(module, "SHUFFLED", 100)
    order = Order(500, 0, poisson=True)
    taken = [order.take(50) for _ in range(400)]
    sizes = np.array([len(part) for part in taken])
    assert sizes.mean() == pytest.approx(50, abs=1.5) and sizes.var() == pytest.approx(45, rel=0.3)
    counts = np.bincount(np.concatenate(taken), minlength=500)
    assert counts.mean() == pytest.approx(40, abs=1.5) and counts.var() == pytest.approx(36, rel=0.3)
    assert all(len(set(part.tolist())) == len(part) for part in taken)


def test_few_of_many_positions_are_chosen_each_once(monkeypatch):
    assert choose(10, 4, 0).tolist() == sorted(np.random.default_rng(0).permutation(10)[:4].tolist())
    monkeypatch.setattr(module, "SHUFFLED", 100)
    found = choose(10**12, 1000, 0)
    assert len(set(found.tolist())) == 1000 and (np.diff(found) > 0).all() and found.max() > 9 * 10**11
    assert choose(200, 500, 0).tolist() == list(range(200))
