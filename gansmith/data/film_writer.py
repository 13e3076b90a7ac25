"""Videos, written frame by frame through ffmpeg, each frame at its own time."""

from __future__ import annotations

import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO

from PIL import Image

from gansmith.data.readers.films import CAREFULLY, MATRICES, UNKNOWN, Colours, Film, ffmpeg, reading
from gansmith.errors import UserError

_PLAIN = (".avi", ".mpg", ".mpeg")
"""Containers that say nothing of colours, hold no subtitles beside, and have frames at even times alone."""
_HOLD_ALPHA = (".webm", ".mkv", ".mov")


FASTEST = Fraction(240)
"""Frames a second above which a rate is that of a clock, not of pictures; it would choose a level of H.264 that few players know."""


class VideoWriter:
    """Writes frames of one size to a file of the kind its suffix says.

        with VideoWriter(path, rate=25) as film:
            film.write(image)

    `like` is a film whose sound, subtitles, chapters, colours and pixel aspect are kept, and whose ticks count the times of frames;
    `called` is the name of the file in messages, if it is written under another one. Transparency is kept in .webm, .mkv and .mov. Odd
    sides are padded by a pixel, as H.264 needs. Leaving the block waits for ffmpeg. Raises UserError where it fails, and without ffmpeg.
    """

    def __init__(self, path: Path, *, rate: Fraction | int, like: Film | None = None, called: Path | None = None) -> None:
        self.path, self.rate, self.like, self.called = path, Fraction(rate), like, called or path
        self.suffix = path.suffix.lower()
        self.remarks: list[str] = []
        """What is not kept, as the ends of sentences about the film."""
        self._program = ffmpeg(f"writing the video {self.called.name}")
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._tick = like.tick if like else 1 / self.rate
        self._clock = min(self._tick.denominator, 1_000_000)
        """Units a second in which times are written: exact unless there are millions of them."""
        self._frames, self._size, self._mode = 0, (0, 0), "RGB"

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, frame: Image.Image, at: int | None = None) -> None:
        """Adds a frame that is shown `at` so many ticks, or else one tick after the last one."""
        ticks = self._frames if at is None else at
        if self._process is None:
            self._begin(frame, self._time(ticks))
        if frame.size != self._size:
            sizes = " and ".join(f"{width}x{height}" for width, height in (self._size, frame.size))
            raise UserError(f"{self.called.name} would have frames of {sizes}, where all need one size: cut the film there.")
        self._frames += 1
        try:
            self._send(_block(self._time(ticks), frame.convert(self._mode).tobytes()))
        except BrokenPipeError:
            self._finish()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None and kind is None:
            self._finish()
        elif self._process is not None:
            self._process.kill()
            self._process.communicate()
            assert self._said is not None
            self._said.close()

    def _time(self, ticks: int) -> int:
        return round(ticks * self._tick * self._clock)

    def _begin(self, frame: Image.Image, first: int) -> None:
        alpha = "A" in frame.mode and self.suffix in _HOLD_ALPHA
        if "A" in frame.mode and not alpha:
            self.remarks.append(f"its transparency is left out, which {self.suffix} does not hold")
        self._size, self._mode = frame.size, "RGBA" if alpha else "RGB"
        codec, form = self._codec(alpha)
        copied = self._copied()
        command = [
            # ffmpeg lets every input begin at 0; that of the pictures begins as long after the sound as it did
            *(self._program, "-v", "error", "-y", "-itsoffset", f"{first / 1000:.3f}", "-f", "matroska", "-i", "-", *copied),
            *("-vf", self._filter(frame, form)),
            *(["-r", str(self.rate)] if self.suffix in _PLAIN else ["-enc_time_base", f"1:{self._clock}"]),
            *(*codec, f"file:{self.path}"),
        ]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115, closed when ffmpeg has ended
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=self._said)
        try:
            self._send(_header(frame.size, self._mode, min(self.rate, FASTEST)))
        except BrokenPipeError:
            self._finish()

    def _codec(self, alpha: bool) -> tuple[list[str], str]:
        """The arguments of the encoder, and its pixel format; every one in high quality."""
        if alpha and self.suffix == ".mov":
            return ["-c:v", "prores_ks", "-profile:v", "4444", "-alpha_bits", "16"], "yuva444p10le"
        if alpha or self.suffix == ".webm":
            alone = ["-auto-alt-ref", "0"] if alpha else []
            return ["-c:v", "libvpx-vp9", "-crf", "18", "-b:v", "0", "-row-mt", "1", *alone], "yuva420p" if alpha else "yuv420p"
        return ["-q:v", "2"] if self.suffix in _PLAIN else ["-crf", "18"], "yuv420p"

    def _copied(self) -> list[str]:
        """The arguments by which all but the pictures is copied from the film."""
        if self.like is None:
            return []
        subtitles = self.suffix not in _PLAIN
        if self.like.subtitles and not subtitles:
            self.remarks.append(f"its subtitles are left out, which {self.suffix} is not written with")
        parts = ["a", *(["s"] if subtitles else []), *(["t"] if self.suffix == ".mkv" else [])]
        chosen = [word for part in parts for word in ("-map", f"1:{part}?", f"-c:{part}", "copy")]
        return [*reading(self.like.path), "-map", "0:v", *chosen, "-map_metadata", "1", "-map_chapters", "1"]

    def _filter(self, frame: Image.Image, form: str) -> str:
        """From the frames that are sent to what is encoded: exact times, even sides, colours as in the film, tagged so."""
        width, height = (side + side % 2 for side in frame.size)
        if (width, height) != frame.size:
            self.remarks.append(f"its sides of {frame.width}x{frame.height} are padded to {width}x{height}")
        usual = Colours(Colours.usual_matrix(width, height))
        colours = self.like.colours if self.like and self.suffix not in _PLAIN else usual
        known = {"color_primaries": colours.primaries, "color_trc": colours.transfer}
        tags = {
            "colorspace": colours.matrix,
            "range": "pc" if colours.full else "tv",
            **{name: value for name, value in known.items() if value not in UNKNOWN},
        }
        aspect = self.like.pixel_aspect if self.like else Fraction(1)
        return ",".join(
            [
                # what is sent counts ticks as if they were milliseconds, the unit of the container that carries it
                f"settb=1/{1000 * self._clock}",
                f"setpts=PTS/{self._clock}*1000",
                f"settb=1/{self._clock}",
                f"pad={width}:{height}",
                f"scale=out_color_matrix={MATRICES[colours.matrix]}:out_range={tags['range']}:{CAREFULLY}",
                f"format={form}",
                f"setsar={aspect.numerator}/{aspect.denominator}:max=100000",
                "setparams=" + ":".join(f"{name}={value}" for name, value in tags.items()),
            ]
        )

    def _send(self, content: bytes) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(content)

    def _finish(self) -> None:
        if self.like and self.like.uneven and self.suffix in _PLAIN:
            self.remarks.append(
                f"its frames come unevenly, which {self.suffix} does not hold: some are shown twice or not at all"
            )
        process, self._process = self._process, None
        assert process is not None and self._said is not None
        process.communicate()
        with self._said as said:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
        if process.returncode:
            raise UserError(
                f"ffmpeg could not write {self.called} ({(lines or ['no reason given'])[-1]}): give a .gif or an .mp4 file."
            )


def _header(size: tuple[int, int], mode: str, rate: Fraction) -> bytes:
    """The beginning of a Matroska stream of raw pictures, which, unlike raw pictures alone, can say when each is shown."""
    tag = {"RGB": b"RGB\x18", "RGBA": b"RGBA"}[mode]
    video = _element("E0", _number("B0", size[0]) + _number("BA", size[1]) + _element("2EB524", tag))
    facts = _number("D7", 1) + _number("73C5", 1) + _number("83", 1) + _number("23E383", round(10**9 / rate))
    track = _element("AE", facts + _element("86", b"V_UNCOMPRESSED") + video)
    segment = bytes.fromhex("18538067") + b"\x01" + 7 * b"\xff"  # of unknown length
    unit = _element("1549A966", _number("2AD7B1", 1_000_000))
    return _element("1A45DFA3", _element("4282", b"matroska")) + segment + unit + _element("1654AE6B", track)


def _block(time: int, picture: bytes) -> bytes:
    return _element("1F43B675", _number("E7", time) + _element("A3", b"\x81\0\0\x80" + picture))


def _element(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + (len(content) | 1 << 56).to_bytes(8, "big") + content


def _number(name: str, value: int) -> bytes:
    return _element(name, value.to_bytes(8, "big"))
