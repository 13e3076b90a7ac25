import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.data.readers.films import VideoWriter, ffmpeg, frame_rate, frames
from gansmith.errors import UserError


def written(path: Path, size: tuple[int, int] = (48, 32), **how: object) -> Path:
    with VideoWriter(path, rate="10", **how) as film:  # pyright: ignore[reportArgumentType]
        for value in (20, 120, 220):
            film.write(Image.new("RGB", size, (value, value, value)))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi"])
def test_frames_come_back_as_they_were_written(tmp_path: Path, suffix: str):
    film = written(tmp_path / f"a{suffix}")
    assert frame_rate(film) == "10"
    values = [np.asarray(frame).mean() for frame in frames(film, "10")]
    np.testing.assert_allclose(values, [20, 120, 220], atol=4)


def test_odd_sides_are_padded(tmp_path: Path):
    assert [frame.size for frame in frames(written(tmp_path / "a.mp4", (47, 31)), "10")] == [(48, 32)] * 3


def test_a_turned_recording_comes_upright(tmp_path: Path):
    film = written(tmp_path / "a.mp4")
    turned = tmp_path / "turned.mp4"
    subprocess.run([ffmpeg("turning"), "-v", "error", "-display_rotation", "90", "-i", film, "-c", "copy", turned], check=True)
    assert [frame.size for frame in frames(turned, "10")] == [(32, 48)] * 3


def test_ten_bits_are_read_as_eight(tmp_path: Path):
    deep = tmp_path / "deep.mkv"
    how = ["-c:v", "ffv1", "-pix_fmt", "yuv420p10le"]
    subprocess.run([ffmpeg("deepening"), "-v", "error", "-i", written(tmp_path / "a.mp4"), *how, deep], check=True)
    values = [np.asarray(frame).mean() for frame in frames(deep, "10")]
    np.testing.assert_allclose(values, [20, 120, 220], atol=4)


def test_a_video_without_a_frame_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A stand-in for ffmpeg finds nothing and is content."""
    (tmp_path / "ffmpeg").write_text(f"#!{sys.executable}\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"ffmpeg could not read all of .*a.mp4"):
        list(frames(tmp_path / "a.mp4", "10"))


def test_sound_is_copied(tmp_path: Path):
    sound = tmp_path / "sound.mp4"
    tone = [ffmpeg("a tone"), "-v", "error", "-f", "lavfi", "-i", "sine=duration=0.3", sound]
    subprocess.run(tone, check=True)
    film = written(tmp_path / "a.mp4", sound_of=sound)
    said = subprocess.run([ffmpeg("looking"), "-i", film], capture_output=True, check=False).stderr.decode()
    assert "Audio: aac" in said and "Video: h264" in said


def test_what_is_no_video_is_named(tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(b"text")
    with pytest.raises(UserError, match=r"a.mp4 cannot be read as a video \(.*\): repair it, or leave it out"):
        frame_rate(tmp_path / "a.mp4")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"ffmpeg could not write .*a.unknown"):
        written(tmp_path / "a.unknown")


def test_whoever_has_seen_enough_of_a_video_hears_no_complaint(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    with VideoWriter(tmp_path / "film.mp4", rate="12") as film:
        for value in range(0, 250, 5):
            film.write(Image.fromarray(np.random.default_rng(value).integers(0, 256, (200, 300, 3), np.uint8)))
    shown = frames(tmp_path / "film.mp4", "12")
    assert next(shown).size == (300, 200)
    shown.close()
    assert capfd.readouterr().err == ""
