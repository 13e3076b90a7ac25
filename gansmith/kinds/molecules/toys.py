"""Tiny molecules, for tests that run over every kind of data."""

from gansmith.data.dataset import Dataset
from gansmith.kinds.molecules.assembled import assembled
from gansmith.kinds.molecules.build import build_molecules
from gansmith.kinds.molecules.options import Options


def toys() -> dict[str, Dataset]:
    """SELFIES, SMILES with computed properties, and graphs."""
    return {
        "molecules": molecules(),
        "molecules with properties": molecules(language="smiles", properties=("logp", "weight")),
        "molecular graphs": molecules(language="graph", length=12),
    }


def molecules(count: int = 80, **options) -> Dataset:
    """Some of the built-in molecules."""
    return build_molecules(assembled(count), Options(**{"length": 24, **options}))
