"""A molecule, and the molecules of a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Molecule:
    """One example."""

    smiles: str
    """Canonical SMILES of real molecules; whatever was generated, valid or not, of generated ones."""
    properties: tuple[float, ...] = ()
    """The values of the codec's attributes, if it has any: measured ones of real molecules, requested ones of generated ones."""

    def __str__(self) -> str:
        return self.smiles


@dataclass(frozen=True, kw_only=True)
class Molecules:
    """Molecules as they were found, before any is parsed."""

    name: str
    smiles: Sequence[str]
    places: Sequence[str]
    """Where each was found: "line 3"."""
    columns: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Columns of numbers beside them; NaN where a number is missing."""
    notes: tuple[str, ...] = ()
    """Sentences about how the source was read."""
