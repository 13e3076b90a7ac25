"""What molecules should be: properties, a function of the user's, comparisons, likeness to a drug; each a desirability from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.programs import answer, python_module
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import PROPERTIES, canonical, measured, scaffold
from gansmith.kinds.molecules.codec import MoleculeCodec
from gansmith.kinds.molecules.comparisons import Comparison
from gansmith.kinds.molecules.decorate import Scaffold
from gansmith.kinds.molecules.drug import Drug
from gansmith.kinds.molecules.linking import Linked
from gansmith.kinds.molecules.optimisation.breed import bred
from gansmith.networks.brought import from_file

BOUNDED: Mapping[str, tuple[float, float]] = {"qed": (0.0, 1.0), "sa": (1.0, 10.0)}
"""Properties that lie between two numbers whatever the molecule."""
STEEP = 0.5
"""By how many deviations of the model's own molecules an unbounded property must rise to be e times likelier than not."""


@dataclass(frozen=True)
class Goal:
    """A number of a molecule, and how desirable it is."""

    name: str
    value: Callable[[str], float | None]
    """Of canonical SMILES; None for what cannot be scored."""
    desirability: Callable[[float], float]

    def __call__(self, smiles: str) -> float:
        value = self.value(smiles)
        return 0.0 if value is None else min(1.0, max(0.0, self.desirability(value)))


@dataclass
class MoleculeObjective:
    """The geometric mean of goals over molecules that a model of tokens writes, or over a scaffold with their side chains."""

    codec: MoleculeCodec
    goals: Sequence[Goal]
    scaffold: Scaffold | Linked | None = None
    parts: dict[str, list[float]] = field(default_factory=dict)
    """The desirabilities of every molecule that was scored."""

    def names(self, tokens: np.ndarray) -> list[str | None]:
        """Canonical SMILES of single molecules."""
        written = [canonical(each) for each in self.codec.smiles(tokens)]
        whole = [each if each is not None and "." not in each and "*" not in each else None for each in written]
        if self.scaffold is None:
            return whole
        return [None if each is None else self.scaffold.decorated(each) for each in whole]

    def scores(self, names: Sequence[str]) -> list[float]:
        found = []
        for name in names:
            parts = self.parts[name] = [goal(name) for goal in self.goals]
            found.append(math.prod(parts) ** (1 / len(parts)) if parts else 1.0)
        return found

    def family(self, name: str) -> str:
        """Its Bemis-Murcko scaffold; a molecule without rings is a family of its own."""
        return scaffold(name) or name

    def bred(self, best: Sequence[tuple[str, float]], count: int, rng: np.random.Generator) -> list[str]:
        """Children of the best molecules, not larger than their model can write, which hold the scaffold if there is one."""
        found = bred(best, count, self.codec.length, rng)
        return [each for each in found if self.scaffold is None or self.scaffold.kept(each)]

    def tokens(self, name: str) -> np.ndarray | None:
        """As the model would write it, but for a scaffold, which is attached to what it writes."""
        return None if self.scaffold is not None else self.codec.numbers(name)


def goal_named(asked: str, option: str, sign: int, reference: Sequence[str]) -> Goal:
    """The goal to maximise (sign 1) or minimise (-1): a computed property, or FILE.py:FUNCTION.

    `reference` are molecules of the model, whose spread scales properties without bounds. Raises UserError for a name that is neither.
    """
    if ".py:" in asked or asked.endswith(".py"):
        return _of_file(asked, option, sign)
    if asked not in PROPERTIES:
        raise UserError(
            f"{option} takes a computed property ({listed(PROPERTIES, 10)}) or FILE.py:FUNCTION, but {asked!r} came"
            f"{did_you_mean(asked, PROPERTIES)}: change it."
        )
    if asked in BOUNDED:
        low, high = BOUNDED[asked]
        share = (lambda value: (value - low) / (high - low)) if sign > 0 else (lambda value: (high - value) / (high - low))
    else:
        middle, spread = _spread(asked, reference)
        share = partial(_logistic, middle, sign * STEEP / spread)
    return Goal(asked, partial(_measured, asked), share)


def goal_of(test: Comparison, reference: Sequence[str]) -> Goal:
    """1 where a comparison holds, less the further it is missed."""
    _, spread = _spread(test.name, reference)
    return Goal(
        f"{test.name}{test.sign}{test.number:g}",
        partial(_measured, test.name),
        lambda value: math.exp(-test.missed_by(value) / spread),
    )


def goal_near(name: str, number: float, reference: Sequence[str]) -> Goal:
    """1 at a number, less the further a property is from it."""
    _, spread = _spread(name, reference)
    return Goal(f"{name}={number:g}", partial(_measured, name), lambda value: math.exp(-abs(value - number) / spread))


def likeness(drug: Drug, least: float | None) -> Goal:
    """The similarity to a drug itself, or 1 from `least` on."""
    return Goal("similarity", drug.similarity, (lambda value: value) if least is None else (lambda value: value / least))


def _of_file(asked: str, option: str, sign: int) -> Goal:
    path, function = from_file(asked, option)
    module = python_module(path, option, f"the function {function}")
    score = getattr(module, function, None)
    if not callable(score):
        raise UserError(f"{path} has no function {function}, which {option} names: write one that takes a SMILES.")
    value = partial(_asked, path, function, score)
    value("C")  # whatever is wrong with it is said at once
    return Goal(function, value, (lambda value: value) if sign > 0 else (lambda value: 1 - value))


def _asked(path: Path, function: str, score: Callable[[str], Any], smiles: str) -> float | None:
    """What the user's function answers. Raises UserError for anything but a number from 0 to 1 or None."""
    found = answer(path, lambda: score(smiles))
    if found is None:
        return None
    try:
        number = float(found)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number <= 1:
        raise UserError(
            f"{path}:{function} should return a number from 0 to 1, or None for a molecule that it cannot score, but of {smiles} it "
            f"returned {str(found)[:40]!r}: change it."
        )
    return number


def _measured(name: str, smiles: str) -> float:
    return measured(smiles, name)


def _spread(name: str, reference: Sequence[str]) -> tuple[float, float]:
    """The median of a property and its deviation."""
    values = [measured(each, name) for each in reference] or [0.0]
    return float(np.median(values)), float(np.std(values)) or 1.0


def _logistic(middle: float, slope: float, value: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, slope * (value - middle)))))
