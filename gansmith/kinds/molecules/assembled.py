"""The built-in molecules: rings with groups on them, joined by linkers."""

import numpy as np

from gansmith.kinds.molecules.molecule import Molecules

RINGS = (
    "c1ccc({})cc1",
    "c1cc({})ccn1",
    "C1CCC({})CC1",
    "c1cc({})sc1",
    "C1CC({})CN1",
    "c1cc({})oc1",
    "C1COCC({})N1",
    "c1nc({})cs1",
)
LINKERS = ("C", "CC", "O", "N", "C(=O)N", "CO", "S", "C(=O)", "CCO", "NC(=O)", "C=C", "CS(=O)(=O)")
ENDS = ("C", "CC", "O", "N", "F", "Cl", "OC", "C#N", "C(=O)O", "C(N)=O", "C(C)C", "N(C)C", "C(F)(F)F", "CO", "Br", "C(C)=O")
BUILTIN_COUNT = 3000


def assembled(count: int = BUILTIN_COUNT, seed: int = 0) -> Molecules:
    """Different SMILES: an end or a ring, a linker, and a ring with an end or a linker with another one."""
    rng, found = np.random.default_rng(seed), dict[str, None]()
    while len(found) < count:
        ring, linker, end = (str(rng.choice(words)) for words in (RINGS, LINKERS, ENDS))
        side = f"{linker}{end}" if rng.random() < 0.6 else end
        first = str(rng.choice(ENDS)) if rng.random() < 0.5 else ""
        made = ring.format(side)
        if rng.random() < 0.35:
            other = str(rng.choice(RINGS)).format(end).replace("1", "2")
            made = ring.format(f"{linker}{other}")
        found[f"{first}{made}" if first in ("C", "CC", "O", "N", "F", "Cl") else made] = None
    return Molecules(name="molecules", smiles=list(found), places=[f"molecule {place}" for place in range(count)])
