"""What is around each atom, as numbers."""

from tests import toys


def test_surroundings_are_those_of_atoms_and_none_of_nothing():
    codec = toys.every()["molecules"].codec
    spec = codec.spec
    rows = toys.every()["molecules"].packed(slice(None))[spec.key]
    found = spec.parts(rows)
    written = codec.smiles(rows)
    assert found.shape[0] == len(rows) and (found >= 0).all() and found.any(1).all()
    for first in range(5):
        for second in range(5):
            assert (written[first] == written[second]) <= (found[first] == found[second]).all()
    from rdkit import Chem

    for row, smiles in zip(found[:5], written[:5], strict=True):
        molecule = Chem.MolFromSmiles(smiles)
        kinds = {(atom.GetSymbol(), atom.GetDegree(), atom.GetTotalNumHs(), atom.IsInRing()) for atom in molecule.GetAtoms()}
        assert len(set(row[row > 0].tolist())) >= len(kinds)
    nothing = rows[:1].copy()
    nothing[:] = spec.pad
    nothing[:, 0] = spec.end
    assert not spec.parts(nothing).any()
