"""Videos, read frame by frame through ffmpeg: that of the PATH, or that of the package imageio-ffmpeg.

A stranger's file opens no other: only containers are read, no playlists, and only from the disk.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from queue import Queue
from threading import Thread
from types import EllipsisType
from typing import IO

import numpy as np
from PIL import Image

from gansmith.data.readers.files import refuse_endless
from gansmith.data.readers.limits import current
from gansmith.errors import UserError, missing_extra

SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg")
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts"
"""The formats of ffmpeg that these suffixes stand for: none of them names other files to open."""
CAREFUL = ("-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS)
CAREFULLY = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
"""How the scaler of ffmpeg converts colours without rounding them twice."""
MATRICES = {
    "bt709": "bt709",
    "fcc": "fcc",
    "bt470bg": "bt601",
    "smpte170m": "smpte170m",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020",
}
"""Names of the coefficients from RGB to brightness and colour: in files, and as the scaler of ffmpeg calls them."""
_WITH_ALPHA = re.compile(r"yuva|gbrap|ya\d|rgba|bgra|argb|abgr")
_RGB = re.compile(r"gbr|rgb|bgr|argb|abgr|0rgb|0bgr|x2rgb|x2bgr|pal8")
UNKNOWN = ("unknown", "unspecified", "reserved", "gbr")
_DECODERS_OF_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders of the codecs whose alpha lies beside the stream, which ffmpeg's own decoders leave out."""


def ffmpeg(doing: str) -> str:
    """The program. Raises UserError, which says what `doing` needs it for, where there is none."""
    if found := shutil.which("ffmpeg"):
        return found
    try:
        import imageio_ffmpeg  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra("imageio-ffmpeg", "video", f"There is no ffmpeg on the PATH, so {doing}") from error
    return imageio_ffmpeg.get_ffmpeg_exe()


def reading(path: Path) -> list[str]:
    """The arguments by which ffmpeg opens a file and nothing besides, whatever the file or its name says."""
    return [*CAREFUL, "-i", f"file:{path}"]


def _decoding(decoder: str | None) -> list[str]:
    """The arguments of the decoder, which is to refuse frames that no memory holds."""
    return ["-max_pixels", str(current().pixels), *(["-c:v", decoder] if decoder else [])]


@dataclass(frozen=True)
class Colours:
    """How the colours of a film are coded, in the names of ffmpeg."""

    matrix: str
    primaries: str = "unknown"
    transfer: str = "unknown"
    full: bool = False
    """Whether black is 0 and white 255, not 16 and 235."""

    @staticmethod
    def usual_matrix(width: int, height: int) -> str:
        """What players take for films that do not say: that of high definition above the size of a DVD."""
        return "bt709" if width >= 1280 or height > 576 else "smpte170m"


@dataclass(frozen=True)
class Film:
    """A file with a video stream, and what must be known of it to write another like it."""

    path: Path
    rate: Fraction
    """Frames a second; where frames come unevenly, the rate that the file claims."""
    tick: Fraction
    """The unit of its times in seconds."""
    colours: Colours
    pixel_aspect: Fraction = Fraction(1)
    """How many times wider than high a pixel is shown."""
    rgb: bool = False
    """Whether it holds red, green and blue, for which `colours` are those to be coded in."""
    alpha: bool = False
    subtitles: bool = False
    decoder: str | None = None
    remarks: list[str] = field(default_factory=list)
    """What of it is not read, as the ends of sentences about it; complete when all frames have been read."""
    uneven: list[int] = field(default_factory=list)
    """Ticks between frames that differ from the rate, as far as frames have been read."""

    @classmethod
    def open(cls, path: Path) -> Film:
        """Looks at the first frame. Raises UserError for a file without a video stream, and without ffmpeg."""
        refuse_endless(path)
        said = _first_look(path, None)
        streams = re.findall(r"Stream #\S+ .*?Video: (\w+)|Stream #\S+ .*?(Subtitle): ", said)
        film = _film(path, said)
        if film is None:
            raise UserError(f"{path} cannot be read as a video ({_why(said.splitlines())}): repair it, or leave it out.")
        film = replace(film, subtitles=any(subtitle for _, subtitle in streams))
        decoder = _DECODERS_OF_ALPHA.get(next((codec for codec, _ in streams if codec), ""))
        if decoder and re.search(r"alpha_mode\s*: 1", said, re.IGNORECASE):
            if _film(path, _first_look(path, decoder)):
                return replace(film, decoder=decoder, alpha=True)
            film.remarks.append(f"its transparency is not read, as this ffmpeg lacks the decoder {decoder}")
        return film

    def frames(self) -> Generator[tuple[Image.Image, int], None, None]:
        """The frames in RGB or RGBA, upright, each with its time in ticks. Raises UserError where ffmpeg gives up on the file."""
        program = ffmpeg(f"reading the video {self.path.name}")
        coded = f"in_color_matrix={MATRICES[self.colours.matrix]}:in_range={'pc' if self.colours.full else 'tv'}:"
        how = f"showinfo,scale={'' if self.rgb else coded}{CAREFULLY}"
        mode = "rgba" if self.alpha else "rgb24"
        # one frame a tick of a clock slower than any frame, so that ffmpeg neither repeats nor drops one; showinfo tells their times
        command = [
            *(program, "-hide_banner", "-nostats", "-nostdin", "-v", "level+info"),
            *_decoding(self.decoder),
            *reading(self.path),
            *("-map", "0:V:0", "-vf", f"{how},format={mode},settb=1000,setpts=N", "-r", "1/1000"),
            *("-f", "image2pipe", "-c:v", "pam", "-pix_fmt", mode, "-"),
        ]
        times: Queue[int | EllipsisType | None] = Queue()
        faults: deque[str] = deque(maxlen=5)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:
            assert reader.stdout is not None and reader.stderr is not None
            listener = Thread(target=_listen, args=(reader.stderr, times, faults), daemon=True)
            listener.start()
            last = None
            try:
                # every frame carries its size: a recording that was turned comes upright, with its sides exchanged
                for frame in _arbitrary_maps(reader.stdout):
                    last = self._time(_next(times), last)
                    yield frame, last
            except GeneratorExit:
                reader.kill()  # else it complains of a broken pipe
                raise
            finally:
                reader.stdout.close()
                reader.wait()
                listener.join()
        if reader.returncode or last is None:
            raise UserError(f"ffmpeg could not read all of {self.path} ({_why(faults)}): convert the video to .mp4.")
        if faults:
            self.remarks.append(f"it is damaged: ffmpeg says {_why(faults)!r}, and frames may be missing or marred")

    def _time(self, found: int | None, last: int | None) -> int:
        """The time of a frame: the one that is found, but later than the last one, and never before the beginning."""
        step = max(1, round(1 / (self.rate * self.tick)))
        if found is None:
            found = 0 if last is None else last + step
        if last is not None and abs(found - last - 1 / (self.rate * self.tick)) > 1:
            self.uneven.append(found - last)
        return max(found, 0 if last is None else last + 1)


