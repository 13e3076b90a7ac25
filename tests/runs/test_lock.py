"""One training at a time, with locks and, where the disk has none, with a heartbeat."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gansmith.errors import UserError
from gansmith.runs import lock as locks
from gansmith.runs.lock import NAME, RunLock


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    monkeypatch.setattr(locks, "BEAT", 0.1)


def test_a_lock_is_held_until_it_is_given_up(tmp_path: Path) -> None:
    lock = RunLock(tmp_path / "run")
    assert lock.remark is None
    with pytest.raises(UserError, match="another training is writing"):
        RunLock(tmp_path / "run")
    lock.release()
    RunLock(tmp_path / "run").release()


@pytest.mark.usefixtures("without_locks")
def test_without_locks_a_heartbeat_keeps_others_away_and_this_is_said(tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    assert lock.remark is not None and "no file locks" in lock.remark
    with pytest.raises(UserError, match="another training is writing"):
        RunLock(tmp_path)
    lock.release()
    assert (tmp_path / NAME).read_text() == ""
    began = time.monotonic()
    RunLock(tmp_path).release()
    assert time.monotonic() - began < 3 * locks.BEAT  # nothing to wait for


@pytest.mark.usefixtures("without_locks")
def test_the_silence_of_a_killed_training_is_noticed(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("elsewhere 12 0123456789abcdef 3")
    lock = RunLock(tmp_path)
    assert "elsewhere" not in (tmp_path / NAME).read_text()
    lock.release()


@pytest.mark.usefixtures("without_locks")
def test_of_two_that_find_the_same_silence_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / NAME).write_text("elsewhere 12 0123456789abcdef 3")
    sleep, naps = time.sleep, []

    def overtaken(seconds: float) -> None:
        naps.append(seconds)
        sleep(seconds)
        if len(naps) == 4:  # the pause after writing its own mark
            (tmp_path / NAME).write_text("faster 13 fedcba9876543210 1")

    monkeypatch.setattr(locks.time, "sleep", overtaken)
    with pytest.raises(UserError, match="another training is writing"):
        RunLock(tmp_path)


def test_what_killed_writers_left_in_the_run_is_swept_when_it_is_next_opened(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from gansmith.data.atomic import temporary\n"
        "for name in ('run.json', 'checkpoints/1.safetensors', 'model/model.json', 'samples/latest.png', 'mine/a'):\n"
        "    path = Path(sys.argv[1]) / name; path.parent.mkdir(exist_ok=True); temporary(path).touch()"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert len(list(tmp_path.rglob("*.tmp"))) == 5
    RunLock(tmp_path).release()
    assert [path.parent.name for path in tmp_path.rglob("*.tmp")] == ["mine"]
