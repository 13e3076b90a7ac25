"""An n-gram model of tokens: one by one, as often as they follow what stands before them in the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

DISCOUNT = 0.75
"""Taken from every count where counts of counts tell nothing better."""
UNIFORM = 1e-3
"""The share of the probability of every token alike, where an n-gram model judges."""


@dataclass(frozen=True, eq=False)
class _Level:
    """What follows contexts of one length: contexts by hash, and for each a stretch of tokens with their discounted counts."""

    contexts: np.ndarray
    starts: np.ndarray
    tokens: np.ndarray
    reached: np.ndarray
    """Discounted counts, summed up from the first token of the first context on, with a 0 before."""
    kept: np.ndarray
    """The share of a context that its own counts hold; the rest is left to the shorter context."""

    @classmethod
    def of(cls, contexts: np.ndarray, tokens: np.ndarray, lowest: bool) -> _Level:
        """From pairs of context and following token, one for each count; the lowest level is not discounted."""
        order = np.lexsort((tokens, contexts))
        contexts, tokens = contexts[order], tokens[order]
        new = np.append(True, (contexts[1:] != contexts[:-1]) | (tokens[1:] != tokens[:-1]))
        first = np.flatnonzero(new)
        counts = np.diff(np.append(first, len(tokens))).astype(np.float64)
        contexts, tokens = contexts[first], tokens[first]
        ones, twos = (counts == 1).sum(), (counts == 2).sum()
        discount = 0.0 if lowest else ones / (ones + 2 * twos) if ones and twos else DISCOUNT
        starts = np.flatnonzero(np.append(True, contexts[1:] != contexts[:-1]))
        totals = np.add.reduceat(counts, starts)
        discounted = np.add.reduceat(counts - discount, starts)
        reached = np.append(0.0, np.cumsum(counts - discount))
        return cls(contexts[starts], np.append(starts, len(tokens)), tokens, reached, discounted / totals)

    def draw(self, contexts: np.ndarray, dice: Float[np.ndarray, "rows 2"]) -> Int[np.ndarray, " rows"]:
        """A token for each context, or -1 where it is left to the shorter one."""
        place = np.minimum(np.searchsorted(self.contexts, contexts), len(self.contexts) - 1)
        own = (self.contexts[place] == contexts) & (dice[:, 0] < self.kept[place])
        low, high = self.reached[self.starts[place]], self.reached[self.starts[place + 1]]
        at = np.searchsorted(self.reached, low + dice[:, 1] * (high - low), "right") - 1
        return np.where(own, self.tokens[np.clip(at, self.starts[place], self.starts[place + 1] - 1)], -1)

    def shares(self, contexts: np.ndarray, tokens: np.ndarray) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
        """(the probability that each context's own counts give a token, the share that is left to the shorter context)."""
        place = np.minimum(np.searchsorted(self.contexts, contexts), len(self.contexts) - 1)
        known = self.contexts[place] == contexts
        most = np.int64(max(self.tokens.max(), tokens.max()) + 1)
        keys = np.repeat(np.arange(len(self.contexts)), np.diff(self.starts)) * most + self.tokens
        at = np.minimum(np.searchsorted(keys, place * most + tokens), len(keys) - 1)
        seen = known & (keys[at] == place * most + tokens)
        discounted = self.reached[self.starts[place + 1]] - self.reached[self.starts[place]]
        own = (self.reached[at + 1] - self.reached[at]) * self.kept[place] / np.where(discounted > 0, discounted, 1)
        return np.where(seen, own, 0.0), np.where(known, 1 - self.kept[place], 1.0)


class Chain:
    """An n-gram model with interpolated Kneser-Ney smoothing (Kneser & Ney 1995; Chen & Goodman 1999, section 2.7).

    With probability (count - discount) / total a token follows that was seen behind the context, otherwise the context is shortened;
    a shorter context counts behind how many different tokens it was seen. Order 0 draws tokens independently.
    """

    def __init__(self, rows: Int[np.ndarray, "texts length"], order: int, end: int) -> None:
        self.end, self.length = end, rows.shape[1]
        drawn = np.minimum(_lengths(rows, end) + 1, self.length)
        self.order = order = min(order, int(drawn.max()))  # nothing is longer
        self.multipliers = np.random.default_rng(0).integers(1, 2**63, order + 1, dtype=np.uint64) | np.uint64(1)
        there = np.arange(self.length) < drawn[:, None]
        row, position = np.nonzero(there)
        tokens = rows[row, position].astype(np.int64)
        contexts = [self._hashed(rows, row, position, size) for size in range(order + 1)]
        self.levels = []
        for size in range(order + 1):
            first = 0 if size == 0 else size - 1
            raw = np.flatnonzero(position >= first if size == order else position == size - 1)  # there nothing stands before
            pairs = [(contexts[size][raw], tokens[raw])]
            if size < order:
                others = np.flatnonzero(position >= size)
                seen = np.stack([contexts[size + 1][others], tokens[others].astype(np.uint64)])
                once = others[np.unique(seen, axis=1, return_index=True)[1]]
                pairs.append((contexts[size][once], tokens[once]))
            self.levels.append(_Level.of(*(np.concatenate(parts) for parts in zip(*pairs, strict=True)), lowest=size == 0))

    def sample(self, count: int, rng: np.random.Generator) -> Int[np.ndarray, "count length"]:
        """Rows of tokens with `end` and 0 behind it."""
        rows, alive = np.zeros((count, self.length), np.int64), np.arange(count)
        for position in range(self.length):
            drawn = np.full(len(alive), -1)
            for size in range(min(self.order, position + 1), -1, -1):
                open_ = np.flatnonzero(drawn < 0)
                if not len(open_):
                    break
                at = np.full(len(open_), position)
                drawn[open_] = self.levels[size].draw(self._hashed(rows, alive[open_], at, size), rng.random((len(open_), 2)))
            rows[alive, position] = drawn
            alive = alive[drawn != self.end]
            if not len(alive):
                break
        return rows

    def surprise(self, rows: Int[np.ndarray, "texts length"], vocabulary: int) -> Float[np.ndarray, " texts"]:
        """The mean negative logarithm (nats) of the probability of each token up to the end, of each text. A thousandth of the probability
        is spread over all tokens of the vocabulary, so that none has none."""
        there = self._there(rows)
        found = -np.log(self.levels_of(rows, vocabulary)[-1][0])
        return np.bincount(np.nonzero(there)[0], found, len(rows)) / there.sum(1)

    def levels_of(
        self, rows: Int[np.ndarray, "texts length"], vocabulary: int
    ) -> list[tuple[Float[np.ndarray, " tokens"], Float[np.ndarray, " tokens"]]]:
        """For 0 to `order` tokens that are looked back, (the probability of each token up to the ends, the share that the context leaves to
        shorter ones), text by text; the probability of the shorter context where the text has no longer one."""
        row, position = np.nonzero(self._there(rows))
        tokens = rows[row, position].astype(np.int64)
        found, every = np.zeros(len(row)), []
        for size, level in enumerate(self.levels):
            reached = np.flatnonzero(position >= size - 1)  # before that, nothing stands there
            own, left = level.shares(self._hashed(rows, row[reached], position[reached], size), tokens[reached])
            shares = np.ones(len(row))
            if size == 0:
                found = (1 - UNIFORM) * own + UNIFORM / vocabulary
            else:
                found, shares[reached] = found.copy(), left
                found[reached] = own + left * found[reached]
            every.append((found, shares))
        return every

    def _there(self, rows: Int[np.ndarray, "texts length"]) -> Bool[np.ndarray, "texts length"]:
        """Whether each token stands before the end, or is it."""
        length = rows.shape[1]
        return np.arange(length) < np.minimum(_lengths(rows, self.end) + 1, length)[:, None]

    def _hashed(self, rows: np.ndarray, row: np.ndarray, position: np.ndarray, size: int) -> np.ndarray:
        """The `size` tokens before each position as one number; a mark stands before the first."""
        found = np.zeros(len(row), np.uint64)
        for back in range(1, size + 1):
            inside = position >= back
            token = np.where(
                inside, rows[row, np.maximum(position - back, 0)].astype(np.int64) + 2, (position == back - 1).astype(np.int64)
            )
            found += token.astype(np.uint64) * self.multipliers[back]
        return found


def _lengths(rows: np.ndarray, end: int) -> Int[np.ndarray, " texts"]:
    """Tokens before the end."""
    ended = rows == end
    return np.where(ended.any(1), ended.argmax(1), rows.shape[1])
