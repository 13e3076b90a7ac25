"""The sides that drawings show over each other: how they are read, named and told apart."""

from collections.abc import Collection, Mapping
from typing import Any

from gansmith.report.markup import Markup, tag
from gansmith.report.numbers import finite

SIDES = {"training": "real, trained on", "held-out": "real, held out", "generated": "generated"}
"""In the order in which they are drawn, the generated one on top."""


def by_side(value: Any) -> dict[str, list[float]]:
    """The sides' lists of finite numbers, as many of each; empty for anything else."""
    if not isinstance(value, Mapping):
        return {}
    found = {side: numbers(value[side]) for side in SIDES if side in value}
    return found if len({len(each) for each in found.values()}) == 1 and all(found.values()) else {}


def numbers(value: Any) -> list[float]:
    """A list of finite numbers; empty for anything else."""
    found = [finite(each) for each in value] if isinstance(value, list) else []
    known = [each for each in found if each is not None]
    return known if len(known) == len(found) else []


def legend(shown: Collection[str], path: str, kind: str) -> Markup:
    """The names of the sides, each after a sample of its mark: a path in a box of 26 x 12, of this class."""
    sample = tag("svg", tag("path", d=path, class_=kind), viewBox="0 0 26 12", aria_hidden="true")
    return tag("ul", *(tag("li", sample, name, class_=side) for side, name in SIDES.items() if side in shown), class_="legend")
