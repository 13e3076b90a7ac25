"""What generated molecules are made around: a scaffold that each of them holds, or a drug that each of them resembles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import scaffold
from gansmith.kinds.molecules.decorate import Scaffold
from gansmith.kinds.molecules.drug import Drug
from gansmith.kinds.molecules.linking import Linked, scaffold_of

KEYS = ("scaffold", "like", "similarity")
"""What is requested so: --where scaffold=SMILES, or like=SMILES with similarity=0.4."""
SIMILARITY = 0.4
"""The Tanimoto similarity of Morgan fingerprints that is asked for where none is said."""


@dataclass(frozen=True)
class Around:
    """Molecules that hold a scaffold (or two fragments, joined), or resemble a drug at least so much, or both."""

    core: Scaffold | Linked | None
    drug: Drug | None
    least: float

    def made(self, smiles: str) -> str | None:
        """Of a valid molecule: the scaffold with parts of it attached, that of the drug where none is given (the drug itself if it has no
        ring), as canonical SMILES. None where nothing fits."""
        return self._kept_part.decorated(smiles)

    def holds(self, smiles: str) -> bool:
        """Whether a valid molecule is as requested."""
        held = self.core is None or self.core.kept(smiles)
        return held and (self.drug is None or self.drug.similarity(smiles) >= self.least)

    @cached_property
    def _kept_part(self) -> Scaffold | Linked:
        if self.core is not None:
            return self.core
        assert self.drug is not None
        return Scaffold(scaffold(self.drug.smiles) or self.drug.smiles)


def parted(where: Mapping[str, Any]) -> tuple[Around | None, dict[str, Any]]:
    """What molecules are made around, if anything, and all other conditions. Raises UserError for what is no molecule or no similarity."""
    own = {key: str(where[key]) for key in KEYS if key in where}
    return (_around(**own) if own else None), {key: value for key, value in where.items() if key not in KEYS}


@lru_cache(maxsize=8)
def _around(scaffold: str | None = None, like: str | None = None, similarity: str | None = None) -> Around:
    if similarity is not None and like is None:
        raise UserError(f"similarity={similarity} says how near molecules are to another one: name it with like=SMILES.")
    try:
        least = SIMILARITY if similarity is None else float(similarity)
    except ValueError:
        least = -1.0
    if not 0 < least <= 1:
        raise UserError(f"similarity must be a number above 0 and at most 1, but it is {similarity!r}.")
    return Around(scaffold_of(scaffold) if scaffold is not None else None, Drug(like) if like is not None else None, least)
