"""Videos in and out: what is in them comes back, and none opens another file."""

import re
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import gansmith
from gansmith.data.film_writer import VideoWriter
from gansmith.data.readers.films import Film, ffmpeg
from gansmith.errors import UserError


def run(*words: str | Path) -> str:
    """What ffmpeg says. Fails where it does."""
    command = [ffmpeg("a test"), "-hide_banner", "-nostdin", "-y", *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True).stderr.decode()


def written(path: Path, size: tuple[int, int] = (48, 32), **how: Any) -> Path:
    with VideoWriter(path, rate=10, **how) as film:
        for value in (20, 120, 220):
            film.write(Image.new("RGB", size, (value, value, value)))
    return path


def pictures(path: Path) -> list[np.ndarray]:
    return [np.asarray(frame) for frame, _ in Film.open(path).frames()]


def copied(given: Path, made: Path) -> Film:
    """The film written frame by frame as a translation by a network that changes nothing would."""
    film = Film.open(given)
    with VideoWriter(made, rate=film.rate, like=film) as writer:
        for frame, at in film.frames():
            writer.write(frame, at)
    again = Film.open(made)
    again.remarks[:] = [*film.remarks, *writer.remarks]
    return again


def times(film: Film) -> list[Fraction]:
    return [at * film.tick for _, at in film.frames()]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi", ".mov", ".mpg"])
def test_frames_come_back_as_they_were_written(tmp_path: Path, suffix: str):
    rate = 25 if suffix == ".mpg" else 10
    with VideoWriter(tmp_path / f"a{suffix}", rate=rate) as film:
        for value in (20, 120, 220):
            film.write(Image.new("RGB", (48, 32), (value, value, value)))
    assert Film.open(film.path).rate == rate
    np.testing.assert_allclose([frame.mean() for frame in pictures(film.path)], [20, 120, 220], atol=4)


def test_odd_sides_are_padded_and_that_is_said(tmp_path: Path):
    with VideoWriter(tmp_path / "a.mp4", rate=10) as film:
        film.write(Image.new("RGB", (47, 31)))
    assert pictures(film.path)[0].shape == (32, 48, 3)
    assert film.remarks == ["its sides of 47x31 are padded to 48x32"]


def test_a_turned_recording_comes_upright(tmp_path: Path):
    film, turned = written(tmp_path / "a.mp4"), tmp_path / "turned.mp4"
    run("-display_rotation", "90", "-i", film, "-c", "copy", turned)
    assert [frame.shape for frame in pictures(turned)] == [(48, 32, 3)] * 3


