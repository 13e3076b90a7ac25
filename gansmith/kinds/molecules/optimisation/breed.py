"""Molecules bred from others: parts of two joined, and atoms and bonds changed.

After Jensen (2019), "A graph-based genetic algorithm and generative model/Monte Carlo tree search for the exploration of chemical space",
written anew: crossover cuts bonds outside of rings, and a mutation appends, changes or deletes an atom, or changes, adds or deletes a bond.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gansmith.kinds.molecules.chemistry import canonical, rdkit
from gansmith.kinds.molecules.decorate import MARK, side_chains

MUTATED = 0.3
"""Share of children that are mutated too."""
TRIES = 10
"""Pairs that are tried for each child."""
ELEMENTS = (6, 7, 8, 9, 16, 17)


def bred(best: Sequence[tuple[str, float]], count: int, largest: int, rng: np.random.Generator) -> list[str]:
    """Different children of molecules, which are chosen by their scores; none with more than `largest` heavy atoms."""
    if len(best) < 2:
        return []
    weights = np.array([score + 1e-6 for _, score in best])
    found: dict[str, None] = {}
    for _ in range(TRIES * count):
        if len(found) == count:
            break
        first, second = (best[place][0] for place in rng.choice(len(best), 2, replace=False, p=weights / weights.sum()))
        child = crossed(first, second, rng) if rng.random() > MUTATED / 2 else first
        if child is not None and (child == first or rng.random() < MUTATED):
            child = mutated(child, rng)
        if child is not None and rdkit().MolFromSmiles(child).GetNumHeavyAtoms() <= largest:
            found[child] = None
    return list(found)


def crossed(a: str, b: str, rng: np.random.Generator) -> str | None:
    """A part of one molecule joined to a part of another, as canonical SMILES; None where they do not fit."""
    first, second = side_chains(a), side_chains(b)
    if not first or not second:
        return None
    made = rdkit().RWMol(rdkit().CombineMols(first[rng.integers(len(first))], second[rng.integers(len(second))]))
    marks = [atom.GetIdx() for atom in made.GetAtoms() if atom.GetAtomicNum() == MARK]
    ends = [made.GetAtomWithIdx(mark).GetNeighbors()[0].GetIdx() for mark in marks]
    made.AddBond(ends[0], ends[1], rdkit().BondType.SINGLE)
    for mark in sorted(marks, reverse=True):
        made.RemoveAtom(mark)
    return _written(made)


def mutated(smiles: str, rng: np.random.Generator) -> str | None:
    """A valid molecule with one atom or bond changed; None where the change that was drawn is not possible."""
    chem = rdkit()
    made = chem.RWMol(chem.MolFromSmiles(smiles))
    chem.Kekulize(made, clearAromaticFlags=True)
    place, way = int(rng.integers(made.GetNumAtoms())), int(rng.integers(6))
    kinds = (chem.BondType.SINGLE, chem.BondType.DOUBLE, chem.BondType.TRIPLE)
    if way == 0:
        made.AddBond(place, made.AddAtom(chem.Atom(int(rng.choice(ELEMENTS)))), kinds[0])
    elif way == 1:
        made.GetAtomWithIdx(place).SetAtomicNum(int(rng.choice(ELEMENTS)))
    elif way == 2:
        if made.GetAtomWithIdx(place).GetDegree() != 1:
            return None
        made.RemoveAtom(place)
    elif way == 3:
        if not made.GetNumBonds():
            return None
        made.GetBondWithIdx(int(rng.integers(made.GetNumBonds()))).SetBondType(kinds[int(rng.integers(3))])
    elif way == 4:
        other = int(rng.integers(made.GetNumAtoms()))
        if other == place or len(chem.GetShortestPath(made, place, other)) not in (5, 6):
            return None
        made.AddBond(place, other, kinds[0])
    else:
        rings = [bond for bond in made.GetBonds() if bond.IsInRing()]
        if not rings:
            return None
        bond = rings[int(rng.integers(len(rings)))]
        made.RemoveBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
    return _written(made)


def _written(molecule: Any) -> str | None:
    """Canonical SMILES of one molecule with allowed valences and no radicals."""
    try:
        rdkit().SanitizeMol(molecule)
    except (ValueError, RuntimeError):
        return None
    found = canonical(rdkit().MolToSmiles(molecule))
    if found is None or "." in found or "*" in found:
        return None
    return None if any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()) else found
