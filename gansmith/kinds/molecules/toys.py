"""Tiny molecules, for tests that run over every kind of data."""

from gansmith.data.dataset import Dataset
from gansmith.kinds.molecules.assembled import assembled
from gansmith.kinds.molecules.build import build_molecules
from gansmith.kinds.molecules.options import Options


def toys() -> dict[str, Dataset]:
    """Graphs, SELFIES, and SMILES with computed properties."""
    return {
        "molecular graphs": molecules(language="graph", length=12),
        "molecules": molecules(),
        "molecules with properties": molecules(language="smiles", properties=("logp", "weight")),
    }


def molecules(count: int = 80, **options) -> Dataset:
    """Some of the built-in molecules."""
    return build_molecules(assembled(count), Options(**{"length": 24, **options}))
