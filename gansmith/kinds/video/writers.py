"""Clips as files: animations through Pillow, films through ffmpeg, folders of frames, arrays."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from gansmith.errors import UserError
from gansmith.kinds.video.clip import Clip
from gansmith.kinds.video.preview import side_by_side, strips

ANIMATIONS = (".webp", ".gif", ".apng")
"""Written by Pillow: webp and apng hold every pixel, gif 256 colours and no half transparency."""
FILMS = (".mp4", ".webm", ".mov", ".mkv", ".avi")
"""Written by ffmpeg."""
STRIP = ".png"
SUFFIXES = (".mp4", ".gif", ".webp", ".apng", ".webm", ".npz", ".zip", ".png")


def write_film(clips: Sequence[Clip], path: Path) -> None:
    """One animation or film. Rate, transparency and loop are kept where the format can; several clips, which play side by side in it, are
    there to be looked at, and an animation of them begins again.

    Raises UserError for a film without ffmpeg.
    """
    suffix, rate = path.suffix.lower(), clips[0].rate
    if suffix == STRIP:
        strips(clips).save(path)
        return
    frames = side_by_side(clips)
    if suffix in FILMS:
        from gansmith.data.film_writer import VideoWriter

        with VideoWriter(path, rate=Fraction(rate).limit_denominator(1001)) as film:
            for frame in frames:
                film.write(frame if frame.mode in ("RGB", "RGBA") else frame.convert("RGB"))
        return
    save_animation(frames, path, rate, clips[0].loops or len(clips) > 1)


def save_animation(frames: Sequence[Image.Image], path: Path, rate: float, loops: bool) -> None:
    """A .webp or .apng without loss, or a .gif whose times are in hundredths of a second and whose palette is its own in each frame."""
    suffix, times = path.suffix.lower(), durations(len(frames), rate, 10 if path.suffix.lower() == ".gif" else 1)
    how: dict[str, object] = {"duration": times if len(frames) > 1 else times[0]}
    if suffix == ".webp":
        frames = [frame if frame.mode in ("RGB", "RGBA") else frame.convert("RGB") for frame in frames]
        how |= {"format": "WEBP", "lossless": True, "exact": True, "method": 2, "loop": 0 if loops else 1}
    elif suffix == ".apng":
        how |= {"format": "PNG", "loop": 0 if loops else 1}
    else:
        how |= {"format": "GIF", "disposal": 2, "optimize": False, **({"loop": 0} if loops else {})}
    frames[0].save(path, save_all=True, append_images=frames[1:], **how)


def durations(count: int, rate: float, unit: int) -> list[int]:
    """Milliseconds of each frame in whole units, which together are as long as the frames are at this rate."""
    ends = np.rint(np.arange(count + 1) * 1000 / rate / unit).astype(int) * unit
    return np.maximum(np.diff(ends), unit).tolist()


def save_frames(clip: Clip, folder: Path) -> None:
    """A folder with a picture for each frame. Raises UserError if it exists."""
    if folder.exists():
        raise UserError(f"{folder} exists, where a folder of frames is to be written: choose another --out.")
    folder.mkdir(parents=True)
    for number, image in enumerate(clip.images()):
        image.save(folder / f"frame-{number:05d}.png")


def arrays_of(clips: Sequence[Clip], classes: Sequence[str], attributes: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of an .npz as it is read again: video [N, frames, height, width, channels], fps, loops, labels."""
    found = {
        "video": np.stack([clip.frames for clip in clips]),
        "fps": np.array(clips[0].rate),
        "loops": np.array(clips[0].loops),
    }
    if classes:
        found |= {"label": np.array([classes.index(clip.label or "") for clip in clips]), "classes": np.array(list(classes))}
    if attributes:
        rows = [[(clip.attributes or {})[name] for name in attributes] for clip in clips]
        found |= {"attributes": np.array(rows, np.float32), "attribute_names": np.array(list(attributes))}
    return found
