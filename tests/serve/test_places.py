"""The server's folder for temporary files."""

import os
import subprocess
import sys

from gansmith.serve import places

KILLED = "import os, gansmith.serve.places as places; held = places.Place(); print(held.folder, flush=True); {}"


def begun(how, tmp_path):
    code = KILLED.format(how)
    said = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, check=False
    )
    return places.Path(said.stdout.decode().strip())


def test_a_folder_ends_with_its_process_and_that_of_a_killed_one_with_the_next(tmp_path, monkeypatch):
    assert not begun("", tmp_path).exists()
    assert not begun("raise SystemExit('no')", tmp_path).exists()
    left = begun("os.kill(os.getpid(), 9)", tmp_path)
    assert left.is_dir()
    (left / "result.png").write_bytes(b"x")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    foreign = tmp_path / f"{places.PREFIX}other"
    foreign.mkdir()
    own = places.Place()
    assert not left.exists() and own.folder.is_dir() and foreign.is_dir(), "one without an owner's mark is not ours to remove"
    places.sweep()
    assert own.folder.is_dir(), "that of a living process stays"
    own.remove()
    assert not own.folder.exists()
