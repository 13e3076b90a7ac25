"""The surroundings of atoms as numbers, for critics that weigh them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np
from jaxtyping import Int

from gansmith.kinds.molecules.chemistry import MOST_ATOMS, MOST_CHARS, REMEMBERED, rdkit
from gansmith.kinds.molecules.strings import written

RADIUS = 3
"""Bonds from an atom to the farthest of its surroundings."""
MOST = 4
"""How often a surrounding counts at most."""


def surroundings(
    tokens: Int[np.ndarray, "molecules length"], pieces: tuple[str, ...], language: str
) -> Int[np.ndarray, "molecules parts"]:
    """Positive numbers of what is around each atom up to 0, 1, 2 and 3 bonds away (Morgan; Rogers & Hahn 2010), each as often as it
    occurs, and 0 behind the last one; nothing of what is no molecule."""
    known = _of_rows(pieces, language)
    rows = [known(row.tobytes()) for row in np.ascontiguousarray(tokens, np.int32)]
    found = np.zeros((len(rows), max(map(len, rows), default=0)), np.int64)
    for place, row in enumerate(rows):
        found[place, : len(row)] = row
    return found


@lru_cache(4)
def _of_rows(pieces: tuple[str, ...], language: str) -> Callable[[bytes], tuple[int, ...]]:
    """Of the tokens of a molecule, int32; samples are seen more than once."""
    return lru_cache(REMEMBERED)(lambda row: _surroundings(written(np.frombuffer(row, np.int32).tolist(), pieces, language)))


def _surroundings(smiles: str) -> tuple[int, ...]:
    molecule = rdkit().MolFromSmiles(smiles) if smiles and len(smiles) <= MOST_CHARS else None
    if molecule is None or molecule.GetNumAtoms() > MOST_ATOMS:
        return ()
    counts = _generator().GetSparseCountFingerprint(molecule).GetNonzeroElements()
    return tuple(1 + number for number, count in sorted(counts.items()) for _ in range(min(MOST, count)))


@cache
def _generator() -> Any:
    rdkit()
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS)
