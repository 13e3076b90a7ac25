"""What is in molecules and what is wrong with them, before anything is trained."""

from __future__ import annotations

from collections import Counter

import numpy as np

from gansmith.data.inspection import Inspection
from gansmith.data.suggestions import listed
from gansmith.kinds.molecules.build import build_molecules
from gansmith.kinds.molecules.chemistry import canonical, scaffold
from gansmith.kinds.molecules.graphs import atoms_of
from gansmith.kinds.molecules.molecule import Molecules
from gansmith.kinds.molecules.options import Options


def inspected(found: Molecules, options: Options) -> Inspection:
    """Counts, copies, fragments, charges, elements, scaffolds, and what would be made of them."""
    data = build_molecules(found, options)
    groups: dict[str, list[str]] = {}
    for each, place in zip(found.smiles, found.places, strict=True):
        if (known := canonical(each)) is not None:
            groups.setdefault(known, []).append(place)
    every = list(groups)
    elements, sizes, charged = Counter[str](), [], 0
    for each in every:
        atoms = atoms_of(each)
        sizes.append(len(atoms))
        elements.update({atom.rstrip("+-") for atom in atoms})
        charged += any(atom[-1] in "+-" for atom in atoms)
    scaffolds = Counter(scaffold(each) for each in every)
    notes = [
        f"a molecule has {min(sizes)} to {max(sizes)} heavy atoms, half of them at most {int(np.median(sizes))}",
        "share of molecules with each element: "
        + listed([f"{name} {count / len(every):.0%}" for name, count in elements.most_common()], 12),
        f"{len(scaffolds):,} different scaffolds; {scaffolds.get('', 0):,} molecules have no ring",
    ]
    if salts := sum("." in each for each in every):
        notes.append(f"{salts:,} molecules consist of several fragments (salts, solvents): a model learns to write them too")
    if charged:
        notes.append(f"{charged:,} molecules have charged atoms")
    if stereo := sum("@" in each or "/" in each or "\\" in each for each in every):
        notes.append(f"{stereo:,} molecules have stereochemistry, which --language graph would lose")
    if found.columns:
        notes.append(f"columns of numbers, for --properties: {listed(list(found.columns), 20)}")
    return Inspection(
        name=found.name,
        kind="molecules",
        unit="molecules",
        count=len(data),
        duplicates=[same for same in groups.values() if len(same) > 1],
        notes=[*notes, *data.facts.get("notes", ())],
    )
