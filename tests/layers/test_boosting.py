"""Boosted trees that tell one column of a table from the others."""

import numpy as np
import pytest
import torch

from gansmith.layers.boosting import DEPTH, LEAST, RANKS, Grown, Sharp, Trees, boosted, grown
from gansmith.layers.sweep import blend

COLUMNS = ((3,), (1,), (2, 1), (2,))
"""A choice, a number, a number that may be missing, and another choice."""


def rows(count: int, seed: int = 0) -> torch.Tensor:
    """Rows of these columns: the last is decided by the sign of the number for two of the first's options, and by chance for the third; the
    third column is there for every second row, and the number plus a step."""
    rng = np.random.default_rng(seed)
    option, number, there = rng.integers(0, 3, count), rng.normal(size=count), rng.integers(0, 2, count)
    flips = np.where(option == 2, rng.random(count) < 0.5, number > 0)
    other = np.where(there == 1, 0.5 * number + (option == 1) + 0.1 * rng.normal(size=count), 0)
    parts = [np.eye(3)[option], number[:, None], np.eye(2)[there], other[:, None], np.eye(2)[flips.astype(int)]]
    return torch.from_numpy(np.concatenate(parts, 1)).float()


def learned(column: int, count: int = 3000) -> Sharp:
    sharp = Sharp(COLUMNS, column, 40)
    sharp.learn(rows(count), 0)
    return sharp


def test_a_choice_is_told_as_sharply_as_it_is_decided():
    new = rows(2000, 1)
    shares = learned(3)(new, torch.zeros(2000)).softmax(1)[:, 1]
    decided = new[:, 2] == 0
    truth = (new[:, 3] > 0).float()
    clear = decided & (new[:, 3].abs() > 0.1)
    assert (shares - truth)[clear].abs().mean() < 0.05
    assert (shares - 0.5)[~decided].abs().mean() < 0.12


def test_a_number_is_told_with_its_mean_and_spread():
    new = rows(4000, 1)
    there = new[:, 5] == 1
    noise = torch.randn(4000, generator=torch.Generator().manual_seed(0))
    made = learned(2)(new, noise)
    assert made.shape == (4000, 3)
    error = (made[:, 2] - 0.5 * new[:, 3] - new[:, 1])[there]
    assert error.mean().abs() < 0.03 and 0.07 < error.std() < 0.2


def test_trees_are_what_their_questions_say_one_by_one():
    rng = np.random.default_rng(0)
    trees = Trees(3, 2)
    found = [
        Grown(
            rng.integers(0, 4, DEPTH),
            rng.normal(size=DEPTH).astype(np.float32),
            rng.normal(size=(2**DEPTH, 2)).astype(np.float32),
        )
        for _ in range(3)
    ]
    trees.take(found, np.array([0.5, -0.5]), 0.25)
    features = rng.normal(size=(50, 4)).astype(np.float32)
    wanted = np.tile([0.5, -0.5], (50, 1))
    for row, own in enumerate(features):
        for tree in found:
            leaf = sum(2**level for level in range(DEPTH) if own[tree.feature[level]] > tree.border[level])
            wanted[row] += 0.25 * tree.leaves[leaf]
    torch.testing.assert_close(trees(torch.from_numpy(features)), torch.from_numpy(wanted).float())


def test_the_first_question_is_the_best_of_all():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 3))
    borders = np.tile(np.linspace(-1.5, 1.5, 7), (3, 1)).astype(np.float32)
    codes = np.stack([np.searchsorted(borders[i], features[:, i]) for i in range(3)], 1)
    gradient = np.where(features[:, 1:2] > 0.5, -1.0, 1.0)
    tree, leaf = grown(codes, borders, gradient, np.ones((400, 1)), np.arange(400), rng)
    assert tree.feature[0] == 1 and tree.border[0] == pytest.approx(0.5)
    assert (np.sign(tree.leaves[leaf, 0]) == -np.sign(gradient[:, 0])).mean() > 0.95


def test_leaves_of_few_rows_say_nothing():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 8, (60, 3))
    borders = np.tile(np.arange(7.0), (3, 1)).astype(np.float32)
    tree, leaf = grown(codes, borders, rng.normal(size=(60, 1)), np.ones((60, 1)), np.arange(60), rng)
    filled = np.bincount(leaf, minlength=2**DEPTH)
    assert (tree.leaves[filled < LEAST] == 0).all() and (filled[filled > 0] < LEAST).any()


def test_what_trees_say_of_a_row_comes_from_folds_without_it():
    rng = np.random.default_rng(0)
    codes, borders = rng.integers(0, 8, (600, 4)), np.tile(np.arange(7.0), (4, 1)).astype(np.float32)
    wanted = rng.normal(size=(600, 1))  # nothing to learn
    _, _, unseen = boosted(codes, borders, wanted, 40, 3, rng)
    assert abs(np.corrcoef(unseen[:, 0] + 1e-9 * codes[:, 0], wanted[:, 0])[0, 1]) < 0.15


def test_what_is_kept_are_means_and_no_row():
    sharp = learned(1, 1000)
    assert sharp.quantiles.shape[1] == RANKS
    assert all(tensor.shape[:1] != (1000,) for tensor in sharp.state_dict().values())


def test_a_model_without_trees_is_read_and_one_that_lost_some_is_not():
    sharp = learned(3)
    state = {f"x.{name}": tensor for name, tensor in sharp.state_dict().items()}
    network = torch.nn.ModuleDict({"x": Sharp(COLUMNS, 3, 40)})
    network.load_state_dict({})
    assert not network["x"].known
    network.load_state_dict(state)
    assert network["x"].known
    del state["x.choice.leaves"]
    with pytest.raises(RuntimeError, match=r"choice\.leaves"):
        network.load_state_dict(state)


def test_columns_that_trees_can_tell():
    assert [Sharp.suits(sizes) for sizes in ((2,), (1,), (5, 1), (32,), (33,), (12, 12))] == [True] * 4 + [False] * 2


def test_two_opinions_count_as_much():
    one, other = torch.tensor([[0.0, 2.0, 5.0]]), torch.tensor([[1.0, 1.0, -5.0]])
    made = blend(one, other, torch.tensor([[1.0]]), (2, 1))
    torch.testing.assert_close(made[:, :2].softmax(1)[:, 1] / made[:, :2].softmax(1)[:, 0], torch.tensor([np.e]).float())
    assert made[0, 2] == 5 and blend(one, other, torch.tensor([[-1.0]]), (2, 1))[0, 2] == -5


def test_where_no_tree_says_anything_the_mean_is_answered():
    trees = Trees(6, 2)
    trees.base.copy_(torch.tensor([1.0, -2.0]))
    at_rest, features = trees.resting(), torch.randn(5, 3)
    assert at_rest.feature.shape[1] == 0
    torch.testing.assert_close(at_rest(features), torch.tensor([[1.0, -2.0]]).expand(5, -1))
    torch.testing.assert_close(trees(features), at_rest(features))