def test_ten_bits_are_read_as_eight_and_that_is_said(tmp_path: Path):
    deep = tmp_path / "deep.mkv"
    run("-i", written(tmp_path / "a.mp4"), "-c:v", "ffv1", "-pix_fmt", "yuv420p10le", deep)
    np.testing.assert_allclose([frame.mean() for frame in pictures(deep)], [20, 120, 220], atol=4)
    assert Film.open(deep).remarks == ["its colours of 10 bits are read as 8"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("rate", [Fraction(15_000, 1001), Fraction(30_000, 1001), Fraction(24), Fraction(25, 2)])
def test_rates_are_exact(tmp_path: Path, suffix: str, rate: Fraction):
    given = tmp_path / f"a{suffix}"
    run("-f", "lavfi", "-i", f"testsrc2=s=32x32:r={rate}:d=2", given)
    made = copied(given, tmp_path / f"b{suffix}")
    assert made.rate == rate
    expected = [number / rate for number in range(round(2 * rate))]
    np.testing.assert_allclose([float(at) for at in times(made)], [float(at) for at in expected], atol=6e-4)
    if suffix != ".mkv":  # which counts milliseconds
        assert times(made) == expected


def test_frames_that_come_unevenly_stay_where_they_were(tmp_path: Path):
    given = tmp_path / "a.mp4"
    uneven = "select='not(eq(mod(n,7),3))*not(between(n,20,30))'"
    run("-f", "lavfi", "-i", "testsrc2=s=32x32:r=30:d=2", "-vf", uneven, "-fps_mode", "vfr", given)
    film, made = Film.open(given), copied(given, tmp_path / "b.mp4")
    assert len(times(made)) == 41 and times(made) == times(film)
    run("-i", given, "-c", "copy", tmp_path / "c.mkv")
    odd = Film.open(tmp_path / "c.mkv")
    with VideoWriter(tmp_path / "d.avi", rate=odd.rate, like=odd) as writer:
        for frame, at in odd.frames():
            writer.write(frame, at)
    even = Film.open(tmp_path / "d.avi")
    assert len(list(even.frames())) / even.rate == pytest.approx(2, abs=0.1)
    assert writer.remarks == ["its frames come unevenly, which .avi does not hold: some are shown twice or not at all"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_pixels_stay_as_wide_as_they_were(tmp_path: Path, suffix: str):
    given = tmp_path / f"a{suffix}"
    run("-f", "lavfi", "-i", "testsrc2=s=72x58:d=0.2", "-vf", "setsar=118/81:max=1000", given)
    assert copied(given, tmp_path / f"b{suffix}").pixel_aspect == Fraction(118, 81)


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".webm", "libvpx-vp9"), (".mkv", "libvpx-vp9"), (".mov", "prores_ks"), (".mov", "qtrle")]
)
def test_transparency_is_kept(tmp_path: Path, suffix: str, codec: str):
    given = tmp_path / f"a{suffix}"
    form = {"libvpx-vp9": "yuva420p", "prores_ks": "yuva444p10le", "qtrle": "argb"}[codec]
    more = {"libvpx-vp9": ["-auto-alt-ref", "0"], "prores_ks": ["-profile:v", "4444"], "qtrle": []}[codec]
    run("-f", "lavfi", "-i", f"color=red@0.3:s=32x32:d=0.2,format={form}", "-c:v", codec, *more, given)
    film = Film.open(given)
    assert film.alpha
    made = copied(given, tmp_path / f"b{suffix}")
    assert made.alpha
    for frame, _ in made.frames():
        assert frame.mode == "RGBA"
        np.testing.assert_allclose(np.asarray(frame)[..., 3], 0.3 * 255, atol=3)
        np.testing.assert_allclose(np.asarray(frame)[..., :3].mean((0, 1)), [255, 0, 0], atol=6)


def test_transparency_that_a_container_does_not_hold_is_said(tmp_path: Path):
    with VideoWriter(tmp_path / "a.mp4", rate=10) as film:
        film.write(Image.new("RGBA", (16, 16), (9, 9, 9, 9)))
    assert film.remarks == ["its transparency is left out, which .mp4 does not hold"]


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize("span", ["tv", "pc"])
def test_colours_are_read_and_written_by_the_matrix_that_the_film_names_and_keep_their_tags(
    tmp_path: Path, matrix: str, span: str
):
    named = {"bt709": "bt709", "smpte170m": "bt601", "bt2020nc": "bt2020"}[matrix]
    primaries = {"bt709": "bt709", "smpte170m": "smpte170m", "bt2020nc": "bt2020"}[matrix]
    how = f"scale=out_color_matrix={named}:out_range={span},format=yuv444p"
    tags = f"setparams=colorspace={matrix}:color_primaries={primaries}:color_trc=bt709:range={span}"
    run("-f", "lavfi", "-i", "color=0x30C050:s=32x32:d=0.2,format=rgb24", "-vf", f"{how},{tags}", "-crf", "1", tmp_path / "a.mp4")
    np.testing.assert_allclose(pictures(tmp_path / "a.mp4")[0].mean((0, 1)), [0x30, 0xC0, 0x50], atol=3)
    made = copied(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert made.colours == Film.open(tmp_path / "a.mp4").colours
    assert (made.colours.matrix, made.colours.primaries, made.colours.full) == (matrix, primaries, span == "pc")
    np.testing.assert_allclose(pictures(tmp_path / "b.mp4")[0].mean((0, 1)), [0x30, 0xC0, 0x50], atol=3)


@pytest.mark.parametrize(("size", "matrix"), [("1280x720", "bt709"), ("720x576", "smpte170m")])
def test_films_that_do_not_say_are_read_as_players_read_them_and_written_so(tmp_path: Path, size: str, matrix: str):
    how = f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p"
    run(
        "-f",
        "lavfi",
        "-i",
        f"color=0x30C050:s={size}:r=5:d=0.2,format=rgb24",
        "-vf",
        how,
        "-c:v",
        "mpeg4",
        "-q:v",
        "2",
        tmp_path / "a.mp4",
    )
    film = Film.open(tmp_path / "a.mp4")
    assert film.colours.matrix == matrix
    np.testing.assert_allclose(pictures(film.path)[0].mean((0, 1)), [0x30, 0xC0, 0x50], atol=3)
    with VideoWriter(tmp_path / "b.mp4", rate=film.rate, like=film) as writer:
        writer.write(Image.new("RGB", (1920, 1080), (0x30, 0xC0, 0x50)))
    assert Film.open(tmp_path / "b.mp4").colours.matrix == matrix
    np.testing.assert_allclose(pictures(tmp_path / "b.mp4")[0].mean((0, 1)), [0x30, 0xC0, 0x50], atol=3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".mpg", ".webm", ".mov"])
