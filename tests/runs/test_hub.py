"""What goes to the hub: a model that loads, a card that says what was measured, and nothing else of the run."""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import gansmith
from gansmith.cli import main
from gansmith.errors import UserError
from gansmith.runs.hub import gather

FAST = {"samples": 64, "batch": 16, "threads": 1, "options": {"width": 8, "noise": 4}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    np.save(folder / "secret place.npy", np.random.default_rng(0).standard_normal((200, 2)))
    return gansmith.train(folder / "secret place.npy", gan="gan", out=folder / "run", **FAST)


@pytest.fixture
def hub(monkeypatch):
    """A hub that remembers what it was given."""
    said = SimpleNamespace(files={}, repo=None, fails=None)

    class HfApi:
        def create_repo(self, name, *, private, exist_ok):
            if said.fails:
                raise said.fails
            said.repo = (name, private)
            return f"https://huggingface.co/{name}"

        def upload_folder(self, *, repo_id, folder_path, commit_message):
            assert repo_id == said.repo[0]
            said.files = {
                str(path.relative_to(folder_path)): path.read_bytes() for path in Path(folder_path).rglob("*") if path.is_file()
            }

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(HfApi=HfApi))
    return said


def test_model_card_and_picture_are_uploaded_and_nothing_else(run, hub, tmp_path):
    assert run.push("me/points", private=True, licence="mit") == "https://huggingface.co/me/points"
    assert hub.repo == ("me/points", True)
    assert set(hub.files) == {"README.md", "model.json", "model.safetensors", "samples.png"}
    for name, content in hub.files.items():
        (tmp_path / name).write_bytes(content)
    assert torch.equal(gansmith.load(tmp_path).sample(3)["point"], run.model().sample(3)["point"])
    assert str(run.folder.parent).encode() not in hub.files["README.md"]  # folders of the author's machine


def test_the_card_says_what_was_measured_and_its_program_makes_examples(run, tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnxruntime")
    gather(run, tmp_path / "card", "me/points", "cc-by-4.0")
    text = (tmp_path / "card" / "README.md").read_text()
    assert text.startswith("---\nlibrary_name: gansmith\n") and "\nlicense: cc-by-4.0\n---\n" in text
    scores = {record["name"]: record for record in map(json.loads, (run.folder / "evaluations.jsonl").read_text().splitlines())}
    row = next(line for line in text.splitlines() if line.startswith("| frechet[raw]")).split(" | ")
    assert float(row[1]) == pytest.approx(scores["frechet[raw]"]["value"], rel=0.01)
    assert float(row[4]) == pytest.approx(scores["frechet[raw]"]["ceiling"], rel=0.01)
    assert str(run.verdict) in text and "gansmith generate me/points" in text
    (program,) = (block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "onnxruntime" in block)
    run.model().export("onnx", tmp_path / "model.onnx")
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    assert capsys.readouterr().out.startswith("(4, 2) ")
    gather(run, tmp_path / "bare", "me/points")
    assert "No licence was stated" in (tmp_path / "bare" / "README.md").read_text()


def test_what_cannot_be_uploaded_is_said_in_a_sentence(run, hub, tmp_path, capsys, monkeypatch):
    for name in ("points", "me/", "me/a b", "../me/x", "me/x/y"):
        assert main(["push", str(run.folder), name]) == 2
        assert "user/name" in capsys.readouterr().err
    hub.fails = RuntimeError("401 Client Error\nlong story")
    assert main(["push", str(run.folder), "me/x"]) == 2
    assert "could not be uploaded (401 Client Error): log in" in capsys.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    assert main(["push", str(run.folder), "me/x", "--out", str(tmp_path / "mine")]) == 2
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    assert main(["push", str(run.folder), "me/x", "--license", "a: b\nc", "--out", str(tmp_path / "new")]) == 2
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"pip install .*hub"):
        run.push("me/x")
