"""Conditions of several numbers: what they are called, what they span, and which values occur together.

A model must know the joint distribution of its conditions to generate as varied as its data. Of the data, up to 1,000 rows of
attributes are kept, drawn at random and rounded to 1/64 of the range of each, or to the
even steps (at most 128) on which all its values lie, as whole numbers do; nothing says which example they came from.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.spec import Spec
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError

KEPT = 1000
"""How many rows of attributes are kept to draw from."""
STEPS = 64
"""Steps to which the rows that are kept are rounded, where the values of an attribute lie on no even ones."""
MOST_STEPS = 128
"""The most even steps that are looked for: the notes of MIDI have 127."""
NEAREST = 0.05
"""The share of rows, those nearest to a condition, that are drawn from where none meets it."""
_WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """Names and ranges of the numbers under "label"; networks see each from -1 (its smallest value) to 1 (its largest)."""

    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    rows: tuple[tuple[int, ...], ...]
    """Rows of the data in steps from 0 (smallest) to the last (largest)."""
    steps: tuple[int, ...] = ()
    """How many steps the range of each is divided into; (): STEPS each, as in models of before."""

    @classmethod
    def fit(cls, names: Sequence[str], rows: Float[np.ndarray, "examples attributes"]) -> "Attributes":
        """Of the rows of all examples, whose order does not matter. Raises UserError for values that are not finite."""
        if not np.isfinite(rows).all():
            worst = names[int((~np.isfinite(rows)).any(0).argmax())]
            raise UserError(f"the attribute {worst} has NaN or infinite values: correct them, or pass --no-labels.")
        low, high = rows.min(0), rows.max(0)
        ordered = rows[np.lexsort(rows.T)]
        chosen = np.random.Generator(np.random.Philox(key=0)).permutation(len(rows))[:KEPT]
        shares = (ordered - low) / np.where(high > low, high - low, 1)
        steps = np.array([even_steps(own) for own in shares.T])
        return cls(
            names=tuple(names),
            low=tuple(low.astype(float).tolist()),
            high=tuple(high.astype(float).tolist()),
            rows=tuple(map(tuple, np.rint(shares[chosen] * steps).astype(int).tolist())),
            steps=tuple(steps.tolist()),
        )

    def unpack(self, values: Float[np.ndarray, "batch attributes"]) -> Float[np.ndarray, "batch attributes"]:
        """The data's numbers as networks see them, in [-1, 1]; a constant attribute is -1."""
        low, span = self._span()
        return ((values - low) * (2 / span) - 1).astype(np.float32)

    def repack(self, label: Float[np.ndarray, "batch attributes"]) -> Float[np.ndarray, "batch attributes"]:
        """The inverse of `unpack`, to 1e-7 of each range."""
        low, span = self._span()
        return ((label.astype(np.float64) + 1) * (span / 2) + low).astype(np.float32)

    def draw(self, n: int, rng: torch.Generator, where: Mapping[str, str]) -> Float[Tensor, "n attributes"]:
        """Rows of the data as networks see them: as frequent as there, with what is given set to what is given.

        What is not given comes from rows that meet the condition, or from the nearest 5% where none does. Raises UserError for an
        attribute that there is not and for a value outside of what the data hold.
        """
        steps = torch.tensor(self.steps or [STEPS] * len(self.names), dtype=torch.float64)
        known = torch.tensor(self.rows, dtype=torch.float64) * (2 / steps) - 1
        given = self._given(where)
        shares = torch.ones(len(known))
        if given:
            columns = list(given)
            goal = torch.tensor([given[column] for column in columns], dtype=torch.float64)
            far = (known[:, columns] - goal).abs()
            distance, meets = far.amax(1), (far * steps[columns] <= 1 + 1e-6).all(1)  # half a step of the rows that are kept
            if not meets.any():
                meets[distance.argsort(stable=True)[: math.ceil(NEAREST * len(known))]] = True
            shares = meets.float()
        drawn = known[torch.multinomial(shares.to(rng.device), n, replacement=True, generator=rng).cpu()].float()
        for column, value in given.items():
            drawn[:, column] = value
        return drawn.to(rng.device)

    def _given(self, where: Mapping[str, str]) -> dict[int, float]:
        """The columns that are given, with their values as networks see them."""
        found: dict[int, float] = {}
        for name, value in where.items():
            for column, number in self._numbers(name, str(value)).items():
                low, high = self.low[column], self.high[column]
                if not low <= number <= high:
                    raise UserError(
                        f"{name}={value} lies outside of the data, where {self.names[column]} goes from {low:g} to {high:g}: "
                        "choose a value between."
                    )
                found[column] = 2 * (number - low) / ((high - low) or 1) - 1
        return found

    def _numbers(self, name: str, value: str) -> dict[int, float]:
        if name in self.names:
            try:
                return {self.names.index(name): number_of(value)}
            except ValueError as error:
                raise UserError(f"the attribute {name} takes a number, true or false, but it is {value!r}.") from error
        words = {own.partition("=")[2]: column for column, own in enumerate(self.names) if own.startswith(f"{name}=")}
        if not words:
            plain = list(dict.fromkeys(own.partition("=")[0] for own in self.names))
            raise UserError(f'there is no attribute "{name}"{did_you_mean(name, plain)}: there are {listed(plain)}.')
        if value not in words:
            raise UserError(f'{name} is never "{value}"{did_you_mean(value, list(words))}: it is one of {listed(list(words))}.')
        return {column: float(word == value) for word, column in words.items()}

    def _span(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = np.array(self.low), np.array(self.high)
        return low, np.where(high > low, high - low, 1)

    def to_json(self) -> dict[str, Any]:
        facts = {name: [list(part) if isinstance(part, tuple) else part for part in value] for name, value in vars(self).items()}
        return facts if self.steps else {name: value for name, value in facts.items() if name != "steps"}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Attributes":
        rows = tuple(tuple(row) for row in facts["rows"])
        low, high, steps = (tuple(facts.get(name, ())) for name in ("low", "high", "steps"))
        return cls(names=tuple(facts["names"]), low=low, high=high, rows=rows, steps=steps)


def misfit(attributes: Attributes | None, spec: Spec) -> str | None:
    """What does not fit in the attributes of a codec, read from a file; None if all fits."""
    names = attributes.names if attributes else ()
    if names != spec.attributes:
        return f"has {len(spec.attributes)} attributes, but knows {len(names)}"
    if attributes and {len(names)} != {len(row) for row in (attributes.low, attributes.high, *attributes.rows)}:
        return f"has {len(names)} attributes, but ranges or rows of others"
    for steps in (spec.steps, attributes.steps if attributes else ()):
        if steps and (len(steps) != len(names) or not all(1 <= count <= MOST_STEPS for count in steps)):
            return f"has {len(names)} attributes, but steps of {len(steps)}, each of which should be from 1 to {MOST_STEPS}"
    return None


def even_steps(shares: Float[np.ndarray, " examples"]) -> int:
    """The fewest steps from 0 to 1 on which all of these lie: 1 of two values; STEPS where more than MOST_STEPS would be needed."""
    different = np.unique(np.round(shares, 6))
    if len(different) > MOST_STEPS + 1:
        return STEPS
    counts = np.arange(1, MOST_STEPS + 1)
    off = np.abs(different * counts[:, None] - np.rint(different * counts[:, None])).max(1)
    fits = counts[off < 1e-3]
    return int(fits[0]) if len(fits) else STEPS


def number_of(text: str) -> float:
    """A number, or true, yes, false, no as 1 and 0. Raises ValueError."""
    word = text.strip().lower()
    return _WORDS[word] if word in _WORDS else float(word)


def unpacked(label: np.ndarray, attributes: Attributes | None) -> Tensor:
    """Packed labels as networks see them: attributes [n, K] from -1 to 1, or indices of classes [n]."""
    return torch.from_numpy(attributes.unpack(label) if attributes else np.array(label, np.int64))


def repacked(label: Tensor, attributes: Attributes | None) -> np.ndarray:
    """What `unpacked` was made of."""
    found = label.detach().cpu().numpy()
    return attributes.repack(found) if attributes else found.astype(np.int64)


def label_of(
    label: np.ndarray | None, attributes: Attributes | None, classes: Sequence[str]
) -> tuple[str | None, dict[str, float] | None]:
    """The class and the attributes behind the packed label of one example: one of them, or neither without a label or names for it."""
    if label is None or not (attributes or classes):
        return None, None
    if attributes:
        return None, dict(zip(attributes.names, label.astype(float).tolist(), strict=True))
    return classes[int(label)], None
