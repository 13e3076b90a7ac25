"""A scaffold with side chains of other molecules: every molecule made this way holds the scaffold, whatever a model writes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import canonical, rdkit

MOST = 3
"""Side chains on a scaffold without marks."""
MARK = 0
"""The atomic number of *."""


@dataclass(frozen=True)
class Scaffold:
    """A molecule that is kept; where it is marked with * side chains go there, else anywhere it has a hydrogen."""

    smiles: str

    def __post_init__(self) -> None:
        known = canonical(self.smiles)
        if known is None or "." in known:
            raise UserError(f"--scaffold should be the SMILES of one molecule, but it is {self.smiles!r}: correct it.")
        if not self._sites:
            raise UserError(f"--scaffold {self.smiles} has no hydrogen and no * where a side chain could go: give another one.")

    def decorated(self, smiles: str) -> str | None:
        """The scaffold with side chains cut from a valid molecule, as canonical SMILES; the same for the same molecule. None if none of
        them fits."""
        rng = random.Random(smiles)
        chains = side_chains(smiles)
        if not chains:
            return None
        bare, sites, marked = self._bare, list(self._sites), self._marked
        rng.shuffle(sites)
        count = len(sites) if marked else rng.randint(1, min(MOST, len(sites), len(chains)))
        made: Any = rdkit().RWMol(bare)
        rng.shuffle(chains)
        for number, site in enumerate(sites[:count]):
            made = _attached(made, site, chains[number % len(chains)])
        found = canonical(rdkit().MolToSmiles(made))
        return found if found is not None and self.kept(found) else None

    def kept(self, smiles: str) -> bool:
        """Whether a valid molecule holds the scaffold."""
        return bool(rdkit().MolFromSmiles(smiles).HasSubstructMatch(self._bare_query))

    @cached_property
    def _molecule(self) -> Any:
        return rdkit().MolFromSmiles(self.smiles)

    @cached_property
    def _marked(self) -> bool:
        return any(atom.GetAtomicNum() == MARK for atom in self._molecule.GetAtoms())

    @cached_property
    def _bare(self) -> Any:
        """The scaffold without marks; hydrogens stand where they were."""
        if not self._marked:
            return self._molecule
        editable = rdkit().RWMol(self._molecule)
        for atom in [atom.GetIdx() for atom in editable.GetAtoms() if atom.GetAtomicNum() == MARK][::-1]:
            for neighbour in editable.GetAtomWithIdx(atom).GetNeighbors():
                if neighbour.GetIsAromatic() and neighbour.GetAtomicNum() != 6:
                    neighbour.SetNumExplicitHs(1)
            editable.RemoveAtom(atom)
        return sane(editable)

    @cached_property
    def _bare_query(self) -> Any:
        return rdkit().MolFromSmiles(rdkit().MolToSmiles(self._bare))

    @cached_property
    def _sites(self) -> tuple[int, ...]:
        """Atoms of the bare scaffold that take a side chain, one for each."""
        if not self._marked:
            return tuple(atom.GetIdx() for atom in self._molecule.GetAtoms() if atom.GetTotalNumHs())
        marks = [atom.GetIdx() for atom in self._molecule.GetAtoms() if atom.GetAtomicNum() == MARK]
        found = [neighbour.GetIdx() for mark in marks for neighbour in self._molecule.GetAtomWithIdx(mark).GetNeighbors()]
        return tuple(site - sum(mark < site for mark in marks) for site in found)


def side_chains(smiles: str) -> list[Any]:
    """Every part that one cut of a single bond outside of rings leaves, with a * where it was cut; where no bond can be cut, the whole
    molecule with a * at each atom with a hydrogen."""
    chem = rdkit()
    molecule = chem.MolFromSmiles(smiles)
    if molecule is None:
        return []
    found: set[str] = set()
    for bond in molecule.GetBonds():
        if bond.GetBondType() == chem.BondType.SINGLE and not bond.IsInRing():
            cut = chem.FragmentOnBonds(molecule, [bond.GetIdx()], dummyLabels=[(0, 0)])
            found.update(chem.MolToSmiles(cut).split("."))
    if not found:
        for atom in molecule.GetAtoms():
            if atom.GetTotalNumHs():
                marked = chem.RWMol(molecule)
                marked.AddBond(atom.GetIdx(), marked.AddAtom(chem.Atom(MARK)), chem.BondType.SINGLE)
                one_hydrogen_less(marked.GetAtomWithIdx(atom.GetIdx()))
                if sane(marked) is not None:
                    found.add(chem.MolToSmiles(marked))
    return [part for each in sorted(found) if (part := chem.MolFromSmiles(each)) is not None]


def _attached(molecule: Any, site: int, chain: Any) -> Any:
    """The molecule with a single bond from this atom to where the chain is marked; unchanged where valences do not allow it."""
    made = rdkit().RWMol(rdkit().CombineMols(molecule, chain))
    mark = next(atom for atom in made.GetAtoms() if atom.GetAtomicNum() == MARK and atom.GetIdx() >= molecule.GetNumAtoms())
    one_hydrogen_less(made.GetAtomWithIdx(site))
    made.AddBond(site, mark.GetNeighbors()[0].GetIdx(), rdkit().BondType.SINGLE)
    made.RemoveAtom(mark.GetIdx())
    return sane(made) or molecule


def one_hydrogen_less(atom: Any) -> None:
    """Makes room for a bond at an atom whose hydrogens are written out, as in [nH]."""
    if atom.GetNumExplicitHs():
        atom.SetNumExplicitHs(atom.GetNumExplicitHs() - 1)


def sane(molecule: Any) -> Any:
    """The molecule with its valences checked; None if they cannot be."""
    try:
        rdkit().SanitizeMol(molecule)
    except (ValueError, RuntimeError):
        return None
    return molecule
