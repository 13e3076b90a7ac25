"""Molecules: what is read, how it is written down, what is said of bad input."""

import gzip

import numpy as np
import pytest
import torch

from gansmith.data.source import Source
from gansmith.errors import UserError
from gansmith.kinds.kind import SURE
from gansmith.kinds.molecules.assembled import assembled
from gansmith.kinds.molecules.chemistry import canonical, fingerprints, measured, scaffold, tanimoto
from gansmith.kinds.molecules.graphs import atoms_of, matrix_of, smiles_of
from gansmith.kinds.molecules.kind import MoleculeKind
from gansmith.kinds.molecules.metrics.moses import cosine, known_molecules
from gansmith.kinds.molecules.options import Options
from gansmith.kinds.molecules.strings import joined, split
from gansmith.kinds.molecules.toys import molecules
from gansmith.kinds.opening import inspect_dataset, open_dataset

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
SOME = (ASPIRIN, "C[N+](C)(C)CC(=O)[O-]", "N[C@@H](C)C(=O)O", "C/C=C/Cl", "c1ccc2[nH]ccc2c1", "BrC1CC1", "C#N", "CC%10CC%10", "O")


@pytest.mark.parametrize("smiles", SOME)
@pytest.mark.parametrize("language", ["smiles", "selfies"])
def test_tokens_put_together_are_the_molecule_again(smiles, language):
    smiles = canonical(smiles)
    tokens = split(smiles, language)
    assert canonical(joined(tokens, language)) == smiles
    assert language == "selfies" or "".join(tokens) == smiles


@pytest.mark.parametrize("smiles", SOME)
def test_a_graph_is_the_molecule_without_stereochemistry(smiles):
    flat = canonical(smiles.replace("@", "").replace("/", "").replace("[CH]", "C"))
    types = sorted(set(atoms_of(flat)))
    matrix = matrix_of(flat, types, 16)
    assert (matrix == matrix.T).all()
    assert smiles_of(matrix, types) == flat


def test_a_graph_that_is_no_molecule_is_not_valid():
    five = np.diag([1, 1, 1, 1, 1, 1]).astype(np.uint8)
    five[0, 1:] = five[1:, 0] = 1
    assert canonical(smiles_of(five, ["C"])) is None
    assert known_molecules([smiles_of(np.zeros((3, 3), np.uint8), ["C"]), "C.C", "*C", "C"]) == [None, None, None, "C"]


def test_what_rdkit_knows_is_what_is_known_of_aspirin():
    assert measured(ASPIRIN, "weight") == pytest.approx(180.16, abs=0.01)
    assert measured(ASPIRIN, "qed") == pytest.approx(0.550, abs=0.001)
    assert measured(ASPIRIN, "logp") == pytest.approx(1.310, abs=0.001)
    assert scaffold(ASPIRIN) == "c1ccccc1" and scaffold("CCO") == ""


def test_tanimoto_equals_rdkits():
    from rdkit import Chem, DataStructs
    from rdkit.Chem import rdFingerprintGenerator

    every = [canonical(each) for each in SOME]
    made = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    theirs = [made.GetFingerprint(Chem.MolFromSmiles(each)) for each in every]
    expected = [[DataStructs.TanimotoSimilarity(a, b) for b in theirs] for a in theirs]
    bits = fingerprints(every)
    np.testing.assert_allclose(tanimoto(bits, bits), expected, rtol=1e-6)
    assert cosine({"a": 3, "b": 4}, {"a": 3, "b": 4}) == pytest.approx(1) and cosine({}, {"a": 1}) == 0


