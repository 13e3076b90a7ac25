"""What RDKit knows of a molecule: whether it is one, its canonical SMILES, scaffold, fingerprint and properties."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from gansmith.errors import missing_extra

BITS, RADIUS = 1024, 2
"""Of Morgan fingerprints (Rogers & Hahn 2010), as in MOSES (Polykovskiy et al. 2020)."""
REMEMBERED = 200_000
MOST_ATOMS, MOST_CHARS = 1_000, 5_000
"""Of a molecule: RDKit takes time that grows with the square of larger ones, and from some 20,000 atoms on more stack than there is."""


@cache
def rdkit() -> Any:
    """`rdkit.Chem`, without its warnings on stderr. Raises UserError if RDKit is not installed."""
    try:
        from rdkit import Chem, RDLogger
    except ImportError as error:
        raise missing_extra("rdkit", "molecules", "Reading molecules") from error
    RDLogger.DisableLog("rdApp.*")  # pyright: ignore[reportAttributeAccessIssue]
    return Chem


@lru_cache(REMEMBERED)
def canonical(smiles: str) -> str | None:
    """Canonical SMILES; None if RDKit finds no molecule with allowed valences in it, and for one above the limits."""
    if not smiles or len(smiles) > MOST_CHARS:
        return None
    return written(rdkit().MolFromSmiles(smiles))


def written(molecule: Any) -> str | None:
    """Canonical SMILES of one of RDKit's molecules; None for none, one without atoms and one above the limit."""
    known = molecule is not None and 0 < molecule.GetNumAtoms() <= MOST_ATOMS
    return rdkit().MolToSmiles(molecule) if known else None


@lru_cache(REMEMBERED)
def scaffold(smiles: str) -> str:
    """The Bemis-Murcko scaffold of a valid molecule: its rings and what links them; "" without rings."""
    from rdkit.Chem.Scaffolds import MurckoScaffold

    rdkit()
    return MurckoScaffold.MurckoScaffoldSmiles(smiles, includeChirality=False)


@lru_cache(REMEMBERED)
def fragments(smiles: str) -> tuple[str, ...]:
    """The BRICS fragments of a valid molecule (Degen et al. 2008), as MOSES counts them: each bond is cut, marks are kept."""
    from rdkit.Chem import BRICS

    chem = rdkit()
    return tuple(chem.MolToSmiles(BRICS.BreakBRICSBonds(chem.MolFromSmiles(smiles))).split("."))


@lru_cache(REMEMBERED)
def passes(smiles: str) -> bool:
    """Whether a valid molecule has no substructure of RDKit's catalogues PAINS (Baell & Holloway 2010) and Brenk (Brenk et al. 2008)."""
    return not _catalogue().HasMatch(rdkit().MolFromSmiles(smiles))


@cache
def _catalogue() -> Any:
    rdkit()
    from rdkit.Chem import FilterCatalog

    asked = FilterCatalog.FilterCatalogParams()  # pyright: ignore[reportAttributeAccessIssue]
    for name in ("PAINS", "BRENK"):
        asked.AddCatalog(getattr(FilterCatalog.FilterCatalogParams.FilterCatalogs, name))  # pyright: ignore[reportAttributeAccessIssue]
    return FilterCatalog.FilterCatalog(asked)  # pyright: ignore[reportAttributeAccessIssue]


@lru_cache(REMEMBERED)
def measured(smiles: str, name: str) -> float:
    """A computed property of a valid molecule."""
    return float(_functions()[name](rdkit().MolFromSmiles(smiles)))


PROPERTIES = ("qed", "logp", "sa", "weight", "tpsa", "rings", "atoms")
"""Properties that are computed: drug-likeness (Bickerton et al. 2012), Crippen's octanol-water partition, synthetic accessibility (Ertl &
Schuffenhauer 2009; 1 easy, 10 hard), molecular weight, polar surface, rings, heavy atoms."""


@cache
def _functions() -> dict[str, Callable[[Any], float]]:
    rdkit()
    from rdkit.Chem import QED, Crippen, Descriptors, rdMolDescriptors
    from rdkit.Contrib.SA_Score import sascorer  # pyright: ignore[reportMissingImports]

    found = {
        "qed": QED.qed,
        "logp": Crippen.MolLogP,  # pyright: ignore[reportAttributeAccessIssue]
        "sa": sascorer.calculateScore,
        "weight": Descriptors.MolWt,  # pyright: ignore[reportAttributeAccessIssue]
        "tpsa": rdMolDescriptors.CalcTPSA,
        "rings": rdMolDescriptors.CalcNumRings,
        "atoms": lambda molecule: molecule.GetNumHeavyAtoms(),
    }
    assert tuple(found) == PROPERTIES
    return found


@cache
def _fingerprinter() -> Any:
    rdkit()
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)


def fingerprints(smiles: list[str]) -> Bool[np.ndarray, "molecules bits"]:
    """Morgan fingerprints of valid molecules."""
    found = np.zeros((len(smiles), BITS), bool)
    for place, each in enumerate(smiles):
        found[place] = _fingerprinter().GetFingerprintAsNumPy(rdkit().MolFromSmiles(each))
    return found


def tanimoto(a: Bool[np.ndarray, "n bits"], b: Bool[np.ndarray, "m bits"]) -> Float[np.ndarray, "n m"]:
    """Shared bits over all bits that either has; 1 of two molecules without any."""
    first, second = a.astype(np.float32), b.astype(np.float32)
    shared = first @ second.T
    either = first.sum(1)[:, None] + second.sum(1) - shared
    return np.where(either > 0, shared / np.maximum(either, 1), 1.0)
