"""Videos, read and written frame by frame through ffmpeg: that of the PATH, or that of the package imageio-ffmpeg."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from PIL import Image

from gansmith.errors import UserError, missing_extra

SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg")
BROADCAST = {"23.98": "24000/1001", "29.97": "30000/1001", "59.94": "60000/1001"}
"""Rates that ffmpeg shows rounded."""


def ffmpeg(doing: str) -> str:
    """The program. Raises UserError, which says what `doing` needs it for, where there is none."""
    if found := shutil.which("ffmpeg"):
        return found
    try:
        import imageio_ffmpeg  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra("imageio-ffmpeg", "video", f"There is no ffmpeg on the PATH, so {doing}") from error
    return imageio_ffmpeg.get_ffmpeg_exe()


def frame_rate(path: Path) -> str:
    """Frames a second, as ffmpeg takes it. Raises UserError for a file without a video stream, and without ffmpeg."""
    program = ffmpeg(f"reading the video {path.name}")
    said = subprocess.run([program, "-hide_banner", "-i", str(path)], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    lines = said.stderr.decode(errors="replace").strip().splitlines()
    streams = [line for line in lines if re.search(r"Stream #.*Video:", line)]
    rate = next((m[1] for line in streams for m in [re.search(r"([\d.]+) (?:fps|tbr)", line)] if m), None)
    if rate is None:
        why = lines[-1] if lines else "ffmpeg gives no reason"
        raise UserError(f"{path} cannot be read as a video ({why}): repair it, or leave it out.")
    return BROADCAST.get(rate, rate)


def frames(path: Path, rate: str) -> Iterator[Image.Image]:
    """The frames in RGB, upright, so many a second. Raises UserError where ffmpeg gives up on the file."""
    program = ffmpeg(f"reading the video {path.name}")
    # every frame carries its size: a recording that was turned comes upright, with its sides exchanged
    command = [program, "-v", "error", "-nostdin", "-i", str(path), "-map", "0:v:0", "-r", rate]
    with subprocess.Popen(
        [*command, "-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"], stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdout is not None
        shown = False
        try:
            for frame in _portable_pixmaps(reader.stdout):
                shown = True
                yield frame
        except GeneratorExit:
            reader.kill()  # else it complains of a broken pipe
            raise
        finally:
            reader.stdout.close()
    if reader.returncode or not shown:
        raise UserError(f"ffmpeg could not read all of {path}: look at what it said above, and convert the video to .mp4.")


def _portable_pixmaps(stream: IO[bytes]) -> Iterator[Image.Image]:
    while stream.readline().strip() == b"P6":
        width, height = map(int, stream.readline().split())
        stream.readline()  # the largest value, 255
        content = stream.read(width * height * 3)
        yield Image.fromarray(np.frombuffer(content, np.uint8).reshape(height, width, 3))


class VideoWriter:
    """Writes frames of one size to a file of the kind its suffix says; odd sides are padded by a pixel, as H.264 needs.

        with VideoWriter(path, rate="25") as film:
            film.write(image)

    `sound_of` is a file whose sound is copied; `called` is the name of the file in messages, if it is written under another one.
    Leaving the block waits for ffmpeg. Raises UserError where it fails, and without ffmpeg.
    """

    def __init__(self, path: Path, *, rate: str, sound_of: Path | None = None, called: Path | None = None) -> None:
        self.called = called or path
        self.path, self.rate, self.sound_of = path, rate, sound_of
        self._program = ffmpeg(f"writing the video {self.called.name}")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, frame: Image.Image) -> None:
        if self._process is None:
            raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{frame.width}x{frame.height}", "-r", self.rate, "-i", "-"]
            sound = [] if self.sound_of is None else ["-i", str(self.sound_of), "-map", "0:v", "-map", "1:a?", "-c:a", "copy"]
            shown = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-crf", "18"]
            command = [self._program, "-v", "error", "-y", *raw, *sound, *shown, str(self.path)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(frame.convert("RGB").tobytes())
        except BrokenPipeError:
            self._finish()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None and kind is None:
            self._finish()
        elif self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _finish(self) -> None:
        process, self._process = self._process, None
        assert process is not None
        _, said = process.communicate()
        if process.returncode:
            why = (said.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
            raise UserError(f"ffmpeg could not write {self.called} ({why}): give a .gif or an .mp4 file.")
