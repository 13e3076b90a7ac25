import shutil
import stat
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageSequence

from gansmith.edit.film import save_film
from gansmith.errors import UserError


def frames(mode: str = "L") -> list[Image.Image]:
    return [Image.new(mode, (8, 6), value if mode == "L" else (value, 9, 9, 200)) for value in (0, 128, 255)]


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_a_gif_holds_every_frame_and_runs_forever(tmp_path: Path, mode: str) -> None:
    with Image.open(save_film(frames(mode), tmp_path / "new" / "a.gif", per_second=20)) as film:
        assert film.n_frames == 3 and film.info["loop"] == 0 and film.info["duration"] == 50  # pyright: ignore[reportAttributeAccessIssue]
        assert film.size == (160, 120)


@pytest.mark.parametrize("per_second", [1, 15, 30, 50])
def test_a_gif_is_as_long_as_its_rate_says_though_it_counts_hundredths(tmp_path: Path, per_second: int) -> None:
    many = [Image.new("L", (8, 8), value) for value in range(0, 240, 4)]
    with Image.open(save_film(many, tmp_path / "a.gif", per_second=per_second)) as film:
        delays = [frame.info["duration"] for frame in ImageSequence.Iterator(film)]
    assert len(delays) == 60 and sum(delays) == pytest.approx(60_000 / per_second, abs=5) and min(delays) >= 20


@pytest.mark.parametrize(("name", "per_second"), [("a.gif", 0), ("a.gif", -5), ("a.gif", 60), ("a.mp4", 0), ("a.mp4", 1000)])
def test_rates_that_a_film_cannot_have_are_refused(tmp_path: Path, name: str, per_second: int) -> None:
    said = rf"(frames a second, but --per-second is|per_second must be at (least 1|most 240), but it is) {per_second:,}\."
    with pytest.raises(UserError, match=said):
        save_film(frames(), tmp_path / name, per_second=per_second)


def test_a_film_replaces_no_file_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_text("own")
    with pytest.raises(UserError, match=r"a.gif exists and would be overwritten"):
        save_film(frames(), tmp_path / "a.gif")
    assert (tmp_path / "a.gif").read_text() == "own"
    assert save_film(frames(), tmp_path / "a.gif", overwrite=True).read_bytes()[:3] == b"GIF"


def test_mp4_is_handed_to_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for ffmpeg writes down what it was given."""
    program = tmp_path / "ffmpeg"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1].removeprefix('file:'), 'wb').write(sys.stdin.buffer.read())\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path))
    content = save_film(frames(), tmp_path / "a.mp4").read_bytes()
    places = [content.find(bytes([value]) * (120 * 160 * 3)) for value in (0, 128, 255)]
    assert places == sorted(places) and places[0] > 0
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.buffer.read()\nsys.exit('no such encoder')\n")
    with pytest.raises(UserError, match=r"ffmpeg could not write .*b.mp4 \(no such encoder\): give a .gif or an .mp4 file"):
        save_film(frames(), tmp_path / "b.mp4")


def test_without_ffmpeg_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r'pip install "gansmith\[video\]"'):
        save_film(frames(), tmp_path / "a.mp4")
    with pytest.raises(UserError, match=r"a film is a .gif or .mp4 file, not a.avi"):
        save_film(frames(), tmp_path / "a.avi")
