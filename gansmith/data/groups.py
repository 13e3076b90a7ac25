"""Which examples are held out, where two of them may not be parted: whole groups, or stretches of one group without overlap."""

import numpy as np
from jaxtyping import Int

STRETCHES = (4, 2, 1)
"""Data of a single group are held out in so many stretches all over it, if that leaves half of the examples to learn from."""


def held_groups(sizes: Int[np.ndarray, " groups"], share: float, rng: np.random.Generator) -> Int[np.ndarray, " held"]:
    """The groups to hold out: random ones that together have as nearly this share of the examples as whole groups can.

    At least one is held out, and at least one is left.
    """
    goal, held, chosen = share * float(sizes.sum()), 0.0, []
    for group in rng.permutation(len(sizes)):
        if abs(held + sizes[group] - goal) < abs(held - goal) and len(chosen) < len(sizes) - 1:
            held += sizes[group]
            chosen.append(group)
    return np.array(chosen or [sizes.argmin()], np.int64)


def held_stretches(
    begin: Int[np.ndarray, " n"], length: int, share: float, rng: np.random.Generator
) -> tuple[Int[np.ndarray, " training"], Int[np.ndarray, " held"]] | None:
    """(training, held out): positions of windows that begin at these steps of one long array, about `share` of them held out.

    Windows that overlap with a held-out one are in neither. None if every window overlaps with every other.
    """
    order, shift = np.argsort(begin, kind="stable"), float(rng.random())
    starts, count = begin[order], len(begin)
    after_the_first = int((starts >= starts[0] + length).sum())
    if not after_the_first:
        return None
    for parts in STRETCHES:
        each = round(count * share / parts)
        if not each:
            continue
        places = [round((part + shift) * count / parts - shift * each) for part in range(parts)]
        training, held = _without_overlap(starts, length, [(place, place + each) for place in places])
        if len(training) >= (count - len(held)) / 2:
            break
    else:  # at one end, where fewest windows are lost
        each = min(max(1, round(count * share)), (after_the_first + 1) // 2)
        training, held = _without_overlap(starts, length, [(count - each, count)])
    return np.sort(order[training]), np.sort(order[held])


def _without_overlap(
    starts: Int[np.ndarray, " n"], length: int, held: list[tuple[int, int]]
) -> tuple[Int[np.ndarray, " training"], Int[np.ndarray, " held"]]:
    """(training, held out) where the windows of these ranges of ascending starts are held out."""
    is_apart, is_held = np.ones(len(starts), bool), np.zeros(len(starts), bool)
    for first, end in held:
        is_held[first:end] = True
        is_apart &= (starts + length <= starts[first]) | (starts >= starts[end - 1] + length)
    return np.flatnonzero(is_apart), np.flatnonzero(is_held)