def _first_look(path: Path, decoder: str | None) -> str:
    """All that ffmpeg says of a file and its first frame."""
    program = ffmpeg(f"reading the video {path.name}")
    said = subprocess.run(
        [
            *(program, "-hide_banner", "-nostats", "-nostdin", "-v", "level+info", *_decoding(decoder), *reading(path)),
            *("-map", "0:V:0", "-frames:v", "1", "-vf", "showinfo", "-f", "null", "-"),
        ],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return said.stderr.decode(errors="replace")


def _film(path: Path, said: str) -> Film | None:
    """What the filter showinfo says of the first frame; None where it has seen none."""
    clock = re.search(r"config in time_base: (\d+)/(\d+), frame_rate: (\d+)/(\d+)", said)
    frame = re.search(r"n: +0 pts: *(?:\S+) .*?fmt:(\w+) .*?sar:(\d+)/(\d+) s:(\d+)x(\d+) i:(.)", said)
    if clock is None or frame is None:
        return None
    tags = dict(re.findall(r"color_(range|space|primaries|trc):(\S+)", said))
    form, width, height = frame[1], int(frame[4]), int(frame[5])
    remarks = []
    usual = Colours.usual_matrix(width, height)
    matrix, rgb = tags.get("space", "unknown"), _RGB.match(form) is not None
    if rgb or matrix not in MATRICES:
        if not rgb and matrix not in UNKNOWN:
            remarks.append(f"its colours are coded as {matrix}, but read as {usual}")
        matrix = usual
    if (bits := _bits(form)) > 8:
        remarks.append(f"its colours of {bits} bits are read as 8")
    if frame[6] in "TB":
        remarks.append("it is interlaced, and its frames are read as they are")
    wide, high, den = int(frame[2]), int(frame[3]), int(clock[4])
    full = not rgb and (tags.get("range") == "pc" or form.startswith("yuvj"))
    return Film(
        path,
        rate=Fraction(int(clock[3]), den) if int(clock[3]) and den else Fraction(25),
        tick=Fraction(int(clock[1]), int(clock[2])),
        colours=Colours(matrix, tags.get("primaries", "unknown"), tags.get("trc", "unknown"), full),
        pixel_aspect=Fraction(wide, high) if wide and high else Fraction(1),
        rgb=rgb,
        alpha=_WITH_ALPHA.match(form) is not None,
        remarks=remarks,
    )


def _bits(form: str) -> int:
    """Bits of a channel in a pixel format of ffmpeg, of which yuv420p10le, p010le, gray12be, rgb48le and rgba64le are some."""
    number = re.search(r"(\d+)(?:le|be)$", form)
    if number is None:
        return 8
    found = {48: 16, 64: 16}.get(int(number[1]), int(number[1]) % 100)
    return found if found in (9, 10, 12, 14, 16) else 8


def _listen(stream: IO[bytes], times: Queue[int | EllipsisType | None], faults: deque[str]) -> None:
    """Takes the times of frames, and complaints, from what ffmpeg says; `...` follows the last time."""
    for raw in stream:
        line = raw.decode(errors="replace")
        if shown := re.search(r"n: *\d+ pts: *(NOPTS|-?\d+)", line):
            times.put(None if shown[1] == "NOPTS" else int(shown[1]))
        elif "[error]" in line or "[fatal]" in line:
            faults.append(line)
    times.put(...)


def _next(times: Queue[int | EllipsisType | None]) -> int | None:
    found = times.get()
    if isinstance(found, EllipsisType):
        times.put(...)
        return None
    return found


def _why(lines: deque[str] | list[str]) -> str:
    """The first complaint among lines of ffmpeg."""
    found = next((line for line in lines if "[error]" in line or "[fatal]" in line), "")
    said = re.sub(r"^(\[[^]]*\] )*", "", found).strip() or "ffmpeg gives no reason"
    return "it is a list or another kind of file, whatever its suffix" if "not on whitelist" in said else said


def _arbitrary_maps(stream: IO[bytes]) -> Iterator[Image.Image]:
    """Pictures in the format PAM."""
    while stream.readline().strip() == b"P7":
        facts = dict(line.split(maxsplit=1) for line in iter(lambda: stream.readline().strip(), b"ENDHDR") if line)
        width, height, depth = (int(facts[name]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH"))
        content = stream.read(width * height * depth)
        if len(content) < width * height * depth:
            return
        yield Image.fromarray(np.frombuffer(content, np.uint8).reshape(height, width, depth))
