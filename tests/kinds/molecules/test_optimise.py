"""gansmith optimise: goals, comparisons, scaffolds that are kept, what is written, and what is said of bad input."""

import json

import numpy as np
import pytest
from rdkit import Chem

from gansmith.cli import main
from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import canonical, fingerprints, measured, tanimoto
from gansmith.kinds.molecules.comparisons import comparisons, meets
from gansmith.kinds.molecules.decorate import Scaffold, side_chains
from gansmith.kinds.molecules.drug import Drug
from gansmith.kinds.molecules.optimisation.breed import bred, crossed, mutated
from gansmith.kinds.molecules.optimisation.goals import goal_named, likeness
from gansmith.kinds.molecules.optimisation.optimise import optimised
from gansmith.model import Model
from gansmith.tasks.optimisation import Settings
from tests import toys

INDOLE, PARACETAMOL = "c1ccc2[nH]ccc2c1", "CC(=O)Nc1ccc(O)cc1"
SMALL = ("CCO", "CC(=O)Nc1ccccc1", "C1CC1", "OCC1CNC1", "C", "N#CC(C)O", "C1=CC=CN1", "O=C=O")


@pytest.mark.parametrize("core", [INDOLE, "[*]c1ccc([*])cc1", "*N1CCOCC1", "O=C1NC(=O)C=C1", "*n1cccc1", "C1CC1"])
def test_a_scaffold_is_kept_whatever_is_attached(core):
    scaffold = Scaffold(core)
    bare = Chem.MolFromSmiles(canonical(core.replace("[*]", "[H]").replace("*", "[H]")))
    made = [scaffold.decorated(each) for each in SMALL]
    assert sum(each is not None for each in made) >= len(SMALL) - 1
    for each in filter(None, made):
        molecule = Chem.MolFromSmiles(each)
        assert molecule.HasSubstructMatch(bare) and canonical(each) == each
        assert all(not atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
    assert made == [scaffold.decorated(each) for each in SMALL]


def test_side_chains_are_the_parts_that_one_cut_leaves():
    assert {Chem.MolToSmiles(part) for part in side_chains("CCO")} == {"*C", "*CC", "*CO", "*O"}
    assert {Chem.MolToSmiles(part) for part in side_chains("C1CC1")} == {"*C1CC1"}
    assert side_chains("not a molecule") == []


def test_comparisons_are_read_and_held():
    tests = comparisons({"logp": "<3&>=-1", "qed": "0.9", "rings": ">0"})
    assert [(each.name, each.sign, each.number) for each in tests] == [("logp", "<", 3), ("logp", ">=", -1), ("rings", ">", 0)]
    assert meets(PARACETAMOL, tests) and not meets("CCO", tests)
    assert tests[0].missed_by(4.5) == 1.5 and tests[0].missed_by(2) == 0
    with pytest.raises(UserError, match='compared with a number, as in "logp<3"'):
        comparisons({"logp": "<many"})
    with pytest.raises(UserError, match="weigth<5 compares a property that is not computed .did you mean .weight"):
        comparisons({"weigth": "<5"})


def test_goals_lie_between_0_and_1_and_rise_with_what_is_maximised():
    reference = ["CCO", PARACETAMOL, "CCCCCCCC", "c1ccccc1"]
    assert goal_named("qed", "--maximise", 1, reference)(PARACETAMOL) == pytest.approx(measured(PARACETAMOL, "qed"))
    assert goal_named("sa", "--minimise", -1, reference)("CCO") == pytest.approx((10 - measured("CCO", "sa")) / 9)
    up, down = goal_named("logp", "--maximise", 1, reference), goal_named("logp", "--minimise", -1, reference)
    assert 0 < up("CCO") < up("CCCCCCCC") < 1 and up("CCO") + down("CCO") == pytest.approx(1)


def test_a_drug_is_most_like_itself():
    drug = Drug(PARACETAMOL)
    expected = float(tanimoto(fingerprints(["CCO"]), fingerprints([PARACETAMOL]))[0, 0])
    assert drug.similarity(PARACETAMOL) == 1 and drug.similarity("CCO") == pytest.approx(expected)
    assert likeness(drug, 0.5)(PARACETAMOL) == 1 and likeness(drug, 0.5)("CCO") == pytest.approx(2 * expected)


def test_children_are_single_valid_molecules_of_both_parents():
    rng = np.random.default_rng(0)
    joined = {crossed("CCO", "c1ccccc1C#N", rng) for _ in range(40)}
    assert "OCc1ccccc1" in joined and None not in joined
    parents = [(PARACETAMOL, 0.9), ("CCOC(=O)c1ccncc1", 0.5), ("C1CCNCC1", 0.0)]
    found = bred(parents, 40, 14, rng)
    assert len(found) == len(set(found)) == 40
    for each in found:
        assert canonical(each) == each and "." not in each
        molecule = Chem.MolFromSmiles(each)
        assert molecule.GetNumHeavyAtoms() <= 14 and not any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
    assert bred(parents[:1], 5, 14, rng) == [] and bred(parents, 40, 14, np.random.default_rng(0)) == bred(
        parents, 40, 14, np.random.default_rng(0)
    )


def test_mutations_change_a_molecule_by_an_atom_or_a_bond():
    rng = np.random.default_rng(1)
    found = {made for _ in range(200) if (made := mutated("CCO", rng)) is not None}
    assert {"CCCO", "CO", "CC", "C=CO", "CCN", "CC=O"} <= found


def test_what_is_found_holds_the_scaffold_and_meets_the_conditions(run):
    settings = Settings(calls=80, batch=16)
    made = optimised(Model.load(run), maximise=["qed"], where={"logp": "<3"}, scaffold=INDOLE, settings=settings)
    assert made.rows and len(made.found.scores) == 80
    for row in made.rows:
        assert Chem.MolFromSmiles(row["smiles"]).HasSubstructMatch(Chem.MolFromSmiles(INDOLE))
        assert row["logp"] < 3 and row["qed"] == pytest.approx(measured(row["smiles"], "qed"))
    assert [row["score"] for row in made.rows] == sorted((row["score"] for row in made.rows), reverse=True)


def test_a_users_function_and_what_the_command_writes(run, tmp_path, capsys):
    (tmp_path / "mine.py").write_text("def score(smiles):\n    return None if 'N' in smiles else min(1, len(smiles) / 40)\n")
    line = ["optimise", str(run), "--maximise", f"{tmp_path}/mine.py:score", "--calls", "60", "--batch", "16", "--keep", "20"]
    assert main([*line, "--out", str(tmp_path / "made"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    rows = (tmp_path / "made" / "molecules.csv").read_text().splitlines()
    assert rows[0] == "smiles,score,qed,logp,sa,weight" or rows[0] == "smiles,score,score,qed,logp,sa,weight"
    assert len(rows) - 1 == len(facts["molecules"]) <= 20 and facts["calls"] == 60
    assert json.loads((tmp_path / "made" / "optimisation.json").read_text())["settings"]["calls"] == 60
    assert (tmp_path / "made" / "molecules.png").stat().st_size > 100
    assert len(Model.load(tmp_path / "made").generate(3)) == 3
    assert main([*line, "--out", str(tmp_path / "made")]) == 2
    assert "exists: give the name of a new folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "say what is to be optimised"),
        ({"maximise": ["qde"]}, "takes a computed property .* but 'qde' came .did you mean \"qed\""),
        ({"maximise": ["nothing.py:score"]}, "names the file .*nothing.py, which does not exist"),
        ({"maximise": ["BAD:score"]}, "returned 'good': change it"),
        ({"maximise": ["BAD:fails"]}, "bad.py fails in line 4 .ZeroDivisionError"),
        ({"maximise": ["BAD:missing"]}, "has no function missing"),
        ({"maximise": ["qed"], "similarity": 0.4}, "give --like SMILES too"),
        ({"like": "nothing"}, "--like should be the SMILES of a molecule"),
        ({"scaffold": "c1cc"}, "--scaffold should be the SMILES of one molecule"),
        ({"scaffold": "FC(F)(F)F"}, "has no hydrogen and no . where"),
        ({"where": {"colour": "3"}}, "colour is not computed"),
        ({"where": {"qed": "high"}}, "qed takes a number"),
    ],
)
def test_bad_requests_are_answered_in_a_sentence(options, said, run, tmp_path):
    (tmp_path / "bad.py").write_text("def score(smiles):\n    return 'good'\ndef fails(smiles):\n    return 1 / 0\n")
    if "maximise" in options:
        options = {**options, "maximise": [each.replace("BAD", f"{tmp_path}/bad.py") for each in options["maximise"]]}
    with pytest.raises(UserError, match=said):
        optimised(Model.load(run), **options, settings=Settings(calls=5))


def test_generate_keeps_what_meets_comparisons(run):
    model = Model.load(run)
    made = model.generate(20, where={"weight": "<90"}, seed=1)
    valid = [measured(known, "weight") for each in made if (known := canonical(each.smiles))]
    assert model.as_requested is not None and sum(weight < 90 for weight in valid) == model.as_requested
    free = [measured(known, "weight") for each in model.generate(20, seed=1) if (known := canonical(each.smiles))]
    assert model.as_requested is None and sum(weight < 90 for weight in free) < sum(weight < 90 for weight in valid)
    with pytest.raises(UserError, match='or say "qed<0.9"'):
        model.generate(2, where={"qed": "0.9"})


def test_models_of_other_kinds_say_that_they_cannot_be_optimised(tmp_path, capsys):
    data = toys.every()["texts"]
    Model(toys.small("sequencegan", data).eval(), data.codec, {"gan": "sequencegan", "samples": 0}).save(tmp_path / "model")
    assert main(["optimise", str(tmp_path), "--maximise", "qed"]) == 2
    assert "gansmith optimise takes models of molecules, and this one makes text" in capsys.readouterr().err