def test_every_container_is_written_in_high_quality(tmp_path: Path, suffix: str):
    rows, columns = np.mgrid[:96, :128] / 16
    values = [np.stack([128 + 90 * np.sin(rows + at) * np.cos(columns)] * 3, -1).astype(np.uint8) for at in range(5)]
    with VideoWriter(tmp_path / f"a{suffix}", rate=25) as film:
        for own in values:
            film.write(Image.fromarray(own))
    errors = [np.square(made.astype(float) - own).mean() for made, own in zip(pictures(film.path), values, strict=True)]
    assert 10 * np.log10(255**2 / np.mean(errors)) > 42


def test_sound_subtitles_chapters_and_titles_are_copied(tmp_path: Path):
    (tmp_path / "words.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nhello\n\n")
    facts = ";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=one\n"
    (tmp_path / "facts.txt").write_text(facts)
    parts = ["-f", "lavfi", "-i", "testsrc2=s=32x32:d=1", "-f", "lavfi", "-i", "sine=duration=1", "-i", tmp_path / "words.srt"]
    for suffix, words in ((".mkv", "srt"), (".mp4", "mov_text")):
        given = tmp_path / f"a{suffix}"
        run(*parts, "-i", tmp_path / "facts.txt", "-map_metadata", "3", "-map_chapters", "3", "-c:s", words, given)
        said = run("-i", copied(given, tmp_path / f"b{suffix}").path, "-map", "0", "-c", "copy", "-f", "null", "-")
        assert re.search(r"Subtitle: (subrip|mov_text)", said) and "Chapter #0:0" in said and "A film" in said
        assert re.search(r"Audio: (aac|vorbis|opus|ac3)", said)
    (tmp_path / "a.avi").write_bytes((tmp_path / "a.mkv").read_bytes())
    assert copied(tmp_path / "a.avi", tmp_path / "b.avi").remarks == [
        "its subtitles are left out, which .avi is not written with"
    ]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pictures_that_begin_after_the_sound_stay_in_time_with_it(tmp_path: Path, suffix: str):
    run("-f", "lavfi", "-i", "testsrc2=s=32x32:r=25:d=1", tmp_path / "v.mp4")
    run("-f", "lavfi", "-i", "sine=duration=2", tmp_path / "s.m4a")
    late = ["-itsoffset", "0.48", "-i", tmp_path / "v.mp4", "-i", tmp_path / "s.m4a", "-map", "0:v", "-map", "1:a"]
    run(*late, "-c", "copy", tmp_path / f"a{suffix}")
    given, made = Film.open(tmp_path / f"a{suffix}"), copied(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}")
    assert float(times(given)[0]) == pytest.approx(0.48, abs=0.05)
    np.testing.assert_allclose([float(at) for at in times(made)], [float(at) for at in times(given)], atol=2e-3)


def test_rates_beyond_those_of_players_do_not_choose_the_level_of_the_codec(tmp_path: Path):
    """A recording of a screen counts milliseconds, and claims a thousand frames a second."""
    run(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=1280x720:r=1000:d=0.1",
        "-vf",
        "select='not(mod(n,20))'",
        "-fps_mode",
        "vfr",
        tmp_path / "a.mkv",
    )
    film = Film.open(tmp_path / "a.mkv")
    with VideoWriter(tmp_path / "b.mp4", rate=Fraction(1000), like=film) as writer:
        for frame, at in film.frames():
            writer.write(frame, at)
    assert times(Film.open(tmp_path / "b.mp4")) == times(film)
    content = (tmp_path / "b.mp4").read_bytes()
    assert content[content.index(b"avcC") + 7] <= 52  # ten times the level, the fourth byte of the configuration


