"""Molecules around a scaffold or a drug: what is generated holds it, resembles it, and what is said of bad requests."""

import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import AllChem
from rdkit.Chem.Descriptors import MolWt

from gansmith.cli import main
from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import canonical
from gansmith.kinds.molecules.codec import MoleculeCodec
from gansmith.kinds.molecules.requests import parted

INDOLE, PARACETAMOL, LINKED = "c1ccc2[nH]ccc2c1", "CC(=O)Nc1ccc(O)cc1", "*c1ccccc1.*N1CCOCC1"


def generated(run, path, *words):
    assert main(["generate", str(run), "-n", "24", "--out", str(path), *words]) == 0
    return path.read_text().splitlines()


@pytest.mark.parametrize("scaffold", [INDOLE, LINKED])
def test_every_molecule_that_is_counted_holds_the_scaffold(scaffold, run, tmp_path, capsys):
    made = generated(run, tmp_path / "a.smi", "--scaffold", scaffold)
    parts = [Chem.MolFromSmiles(part.replace("*", "")) for part in scaffold.split(".")]
    held = [all(Chem.MolFromSmiles(each).HasSubstructMatch(part) for part in parts) for each in made if canonical(each)]
    assert sum(held) >= 20
    assert f"{sum(held)} of them" in capsys.readouterr().out
    assert len(set(made)) > 5
    assert generated(run, tmp_path / "b.smi", "--where", f"scaffold={scaffold}") == made


def test_molecules_resemble_a_drug_as_much_as_is_asked(run, tmp_path, capsys):
    made = generated(run, tmp_path / "a.smi", "--like", PARACETAMOL, "--similarity", "0.3")
    bits = [
        AllChem.GetMorganFingerprintAsBitVect(Chem.MolFromSmiles(each), 2, 1024)
        for each in [PARACETAMOL, *made]
        if canonical(each)
    ]
    near = sum(DataStructs.TanimotoSimilarity(bits[0], own) >= 0.3 for own in bits[1:])
    assert near >= 12 and f"{near} of them" in capsys.readouterr().out


def test_a_scaffold_and_a_comparison_hold_together(run, tmp_path, capsys):
    made = generated(run, tmp_path / "a.smi", "--scaffold", INDOLE, "--weight", "<250")
    known = [Chem.MolFromSmiles(each) for each in made if canonical(each)]
    both = sum(each.HasSubstructMatch(Chem.MolFromSmiles(INDOLE)) and MolWt(each) < 250 for each in known)
    assert both > 0 and f"{both} of them" in capsys.readouterr().out


def test_what_does_not_fit_is_left_as_it_is_and_does_not_comply():
    codec = MoleculeCodec.fit(["CCO", "c1ccccc1", "CCN"], "smiles", 8)
    batch = codec.unpack({codec.spec.key: codec.numbers("CCO")[None]})
    large = f"{PARACETAMOL}CCCC"
    assert (codec.completed(batch, scaffold=large)[codec.spec.key] == batch[codec.spec.key]).all()
    assert codec.complies(batch, scaffold=large).tolist() == [False]
    assert codec.complies(batch, scaffold="CO").tolist() == [True]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"scaffold": "C1CC"}, "should be the SMILES of one molecule, but it is 'C1CC'"),
        ({"scaffold": "FC(F)(F)F"}, "has no hydrogen"),
        ({"scaffold": "CC.C"}, "two fragments with one"),
        ({"like": "water"}, "should be the SMILES of a molecule, but it is 'water'"),
        ({"similarity": "0.5"}, "name it with like=SMILES"),
        ({"like": "CCO", "similarity": "2"}, "above 0 and at most 1, but it is '2'"),
        ({"like": "CCO", "similarity": "much"}, "but it is 'much'"),
    ],
)
def test_bad_requests_get_a_sentence(where, said):
    with pytest.raises(UserError, match=said):
        parted(where)
