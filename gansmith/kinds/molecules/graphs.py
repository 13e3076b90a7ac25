"""Molecules as matrices: types of atoms on the diagonal, bonds beside it (De Cao & Kipf 2018, MolGAN)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from gansmith.kinds.molecules.chemistry import canonical, rdkit

MATRIX = Int[np.ndarray, "atoms atoms"]


def atoms_of(smiles: str) -> list[str]:
    """The type of every heavy atom of a valid molecule: its symbol and charge, such as "C", "N+", "O-"."""
    return [_name(atom) for atom in rdkit().MolFromSmiles(smiles).GetAtoms()]


def matrix_of(smiles: str, types: Sequence[str], size: int) -> MATRIX | None:
    """The matrix of a valid molecule, atoms in the order of its SMILES; None for more atoms than `size` or an unknown type."""
    chem = rdkit()
    molecule = chem.MolFromSmiles(smiles)
    if molecule.GetNumAtoms() > size:
        return None
    chem.Kekulize(molecule, clearAromaticFlags=True)
    found = np.zeros((size, size), np.uint8)
    for atom in molecule.GetAtoms():
        if (name := _name(atom)) not in types:
            return None
        found[atom.GetIdx(), atom.GetIdx()] = 1 + types.index(name)
    for bond in molecule.GetBonds():
        order = int(bond.GetBondTypeAsDouble())
        found[bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()] = found[bond.GetEndAtomIdx(), bond.GetBeginAtomIdx()] = order
    return found


def smiles_of(matrix: MATRIX, types: Sequence[str]) -> str:
    """The canonical SMILES of a matrix; of one that is no molecule, SMILES of its atoms and bonds as they are; "" without atoms."""
    chem = rdkit()
    order = (None, chem.BondType.SINGLE, chem.BondType.DOUBLE, chem.BondType.TRIPLE)
    molecule, place = chem.RWMol(), {}
    for atom in np.flatnonzero(matrix.diagonal()).tolist():
        name = types[int(matrix[atom, atom]) - 1]
        made = chem.Atom(name.rstrip("+-"))
        made.SetFormalCharge(name.count("+") - name.count("-"))
        place[atom] = molecule.AddAtom(made)
    for first, second in np.argwhere(np.triu(matrix, 1)).tolist():
        if first in place and second in place:
            molecule.AddBond(place[first], place[second], order[int(matrix[first, second])])
    written = chem.MolToSmiles(molecule)
    return canonical(written) or written


def is_atom(name: str) -> bool:
    """Whether this is the symbol of an element and its charges, as in N+."""
    if not re.fullmatch(r"[A-Z][a-z]?(\+{0,8}|-{0,8})", name):
        return False
    try:
        return rdkit().Atom(name.rstrip("+-")).GetAtomicNum() > 0
    except RuntimeError:  # no element is called so
        return False


def _name(atom) -> str:
    charge = atom.GetFormalCharge()
    return atom.GetSymbol() + ("+" if charge > 0 else "-") * abs(charge)
