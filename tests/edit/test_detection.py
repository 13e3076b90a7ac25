"""A run's critic as a detector, and texts that are printed while they are written."""

import numpy as np
import pytest

import gansmith
from gansmith.cli import main
from gansmith.edit.detection import Detector
from gansmith.errors import UserError
from gansmith.kinds.text.grammar import sentences
from gansmith.kinds.text.text import Text
from gansmith.runs.run import Run
from tests import toys


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("detected")
    (folder / "talk.txt").write_text("".join(f"{text}\n" for text in sentences(300).texts), encoding="utf-8")
    options = {**toys.SMALL["sequencegan"], "likelihood_share": 0.1, "critic_share": 0.9, "critic_width": 32}
    return gansmith.train(
        folder / "talk.txt", gan="sequencegan", options=options, tokens="words", samples=4000, evaluate=False, out=folder / "run"
    )


def test_a_critic_tells_texts_of_an_unfinished_model_from_real_ones(run, tmp_path, monkeypatch, capsys):
    detector = run.detector()
    assert detector.auc > 0.8 and detector.low <= detector.auc <= detector.high
    real, wrong = detector.probability([Text("the old dog sees a cat."), Text("cat cat? the?the doctor.every two a")])
    assert real > wrong and 0 <= wrong <= real <= 1
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.txt").write_text("the old dog sees a cat.\ncat cat? the?the doctor.every two a\n", encoding="utf-8")
    assert main(["detect", str(run.folder), "some.txt", "--out", "found.csv"]) == 0
    assert "AUC of" in capsys.readouterr().out
    rows = (tmp_path / "found.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "example,real"
    np.testing.assert_allclose([float(row.split(",")[1]) for row in rows[1:]], [real, wrong], rtol=1e-4)
    assert main(["detect", str(run.folder), "--out", "found.csv"]) == 2


def test_too_few_held_out_examples_are_a_sentence(run):
    model, data = run.model(), run.data
    with pytest.raises(UserError, match="needs 20 held-out examples"):
        Detector(model, model.gan, data.subset(range(5)))


def test_what_is_streamed_is_what_generating_one_by_one_writes(run, capsys):
    model = run.model()
    expected = model.generate(1, seed=5, critic="1", temperature="0.7")[0].text
    parts = list(model.streamed(seed=5, where={"temperature": "0.7"}))
    assert parts[-1] == expected and all(b.startswith(a) for a, b in zip(parts, parts[1:], strict=False))
    assert main(["generate", str(run.folder), "-n", "2", "--seed", "5", "--stream", "--temperature", "0.7"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == expected
    assert main(["generate", str(run.folder), "--stream", "--out", "a.txt"]) == 2