def test_interlaced_films_are_said_to_be_read_as_they_are(tmp_path: Path):
    run("-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.4", "-vf", "tinterlace=interleave_top", "-flags", "+ildct", tmp_path / "a.mp4")
    assert "it is interlaced, and its frames are read as they are" in Film.open(tmp_path / "a.mp4").remarks


@pytest.mark.parametrize(
    "content",
    [
        "ffconcat version 1.0\nfile other.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    ],
)
def test_a_list_that_is_called_a_film_opens_no_other_file(tmp_path: Path, content: str):
    written(tmp_path / "other.mp4")
    (tmp_path / "a.mp4").write_text(content)
    began = time.monotonic()
    with pytest.raises(UserError, match=r"a.mp4 cannot be read as a video"):
        Film.open(tmp_path / "a.mp4")
    assert time.monotonic() - began < 5


def test_every_file_that_ffmpeg_opens_is_opened_in_one_careful_way():
    """`-i` stands in `reading`, and before the pipe of `VideoWriter`."""
    package = Path(gansmith.__file__).parent
    found = [line.strip() for path in sorted(package.rglob("*.py")) for line in path.read_text().splitlines() if '"-i"' in line]
    assert len(found) == 2 and '"-i", "-"' in found[0] and '*CAREFUL, "-i"' in found[1]


def test_frames_that_no_memory_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GANSMITH_LIMITS", "pixels=1000")
    with pytest.raises(UserError, match=r"a.mp4 cannot be read as a video"):
        Film.open(written(tmp_path / "a.mp4"))


def test_a_name_is_a_name_and_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    other = written(Path("other.mp4"))
    for name in ("concat:other.mp4", "-i.mp4", "http:a.mp4"):
        Path(name).write_bytes(other.read_bytes())
        assert len(list(Film.open(Path(name)).frames())) == 3
    with pytest.raises(UserError, match=r"concat:none.mp4 cannot be read as a video \(.*No such file"):
        Film.open(Path("concat:none.mp4"))


def test_a_video_without_a_frame_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    film = Film.open(written(tmp_path / "a.mp4"))
    (tmp_path / "ffmpeg").write_text(f"#!{sys.executable}\n")  # a stand-in that finds nothing and is content
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"ffmpeg could not read all of .*a.mp4"):
        list(film.frames())


def test_a_film_that_is_damaged_is_said_to_be(tmp_path: Path):
    whole = tmp_path / "a.mkv"
    run("-f", "lavfi", "-i", "testsrc2=s=64x64:d=2", whole)
    cut = tmp_path / "b.mkv"
    content = bytearray(whole.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
    cut.write_bytes(content)
    film = Film.open(cut)
    list(film.frames())
    assert len(film.remarks) == 1 and film.remarks[0].startswith("it is damaged: ffmpeg says")


def test_what_is_no_video_is_named(tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(b"text")
    with pytest.raises(UserError, match=r"a.mp4 cannot be read as a video \(.*\): repair it, or leave it out"):
        Film.open(tmp_path / "a.mp4")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"ffmpeg could not write .*a.unknown"):
        written(tmp_path / "a.unknown")
    with VideoWriter(tmp_path / "a.mp4", rate=9) as film:
        film.write(Image.new("RGB", (8, 8)))
        with pytest.raises(UserError, match=r"would have frames of 8x8 and 9x8, where all need one size"):
            film.write(Image.new("RGB", (9, 8)))


def test_whoever_has_seen_enough_of_a_video_hears_no_complaint(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    with VideoWriter(tmp_path / "film.mp4", rate=12) as film:
        for value in range(0, 250, 5):
            film.write(Image.fromarray(np.random.default_rng(value).integers(0, 256, (200, 300, 3), np.uint8)))
    shown = Film.open(tmp_path / "film.mp4").frames()
    assert next(shown)[0].size == (300, 200)
    shown.close()
    assert capfd.readouterr().err == ""
