"""Frames as a film: GIF by Pillow, MP4 by ffmpeg."""

import shutil
import subprocess
from collections.abc import Sequence
from math import ceil
from pathlib import Path

import numpy as np
from PIL import Image

from gansmith.data.mosaic import opaque
from gansmith.errors import UserError, missing_extra

SUFFIXES = (".gif", ".mp4")
SMALLEST = 160
"""Frames with a longer side below this are enlarged by a whole factor."""


def save_film(frames: Sequence[Image.Image], path: Path, *, per_second: int = 20) -> Path:
    """Writes the frames as an endless GIF or as MP4 (H.264), by the suffix. Raises UserError for others, and without ffmpeg."""
    ffmpeg = check_film(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = [_enlarged(frame) for frame in frames]
    if ffmpeg is None:
        shown[0].save(path, save_all=True, append_images=shown[1:], duration=round(1000 / per_second), loop=0)
        return path
    width, height = shown[0].size
    command = [ffmpeg, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", str(per_second), "-i", "-", "-pix_fmt", "yuv420p", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", str(path)]
    content = b"".join(np.asarray(frame).tobytes() for frame in shown)
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    if done.returncode:
        why = (done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
        raise UserError(f"ffmpeg could not write {path} ({why}): give --out a .gif file.")
    return path


def check_film(path: Path) -> str | None:
    """The ffmpeg that would write this film, None where none is needed; raises UserError as `save_film` does, before frames are made."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"a film is a {' or '.join(SUFFIXES)} file, not {path.name}: change the suffix of --out.")
    return _ffmpeg() if path.suffix.lower() == ".mp4" else None


def _enlarged(frame: Image.Image) -> Image.Image:
    factor, plain = max(1, ceil(SMALLEST / max(frame.size))), opaque(frame)
    return plain.resize((plain.width * factor, plain.height * factor), Image.Resampling.NEAREST)


def _ffmpeg() -> str:
    if found := shutil.which("ffmpeg"):
        return found
    try:
        import imageio_ffmpeg  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra(
            "imageio-ffmpeg", "video", "There is no ffmpeg on the PATH, so writing MP4 (unlike a .gif)"
        ) from error
    return imageio_ffmpeg.get_ffmpeg_exe()
