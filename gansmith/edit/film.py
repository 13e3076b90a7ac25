"""Frames as a film: GIF by Pillow, MP4 by ffmpeg."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

from PIL import Image

from gansmith.data.film_writer import VideoWriter
from gansmith.data.outputs import refuse_overwriting, whole
from gansmith.data.readers.films import ffmpeg
from gansmith.data.values import FramesPerSecond, checked
from gansmith.errors import UserError
from gansmith.kinds.images.mosaic import opaque

FASTEST = {".gif": 50, ".mp4": 240}
"""The most frames a second by suffix: a GIF counts hundredths of a second, and browsers show a delay of one as ten."""
SUFFIXES = tuple(FASTEST)
SMALLEST = 160
"""Frames with a longer side below this are enlarged by a whole factor."""


@checked
def save_film(frames: Sequence[Image.Image], path: Path, *, per_second: FramesPerSecond = 20, overwrite: bool = False) -> Path:
    """Writes the frames as an endless GIF or as MP4 (H.264), by the suffix.

    Raises UserError for other suffixes, a rate that the format cannot hold, a file that exists (unless `overwrite`), and without ffmpeg.
    """
    check_film(path, per_second)
    refuse_overwriting([path], overwrite=overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = [_enlarged(frame) for frame in frames]
    with whole(path) as part:
        if path.suffix.lower() == ".gif":
            ends = [
                round(100 * number / per_second) for number in range(len(shown) + 1)
            ]  # rounded in sum, so that the rate is kept
            delays = [10 * (end - start) for start, end in zip(ends, ends[1:], strict=False)]
            shown[0].save(part, save_all=True, append_images=shown[1:], duration=delays, loop=0)
            return path
        with VideoWriter(part, rate=per_second, called=path) as film:
            for frame in shown:
                film.write(frame)
    return path


def check_film(path: Path, per_second: int = 20) -> None:
    """Raises UserError for a suffix, a rate or an absent ffmpeg that `save_film` cannot work with, before frames are made."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"a film is a {' or '.join(SUFFIXES)} file, not {path.name}: change the suffix of --out.")
    if not 1 <= per_second <= FASTEST[suffix]:
        raise UserError(f"a {suffix} film shows 1 to {FASTEST[suffix]} frames a second, but --per-second is {per_second}.")
    if suffix == ".mp4":
        ffmpeg("writing MP4 (unlike a .gif)")


def _enlarged(frame: Image.Image) -> Image.Image:
    factor, plain = max(1, ceil(SMALLEST / max(frame.size))), opaque(frame)
    return plain.resize((plain.width * factor, plain.height * factor), Image.Resampling.NEAREST)
