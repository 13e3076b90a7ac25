"""What networks must know about molecules."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jaxtyping import Int

from gansmith.data.tokens import TokenSpec

BONDS = 4
"""None, single, double, triple: aromatic rings are written with alternating bonds (Kekulé)."""


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

    def parts(self, tokens: Int[np.ndarray, "examples length"]) -> Int[np.ndarray, "examples parts"] | None:
        """The surroundings of each atom; none of graphs."""
        if self.language == "graph":
            return None
        from gansmith.kinds.molecules.substructures import surroundings

        return surroundings(tokens, self.pieces, self.language)
