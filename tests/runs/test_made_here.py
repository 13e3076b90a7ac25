"""Data that a run.json names are opened without asking only if it was written on this machine."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import gansmith
from gansmith.cli import main
from gansmith.runs.data import run_data
from gansmith.runs.made_here import SECRET, made_here, signed
from gansmith.runs.run import Run

TRAIN = ["--gan", "gan", "--gan.width", "8", "--samples", "64", "--batch", "16", "--no-evaluate", "--threads", "1"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("points", "private")):
        np.save(f"{name}.npy", np.random.default_rng(number).standard_normal((300, 2)))
    assert main(["train", "points.npy", *TRAIN, "--out", "run"]) == 0
    return tmp_path / "run"


def changed(run: Path, **data: object) -> None:
    facts = json.loads((run / "run.json").read_text())
    facts.pop("sha256", None)
    facts["data"] |= data
    (run / "run.json").write_text(json.dumps(facts))


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "--trust" in said
    return said


def test_a_run_of_this_machine_goes_on_wherever_it_lies(run, tmp_path):
    moved = tmp_path / "moved"
    run.rename(moved)
    assert main(["train", "--resume", str(moved), "--samples", "96", "--no-evaluate"]) == 0
    assert main(["train", "--config", str(moved), "--samples", "32", "--no-evaluate", "--out", "again"]) == 0


def test_a_run_that_names_other_data_is_refused_and_names_them(run, capsys):
    changed(run, source=str(Path("private.npy").resolve()))
    for words in (
        ("train", "--resume", "run", "--samples", "96", "--no-evaluate"),
        ("evaluate", "run"),
        ("train", "--config", "run", "--samples", "32", "--out", "other"),
    ):
        assert "names the data" in (said := refused(capsys, *words)) and "private.npy" in said
    assert not Path("other").exists()
    assert "have changed" in (main(["train", "--resume", "run", "--samples", "96", "--trust"]), capsys.readouterr().err)[1]


def test_with_another_cache_the_data_are_given_or_trusted(run, monkeypatch, capsys):
    monkeypatch.setenv("GANSMITH_CACHE", "fresh")
    assert "names the data" in refused(capsys, "train", "--resume", "run", "--samples", "96", "--no-evaluate")
    assert main(["train", "points.npy", "--resume", "run", "--samples", "96", "--no-evaluate"]) == 0
    assert main(["train", "--resume", "run", "--samples", "128", "--no-evaluate", "--trust"]) == 0
    assert main(["evaluate", "run", "--data", "private.npy", "--samples", "40", "--metrics", "frechet"]) == 0
    assert "stand for the training data too" in " ".join(capsys.readouterr().out.split())
    assert not (run / "evaluations.jsonl").exists()
    with pytest.raises(gansmith.UserError, match="names the data"):
        run_data(Run(run))
    assert len(run_data(Run(run, trust=True))) == 300


def test_files_that_opening_names_are_asked_for_too(run, tmp_path, capsys):
    (tmp_path / "labels.csv").write_text("a,b\n")
    changed(run, opening={"labels": str(tmp_path / "labels.csv")})
    said = refused(capsys, "train", "points.npy", "--resume", "run", "--samples", "96", "--no-evaluate")
    assert "--labels" in said and "labels.csv" in said


def test_marks_are_of_what_is_said_and_of_the_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "one"))
    facts = {"source": "/a/b", "opening": {"crop": "none"}}
    own = signed(facts)
    assert made_here(own) and made_here({**own, "name": "x"}) and not made_here(facts)
    assert (
        not made_here({**own, "source": "/a/c"})
        and not made_here({**own, "opening": {}})
        and not made_here({**own, "made_here": 3})
    )
    assert (tmp_path / "one" / SECRET).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "one").iterdir()] == [SECRET]
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "two"))
    assert not made_here(own) and not (tmp_path / "two").exists() and signed(facts) != own
    shutil.copy(tmp_path / "one" / SECRET, tmp_path / "two" / SECRET)
    assert made_here(own)
    (tmp_path / "two" / SECRET).write_text("")
    assert not made_here(own) and "made_here" not in signed(facts)
    monkeypatch.setenv("GANSMITH_CACHE", "/proc/none")
    assert signed(facts) == facts