def test_files_columns_and_records_are_read_and_what_is_no_molecule_is_said(tmp_path):
    lines = tmp_path / "some.smi.gz"
    lines.write_bytes(gzip.compress("\n".join(["smiles name", f"{ASPIRIN} aspirin", "CCO", "", "C(C", "OCC", "CCN"]).encode()))
    data = open_dataset(lines)
    assert [raw.smiles for raw in data.codec.decode(data.batch(slice(None)))] == [ASPIRIN, "CCO", "CCO", "CCN"]
    assert any("line 5 (C(C)" in said for said in data.remarks())
    said = " ".join(inspect_dataset(lines).sentences())
    assert "1 example is an exact copy of another: line 3 = line 6" in said and "2 different scaffolds" in said

    sheet = tmp_path / "some.csv"
    sheet.write_text("id,SMILES,potency,salt\n1,CCO,2.5,no\n2,CCN,3.5,no\n3,CCC,,no\n4,CCCC,1.5,no\n")
    assert MoleculeKind().recognise(Source(sheet)).certainty == SURE
    with pytest.raises(UserError, match="potency has NaN"):
        open_dataset(sheet, properties="potency")
    assert len(open_dataset(sheet, properties="id").codec.spec.attributes) == 1
    with pytest.raises(UserError, match="no property potenc.*did you mean .potency"):
        open_dataset(sheet, properties="potenc")
    with pytest.raises(UserError, match='no column of SMILES named "smile"'):
        open_dataset(sheet, smiles="smile")

    records = tmp_path / "some.sdf"
    data.codec.write(data.codec.decode(data.batch(slice(None))), records)
    assert len(open_dataset(records)) == 4


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "holds no lines"),
        (b"\n\n", "holds no lines"),
        (b"hello\nworld\nCCO\n", "2 of 3 entries of bad are no molecules"),
        (bytes(range(128, 256)), "not UTF-8"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "bad.smi"
    path.write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        open_dataset(path)


def test_no_held_out_molecule_has_a_scaffold_of_the_training_set():
    data = molecules(200, length=40)
    train, held_out = data.split(0.2)
    shared = [{scaffold(raw.smiles) for raw in part.codec.decode(part.batch(slice(None)))} - {""} for part in (train, held_out)]
    assert shared[0] and shared[1] and not shared[0] & shared[1]
    assert molecules(hold_out="random").groups is None


def test_properties_are_conditions_in_the_units_of_the_data():
    codec = molecules(properties=("logp", "weight")).codec
    found = codec.conditions(5, torch.Generator().manual_seed(0), logp="1.5")
    raws = codec.decode({"molecule": torch.full((5, 24), 1), **found})
    assert all(raw.properties[0] == pytest.approx(1.5, abs=1e-4) for raw in raws)
    with pytest.raises(UserError, match="outside of the data"):
        codec.conditions(1, torch.Generator(), logp="99")
    with pytest.raises(UserError, match="unconditional"):
        molecules().codec.conditions(1, torch.Generator(), qed="0.9")


def test_held_out_data_are_encoded_alike_and_larger_molecules_are_left_out(tmp_path):
    codec = molecules().codec
    path = tmp_path / "other.smi"
    path.write_text(f"CCO\nCCN\n{'C' * 60}\n[Xe]\n")
    data = open_dataset(path, like=codec)
    assert data.codec is codec and len(data) == 2
    assert "2 of 4 molecules are larger than 24 tokens" in data.remarks()[0]


def test_chemnet_sees_real_molecules_nearer_to_real_ones_than_to_chains():
    pytest.importorskip("fcd_torch")
    from gansmith.kinds.molecules.metrics.frechet_chemnet_distance import _activations
    from gansmith.metrics.frechet import Moments, frechet_distance

    data = molecules(160, length=40)
    smiles = [raw.smiles for raw in data.codec.decode(data.batch(slice(0, 120)))]
    chains = ["C" * (1 + place % 30) for place in range(60)]
    first, second, far = (Moments.of(_activations(each).astype(np.float64)) for each in (smiles[:60], smiles[60:], chains))
    assert frechet_distance(first, second) < 0.5 * frechet_distance(first, far)
    assert _activations(["CCO"]).shape == (1, 512)


def test_what_was_parsed_is_opened_from_the_cache_as_it_was(tmp_path, monkeypatch):
    from gansmith.kinds.molecules import build

    monkeypatch.setattr(build, "CACHED", 10)
    found, options = assembled(60), Options(properties=("logp",))
    first = build.opened_molecules(found, options, tmp_path)
    monkeypatch.setattr(build, "canonical", None)  # nothing is parsed again
    again = build.opened_molecules(found, options, tmp_path)
    assert again.codec == first.codec and again.fingerprint == first.fingerprint and again.remarks() == first.remarks()
    assert (np.asarray(again.groups) == np.asarray(first.groups)).all() and (again.arrays["label"] == first.arrays["label"]).all()
    with pytest.raises(TypeError):
        build.opened_molecules(found, Options(), tmp_path)  # other options are others


@pytest.mark.parametrize(
    "smiles", ["C" * 30_000, "C1CC1" * 4_000, ".".join(["[Na+]"] * 9_000), "C(" * 9_000, "(" * 9_000, "C" * 1_001]
)
def test_molecules_on_which_rdkit_would_end_the_process_are_none(smiles, tmp_path):
    """RDKit 2025.3 falls over its stack when it writes a chain of 20,000 atoms."""
    assert canonical(smiles) is None
    (tmp_path / "a.smi").write_text("C\nCC\nCCC\n" + smiles + "\n")
    assert len(open_dataset(tmp_path / "a.smi", kind="molecules")) == 3


def test_a_chain_of_30_000_atoms_in_an_sdf_file_is_left_out(tmp_path):
    count = 30_000
    atoms = "\n".join(f"M  V30 {n} C {n} 0 0 0" for n in range(1, count + 1))
    bonds = "\n".join(f"M  V30 {n} 1 {n} {n + 1}" for n in range(1, count))
    chain = (
        f"\n\n\n  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB\n"
        f"M  V30 COUNTS {count} {count - 1} 0 0 0\nM  V30 BEGIN ATOM\n{atoms}\n"
        f"M  V30 END ATOM\nM  V30 BEGIN BOND\n{bonds}\nM  V30 END BOND\nM  V30 END CTAB\nM  END\n$$$$\n"
    )
    small = "\n\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n$$$$\n"
    (tmp_path / "a.sdf").write_text(small * 3 + chain)
    assert len(open_dataset(tmp_path / "a.sdf", kind="molecules")) == 3
