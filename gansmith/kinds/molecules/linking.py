"""Linkers: two fragments that are kept, joined by parts of the molecules that a model writes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import canonical, rdkit
from gansmith.kinds.molecules.decorate import MARK, Scaffold, one_hydrogen_less, sane

MOST = 200
"""Pairs of cuts or atoms of a molecule that are tried."""


@dataclass(frozen=True)
class Linked:
    """Two fragments, each with one * where the linker goes: "*c1ccccc1.*N1CCOCC1"."""

    smiles: str

    def __post_init__(self) -> None:
        parts = self.smiles.split(".")
        known = [canonical(part) for part in parts]
        if len(parts) != 2 or None in known or any(len(self._marks(part)) != 1 for part in self._fragments):
            raise UserError(
                '--scaffold takes two fragments with one * each to join them by a linker ("*c1ccccc1.*N1CCOCC1"), but it is '
                f"{self.smiles!r}."
            )

    def decorated(self, smiles: str) -> str | None:
        """The fragments joined by a part of a valid molecule, as canonical SMILES; the same for the same molecule. None if no part fits."""
        parts = linkers(smiles)
        rng = random.Random(smiles)
        rng.shuffle(parts)
        for part in parts[:8]:
            found = self._joined(part, rng.random() < 0.5)
            if found is not None:
                return found
        return None

    def kept(self, smiles: str) -> bool:
        """Whether a valid molecule holds both fragments, with no atom in both."""
        molecule = rdkit().MolFromSmiles(smiles)
        first, second = ({frozenset(match) for match in molecule.GetSubstructMatches(bare)} for bare in self._bare)
        return any(not own & other for own in first for other in second)

    @cached_property
    def _fragments(self) -> tuple[Any, ...]:
        return tuple(rdkit().MolFromSmiles(part) for part in self.smiles.split("."))

    @cached_property
    def _bare(self) -> tuple[Any, ...]:
        """The fragments without their marks, as patterns: atoms and bonds, whatever hangs on them."""
        found = []
        for fragment in self._fragments:
            editable = rdkit().RWMol(fragment)
            editable.RemoveAtom(self._marks(fragment)[0])
            for atom in editable.GetAtoms():
                atom.SetNumExplicitHs(0)
                atom.SetNoImplicit(False)
            found.append(editable.GetMol())
        return tuple(found)

    @staticmethod
    def _marks(molecule: Any) -> list[int]:
        return [atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetAtomicNum() == MARK]

    def _joined(self, linker: Any, turned: bool) -> str | None:
        """Each fragment's neighbour of its mark bound to one neighbour of the linker's two marks."""
        chem = rdkit()
        first, second = self._fragments[::-1] if turned else self._fragments
        made = chem.RWMol(chem.CombineMols(chem.CombineMols(first, linker), second))
        marks = self._marks(made)
        ends = [made.GetAtomWithIdx(mark).GetNeighbors()[0].GetIdx() for mark in marks]
        if made.GetBondBetweenAtoms(ends[0], ends[1]) is not None or made.GetBondBetweenAtoms(ends[2], ends[3]) is not None:
            return None
        made.AddBond(ends[0], ends[1], chem.BondType.SINGLE)
        made.AddBond(ends[2], ends[3], chem.BondType.SINGLE)
        for mark in sorted(marks, reverse=True):
            made.RemoveAtom(mark)
        if sane(made) is None:
            return None
        found = canonical(chem.MolToSmiles(made))
        return found if found is not None and "." not in found and self.kept(found) else None


def scaffold_of(smiles: str) -> Scaffold | Linked:
    """What every molecule is to hold: one molecule, or two fragments that are joined."""
    return Linked(smiles) if "." in smiles else Scaffold(smiles)


def linkers(smiles: str) -> list[Any]:
    """What lies between two cuts of single bonds outside of rings, with a * at each; where there are none, the molecule with a * at two
    of its atoms that have a hydrogen."""
    chem = rdkit()
    molecule = chem.MolFromSmiles(smiles)
    if molecule is None:
        return []
    found: set[str] = set()
    bonds = [bond.GetIdx() for bond in molecule.GetBonds() if bond.GetBondType() == chem.BondType.SINGLE and not bond.IsInRing()]
    for pair in list(combinations(bonds, 2))[:MOST]:
        cut = chem.FragmentOnBonds(molecule, list(pair), dummyLabels=[(0, 0), (0, 0)])
        found.update(part for part in chem.MolToSmiles(cut).split(".") if part.count("*") == 2)
    if not found:
        open_atoms = [atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetTotalNumHs()]
        for pair in list(combinations(open_atoms, 2))[:MOST]:
            marked = chem.RWMol(molecule)
            for place in pair:
                marked.AddBond(place, marked.AddAtom(chem.Atom(MARK)), chem.BondType.SINGLE)
                one_hydrogen_less(marked.GetAtomWithIdx(place))
            if sane(marked) is not None:
                found.add(chem.MolToSmiles(marked))
    return [part for each in sorted(found) if (part := chem.MolFromSmiles(each)) is not None]
