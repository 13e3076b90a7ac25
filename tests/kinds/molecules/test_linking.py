"""Linkers: two fragments joined by parts of other molecules, both kept."""

import pytest

from gansmith.errors import UserError
from gansmith.kinds.molecules.assembled import assembled
from gansmith.kinds.molecules.chemistry import canonical, fragments, passes, rdkit
from gansmith.kinds.molecules.linking import Linked, linkers, scaffold_of


@pytest.mark.parametrize("asked", ["*c1ccccc1.*N1CCOCC1", "*c1ccc2[nH]ccc2c1.*C(=O)O", "*N1CCNCC1.*C1CC1"])
def test_every_joined_molecule_holds_both_fragments(asked):
    linked = scaffold_of(asked)
    made = [linked.decorated(each) for each in assembled(40).smiles]
    found = [each for each in made if each is not None]
    assert len(found) >= 36 and len(set(found)) >= 15
    patterns = [rdkit().MolFromSmiles(part.replace("*", "")) for part in asked.split(".")]
    for each in found:
        molecule = rdkit().MolFromSmiles(each)
        assert canonical(each) == each and "." not in each and "*" not in each
        assert all(molecule.HasSubstructMatch(pattern) for pattern in patterns)
    assert made == [linked.decorated(each) for each in assembled(40).smiles]


def test_linkers_lie_between_two_cuts():
    found = {rdkit().MolToSmiles(each) for each in linkers("CCOC")}
    assert found == {"*C*", "*O*", "*CO*"}
    assert all(part.count("*") == 2 for part in map(rdkit().MolToSmiles, linkers("c1ccccc1")))


def test_a_fragment_is_not_taken_for_the_other():
    linked = Linked("*c1ccccc1.*c1ccccc1")
    assert not linked.kept("c1ccccc1CC") and linked.kept("c1ccccc1CCc1ccccc1")


@pytest.mark.parametrize("asked", ["*C.C", "C.C", "*C.*C.*C", "*C.x"])
def test_what_cannot_be_joined_is_a_sentence(asked):
    with pytest.raises(UserError, match="takes two fragments with one"):
        scaffold_of(asked)


def test_fragments_and_filters_are_rdkits():
    assert fragments("CC(=O)Nc1ccc(O)cc1") == ("[1*]C(C)=O", "[16*]c1ccc(O)cc1", "[5*]N[5*]")
    assert passes("CCO") and not passes("O=C1C=CC(=O)C=C1")
