"""How molecules are read and written down for networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gansmith.data.options import DataOptions, option
from gansmith.errors import UserError

BUILTIN = {"molecules": "3,000 small molecules assembled from rings, linkers and groups; offline"}
"""The built-in data of this kind, each with one line of description."""


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    """Options of molecules."""

    smiles: str | None = option(None, "NAME", "the column smiles")
    """The column of a table that holds SMILES."""
    properties: tuple[str, ...] = option((), "A,B", "none")
    """Conditions: columns of numbers in the table, or qed, logp, sa, weight, tpsa, rings, atoms, which are computed."""
    language: Literal["selfies", "smiles", "graph"] = option("selfies")
    """Tokens of SELFIES, which are always valid; tokens of SMILES, which need not be; or a matrix of atoms and bonds."""
    length: int | None = option(None, "N", "what the longest needs")
    """Tokens of a molecule, or atoms of a graph; larger molecules are left out."""
    hold_out: Literal["scaffold", "random"] = option("scaffold")
    """What is held out for judging: whole Bemis-Murcko scaffolds, or molecules at random."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length is not None and self.length < 2:
            raise UserError(f"--length must be at least 2, but it is {self.length}.")
