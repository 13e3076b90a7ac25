"""A molecule that others should resemble."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import canonical, fingerprints, tanimoto


@dataclass(frozen=True)
class Drug:
    """A molecule that others should resemble."""

    smiles: str

    def __post_init__(self) -> None:
        if canonical(self.smiles) is None:
            raise UserError(f"--like should be the SMILES of a molecule, but it is {self.smiles!r}: correct it.")

    def similarity(self, smiles: str) -> float:
        """Tanimoto similarity of Morgan fingerprints."""
        return float(tanimoto(fingerprints([smiles]), self._bits)[0, 0])

    @cached_property
    def _bits(self) -> np.ndarray:
        return fingerprints([str(canonical(self.smiles))])
