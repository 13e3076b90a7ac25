import shutil
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.edit.film import save_film
from gansmith.errors import UserError


def frames(mode: str = "L") -> list[Image.Image]:
    return [Image.new(mode, (8, 6), value if mode == "L" else (value, 9, 9, 200)) for value in (0, 128, 255)]


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_a_gif_holds_every_frame_and_runs_forever(tmp_path: Path, mode: str) -> None:
    with Image.open(save_film(frames(mode), tmp_path / "new" / "a.gif", per_second=20)) as film:
        assert film.n_frames == 3 and film.info["loop"] == 0 and film.info["duration"] == 50  # pyright: ignore[reportAttributeAccessIssue]
        assert film.size == (160, 120)


def test_mp4_is_handed_to_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for ffmpeg writes down what it was given."""
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'wb').write(sys.stdin.buffer.read())\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path))
    content = save_film(frames(), tmp_path / "a.mp4").read_bytes()
    pixels = np.frombuffer(content, np.uint8).reshape(3, 120, 160, 3)
    assert pixels[:, 0, 0, 0].tolist() == [0, 128, 255]
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.buffer.read()\nsys.exit('no such encoder')\n")
    with pytest.raises(UserError, match=r"ffmpeg could not write .*a.mp4 \(no such encoder\): give a .gif or an .mp4 file"):
        save_film(frames(), tmp_path / "a.mp4")


def test_without_ffmpeg_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r'pip install "gansmith\[video\]"'):
        save_film(frames(), tmp_path / "a.mp4")
    with pytest.raises(UserError, match=r"a film is a .gif or .mp4 file, not a.avi"):
        save_film(frames(), tmp_path / "a.avi")
