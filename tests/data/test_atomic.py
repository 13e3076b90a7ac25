"""Files appear whole or not at all, and what killed writers leave is swept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gansmith.data import atomic
from gansmith.data.atomic import make_folder, sweep, temporary, write_atomically
from gansmith.errors import UserError

KILLED = """
import os, signal, sys
from pathlib import Path
from gansmith.data.atomic import replacing
with replacing(Path(sys.argv[1])) as draft:
    draft.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_the_old_file_and_its_draft_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_atomically(path, b"old")
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False).returncode == -9
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 2
    sweep([tmp_path])
    assert list(tmp_path.iterdir()) == [path]


def test_drafts_of_the_living_of_other_hosts_and_of_other_programs_stay_until_they_are_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = temporary(tmp_path / "a")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(atomic.socket, "gethostname", lambda: "elsewhere.org")
        foreign = temporary(tmp_path / "a")
    assert "elsewhere-org" in foreign.name and str(os.getpid()) in own.name
    older = tmp_path / ".model.json.12345.tmp"
    others = [tmp_path / ".thing.tmp", tmp_path / "mine.tmp"]
    for path in (own, foreign, older, *others):
        path.touch()
    sweep([tmp_path, tmp_path / "nowhere"])
    assert set(tmp_path.iterdir()) == {own, foreign, older, *others}
    for path in (own, foreign, older, *others):
        os.utime(path, (0, 0))
    sweep([tmp_path])
    assert set(tmp_path.iterdir()) == {own, *others}


def test_names_are_never_taken_twice_and_never_too_long(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 200)
    assert len({temporary(path) for _ in range(100)}) == 100
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"


def test_new_folders_are_synced_in_the_folders_that_hold_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    monkeypatch.setattr(atomic.os, "fsync", noted)
    make_folder(tmp_path / "a" / "b")
    assert synced == [str(tmp_path), str(tmp_path / "a")]


def test_a_file_in_place_of_a_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="could not be written"):
        write_atomically(tmp_path / "file" / "below", b"content")


def test_folders_and_files_of_a_suffix_are_swept_too_and_long_names_of_any_script_fit(tmp_path: Path) -> None:
    draft = temporary(tmp_path / ("雪" * 80 + ".png"), ".png")
    assert draft.suffix == ".png" and len(draft.name.encode()) < 255
    draft.mkdir()
    (draft / "inside").touch()
    older = [tmp_path / ".report.html.12345", tmp_path / ".made.12345-0123abcd.part.png"]
    for path in older:
        path.touch()
        os.utime(path, (0, 0))
    sweep([tmp_path])
    assert list(tmp_path.iterdir()) == [draft]
    draft.rename(draft.with_name(draft.name.replace(f".{os.getpid()}.", ".999999999.")))
    sweep([tmp_path])
    assert list(tmp_path.iterdir()) == []
