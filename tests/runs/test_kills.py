"""A process that is killed right before a write leaves whole files, and the next start goes on exactly and clears up."""

import os
import random
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gansmith
from gansmith.cli import main
from gansmith.data.tensors import read_tensors
from gansmith.training.checkpoint import checkpoints
from gansmith.training.trainer import Trainer
from tests import toys
from tests.forked import drafts, killed_at, state

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are forked")
TRAINING: dict[str, Any] = {"gan": "gan", "options": {"width": 8, "noise": 4}, "samples": 320, "batch": 32, "evaluate": False}


def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "checkpoint_due", lambda self: self.gan.clock.rounds % 3 == 0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was never killed."""
    folder = tmp_path_factory.mktemp("whole")
    np.save(folder / "points.npy", toys.points(200).arrays["point"])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        gansmith.train("points.npy", **TRAINING, out="run")
    return folder


@pytest.mark.parametrize("seed", range(3))
def test_a_training_killed_before_any_write_goes_on_exactly(
    seed: int, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "points.npy").write_bytes((whole / "points.npy").read_bytes())
    often(monkeypatch)
    number = signal.SIGTERM if seed == 2 else signal.SIGKILL
    work = partial(gansmith.train, "points.npy", **TRAINING, out="run", resume="auto")
    ended, said = killed_at(rng.randint(5, 60), number, lambda: work() and 0)
    assert ended == (1 if number == signal.SIGTERM else -signal.SIGKILL), said
    for path in checkpoints(tmp_path / "run" / "checkpoints"):
        read_tensors(path)
    gansmith.train("points.npy", **TRAINING, out="run", resume="auto")
    assert state(tmp_path / "run") == state(whole / "run")
    assert drafts(tmp_path) == []


@pytest.mark.parametrize("write", [2, 4])
@pytest.mark.parametrize("out", ["made.csv", "made.npz", "folder"])
def test_what_is_generated_is_whole_or_absent(out: str, write: int, whole: Path, tmp_path: Path) -> None:
    words = ["generate", str(whole / "run"), "-n", "50", "--out", str(tmp_path / out)]
    killed_at(write, signal.SIGKILL, lambda: main(words))
    made = [path for path in tmp_path.rglob("*") if path.is_file() and path.name[0] != "."]
    for path in made:
        assert len(path.read_text().splitlines()) == 51 if path.suffix == ".csv" else np.load(path) is not None
    assert main([*words, "--overwrite"]) == 0
    assert drafts(tmp_path) == []
