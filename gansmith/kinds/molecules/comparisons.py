"""Comparisons of computed properties: "logp<3", "qed>=.6"."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import PROPERTIES, measured

_TESTS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
}
_TEST = re.compile(r"(<=|>=|!=|<|>)\s*(\S+)")


@dataclass(frozen=True)
class Comparison:
    """What a computed property must be."""

    name: str
    sign: str
    number: float

    def holds(self, value: float) -> bool:
        return _TESTS[self.sign](value, self.number)

    def missed_by(self, value: float) -> float:
        """How far a value is from meeting it; 0 if it does."""
        return 0.0 if self.holds(value) else abs(value - self.number)


def is_comparison(value: Any) -> bool:
    """Whether a condition's value begins with a sign, as in {"logp": "<3"}."""
    return str(value).lstrip()[:1] in ("<", ">", "!")


def comparisons(where: Mapping[str, Any]) -> list[Comparison]:
    """Those among conditions, several of one property joined by &. Raises UserError for properties that are not computed and for what
    is no number."""
    found = []
    for name, value in where.items():
        if not is_comparison(value):
            continue
        if name not in PROPERTIES:
            raise UserError(
                f"{name}{value} compares a property that is not computed{did_you_mean(name, PROPERTIES)}: compare one of "
                f"{listed(PROPERTIES, 10)}."
            )
        for part in str(value).split("&"):
            match = _TEST.fullmatch(part.strip())
            try:
                number = float(match[2]) if match else float("nan")
            except ValueError:
                number = float("nan")
            if match is None or number != number:
                raise UserError(f'{name} is compared with a number, as in "{name}<3", but {part!r} came.')
            found.append(Comparison(name, match[1], number))
    return found


def meets(smiles: str, tests: list[Comparison]) -> bool:
    """Whether a valid molecule meets all of them."""
    return all(test.holds(measured(smiles, test.name)) for test in tests)
