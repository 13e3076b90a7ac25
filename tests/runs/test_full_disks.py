"""A disk that fills, or a folder that vanishes, at every kind of write: one sentence, nothing half, and the run goes on exactly."""

import json
import os
import resource
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gansmith.cli import main
from gansmith.data.tensors import read_tensors
from gansmith.training.checkpoint import checkpoints
from gansmith.training.trainer import Trainer
from tests import toys
from tests.forked import drafts, forked, state

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are forked")
TRAIN = [
    *("train", "points.npy", "--gan", "gan", "--gan.width", "8", "--gan.noise", "4", "--samples", "160", "--batch", "32"),
    *("--judge-samples", "40", "--judge-metrics", "frechet", "--threads", "1", "--out", "run", "--resume", "auto"),
]
WRITES = ("log.jsonl", "evaluations.jsonl", "samples", "checkpoints", "model", "report.html", "judgement.json", "run.json")
"""Kinds of write of a training and its judging, by what stands in the path."""


def at_opening(kind: str, act: Callable[[], Any], turn: int = 1) -> None:
    """In this process: `act` is called once, before a file with this in its path is opened to be written for the `turn`-th time."""
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR) and kind in str(arguments[0]):
            seen += 1
            if seen == turn:
                act()

    sys.addaudithook(hook)


def fill() -> None:
    """No file takes a byte any more."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training to which nothing happened."""
    folder = tmp_path_factory.mktemp("whole")
    np.save(folder / "points.npy", toys.points(200).arrays["point"])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(TRAIN) == 0
    return folder


@pytest.fixture
def place(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(whole / "points.npy", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Trainer, "checkpoint_due", lambda self: self.gan.clock.rounds % 2 == 0)
    return tmp_path


def sentence(said: str) -> str:
    (found,) = [line for line in said.splitlines() if line.startswith("gansmith: ")]
    assert "Traceback" not in said
    return found


def check_resumes(place: Path, whole: Path) -> None:
    for path in checkpoints(place / "run" / "checkpoints"):
        read_tensors(path)
    for path in place.rglob("*.json"):
        json.loads(path.read_text())
    assert main(TRAIN) == 0
    assert state(place / "run") == state(whole / "run")
    assert drafts(place) == []


@pytest.mark.parametrize("kind", WRITES)
def test_a_disk_that_fills_is_a_sentence_and_the_run_goes_on_exactly(kind: str, whole: Path, place: Path) -> None:
    def starved() -> int:
        at_opening(kind, fill)
        return main(TRAIN)

    status, said = forked(starved)
    assert status == 2, said
    assert "could not be written (File too large): what was saved before is intact" in sentence(said)
    check_resumes(place, whole)


@pytest.mark.parametrize(("kind", "turn"), [("samples", 2), ("checkpoints", 3), ("log.jsonl", 2)])
def test_a_run_folder_that_vanishes_is_a_sentence(kind: str, turn: int, whole: Path, place: Path) -> None:
    def bereft() -> int:
        at_opening(kind, lambda: (place / "run").rename(place / "elsewhere"), turn)
        return main(TRAIN)

    status, said = forked(bereft)
    assert status == 2, said
    assert "No such file or directory" in sentence(said)
    shutil.rmtree(place / "run", ignore_errors=True)
    (place / "elsewhere").rename(place / "run")
    check_resumes(place, whole)


@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_can_only_be_read_is_a_sentence(whole: Path, place: Path) -> None:
    status, said = forked(lambda: at_opening("samples", lambda: (place / "run" / "samples").chmod(0o500), 2) or main(TRAIN))
    assert status == 2, said
    assert "Permission denied" in sentence(said)
    (place / "run" / "samples").chmod(0o700)
    check_resumes(place, whole)


def test_results_of_other_commands_are_whole_or_absent_on_a_full_disk(whole: Path, tmp_path: Path) -> None:
    for argv in (
        ["generate", "-n", "50", "--out", "made.csv"],
        ["generate", "-n", "50", "--out", "folder"],
        ["export", "--to", "safetensors", "--out", "exported"],
        ["evaluate", "--metrics", "frechet", "--samples", "40", "--json", "scores.json"],
    ):
        command = [argv[0], str(whole / "run"), *argv[1:-1], str(tmp_path / argv[-1])]
        status, said = forked(lambda command=command: fill() or main(command))
        assert status == 2, (command, said)
        sentence(said)
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        assert main(command) == 0
        shutil.rmtree(tmp_path / argv[-1]) if (tmp_path / argv[-1]).is_dir() else (tmp_path / argv[-1]).unlink()
