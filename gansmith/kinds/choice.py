"""Which GAN suits which data: what the rules of every kind are made of.

The first rule that holds, and whose GAN is installed, decides. The reasons are those of the papers that the rules name; what was measured
here is in bench/results/ and in `gansmith list gans`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from gansmith import gans
from gansmith.errors import UserError

Facts = TypeVar("Facts")


@dataclass(frozen=True)
class Rule(Generic[Facts]):
    """A GAN, its options, and when it is the one to take."""

    gan: str
    holds: Callable[[Facts], bool]
    because: str
    """Why, in words that may name the facts in braces."""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """A GAN, options for it, and why."""

    gan: str
    options: Mapping[str, Any]
    because: str

    def sentence(self, asked: str = "--gan auto takes") -> str:
        options = "".join(f" with --gan.{name.replace('_', '-')} {value}" for name, value in self.options.items())
        return f"{asked} {self.gan}{options}: {self.because}."


def decided(rules: Sequence[Rule[Facts]], facts: Facts, kind: str) -> Choice:
    """What the first of the rules that holds says. Raises UserError if none does."""
    known = gans.names()
    for rule in rules:
        if rule.gan in known and rule.holds(facts):
            return Choice(rule.gan, rule.options, rule.because.format(**vars(facts)))
    raise UserError(f"--gan auto knows no rule for these {kind}: name a GAN (gansmith list gans).")
