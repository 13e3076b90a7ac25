"""Frames as a film: GIF by Pillow, MP4 by ffmpeg."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

from PIL import Image

from gansmith.data.readers.films import VideoWriter, ffmpeg
from gansmith.errors import UserError
from gansmith.kinds.images.mosaic import opaque

SUFFIXES = (".gif", ".mp4")
SMALLEST = 160
"""Frames with a longer side below this are enlarged by a whole factor."""


def save_film(frames: Sequence[Image.Image], path: Path, *, per_second: int = 20) -> Path:
    """Writes the frames as an endless GIF or as MP4 (H.264), by the suffix. Raises UserError for others, and without ffmpeg."""
    check_film(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = [_enlarged(frame) for frame in frames]
    if path.suffix.lower() == ".gif":
        shown[0].save(path, save_all=True, append_images=shown[1:], duration=round(1000 / per_second), loop=0)
        return path
    with VideoWriter(path, rate=str(per_second)) as film:
        for frame in shown:
            film.write(frame)
    return path


def check_film(path: Path) -> None:
    """Raises UserError as `save_film` does, before frames are made."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"a film is a {' or '.join(SUFFIXES)} file, not {path.name}: change the suffix of --out.")
    if path.suffix.lower() == ".mp4":
        ffmpeg("writing MP4 (unlike a .gif)")


def _enlarged(frame: Image.Image) -> Image.Image:
    factor, plain = max(1, ceil(SMALLEST / max(frame.size))), opaque(frame)
    return plain.resize((plain.width * factor, plain.height * factor), Image.Resampling.NEAREST)
