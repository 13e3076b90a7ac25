"""What networks must know about molecules."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Int

from gansmith.data.tokens import TokenSpec

BONDS = 4
"""None, single, double, triple: aromatic rings are written with alternating bonds (Kekulé)."""


ROWS = (("B", "C", "N", "O", "F"), ("Al", "Si", "P", "S", "Cl"), ("Ga", "Ge", "As", "Se", "Br"), ("In", "Sn", "Sb", "Te", "I"))
MOST = (3, 4, 3, 2, 1)
"""Bonds of the elements in each column of these rows."""
HEAVIER = {"P": 5, "S": 6, "As": 5, "Se": 6, "Te": 6}
"""Those of elements that can have more, without a charge."""
ANY = 12
"""Of other elements."""


@dataclass(frozen=True, kw_only=True)
class MoleculeSpec(TokenSpec):
    """Tokens [length] of SELFIES or SMILES; or a graph [atoms, atoms], int64: on the diagonal the atom's type (0 is none), elsewhere the
    bond between two atoms (0 none, 1 single, 2 double, 3 triple), symmetric."""

    FIXED: ClassVar[tuple[str, ...]] = ("pad", "end", "unknown", "pieces")

    kind: str = "molecules"
    key: str = "molecule"
    language: str = "selfies"
    """selfies, smiles or graph; the `vocabulary` of a graph is its types of atoms, "none" included."""
    pieces: tuple[str, ...] = field(default=(), compare=False)
    """What each token stands for, from the codec, which saves it."""

    def valences(self) -> tuple[int, ...]:
        """How many bonds each type of atom of a graph can have, a double bond counted twice: a charge makes it an atom with as many more or
        fewer electrons (N+ is as C, O- as F). ANY of what is not known."""
        found = []
        for piece in self.pieces:
            symbol = piece.rstrip("+-")
            place = next(((row, row.index(symbol)) for row in ROWS if symbol in row), None)
            moved = None if place is None else place[1] - piece.count("+") + piece.count("-")
            found.append(MOST[moved] if moved is not None and place is not None and 0 <= moved < len(MOST) else ANY)
            if symbol in HEAVIER and piece == symbol:
                found[-1] = HEAVIER[symbol]
        return tuple(found)

    def parts(self, tokens: Int[np.ndarray, "examples length"]) -> Int[np.ndarray, "examples parts"] | None:
        """The surroundings of each atom; none of graphs."""
        if self.language == "graph":
            return None
        from gansmith.kinds.molecules.substructures import surroundings

        return surroundings(tokens, self.pieces, self.language)
