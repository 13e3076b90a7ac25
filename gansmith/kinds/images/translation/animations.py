"""Pictures of several frames: how long each is shown, how often all are, and how they are written again."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image, ImageSequence

from gansmith.data.outputs import whole
from gansmith.data.readers.files import check_ends
from gansmith.data.readers.limits import check
from gansmith.errors import UserError

SUFFIXES = (".gif", ".webp", ".png", ".avif")
_QUALITY = 90
Answer = TypeVar("Answer")


def moves(path: Path) -> bool:
    """Whether it is a picture of several frames that are shown one after another."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    return of_header(path, frames_of, 1) > 1


def frames_of(image: Image.Image) -> int:
    """How many frames or pages it has."""
    return getattr(image, "n_frames", 1)


def of_header(path: Path, look: Callable[[Image.Image], Answer], otherwise: Answer) -> Answer:
    """What `look` finds in a picture that is opened and not read; `otherwise` where that fails, which is for whoever reads it to say."""
    try:
        check_ends(path)
        with quiet(), Image.open(path) as image:
            return look(image)
    except Exception:  # a dozen kinds for damaged files
        return otherwise


@contextmanager
def quiet() -> Iterator[None]:
    """Without Pillow's warnings of damaged tags, which the commands would print among their own words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True)
class Animation:
    """The frames of a file and what it says of them."""

    frames: Sequence[Image.Image]
    durations: Sequence[float]
    """Milliseconds of each frame, of the first one only where it moves too."""
    how: dict[str, Any]
    """What Pillow is given when they are written."""

    @classmethod
    def of(cls, image: Image.Image, path: Path) -> "Animation":
        """Those of an opened image, each laid over those before it as it is shown. Raises UserError for damaged files, and above the limit
        `animation_pixels`."""
        count = frames_of(image)
        check("animation_pixels", image.width * image.height * count, f"{path}, with {count:,} frames", "pixels")
        try:
            with quiet():
                return cls._read(image, path)
        except Exception as error:  # a dozen kinds for damaged files
            raise UserError(f"{path} cannot be read as an animation ({error}): repair it, or leave it out.") from error

    @classmethod
    def _read(cls, image: Image.Image, path: Path) -> "Animation":
        frames, durations = [], []
        for frame in ImageSequence.Iterator(image):
            frames.append(frame.copy())  # reads it, before which some formats say how long the frame before is shown
            durations.append(frame.info.get("duration", 0))
        how = {name: image.info[name] for name in ("loop", "background") if name in image.info}
        if getattr(image, "default_image", False):  # of PNG: shown where nothing moves, and only there
            how["default_image"], durations = True, durations[1:]
        if path.suffix.lower() == ".webp":
            how |= {"lossless": True, "exact": True} if _is_lossless(path) else {"quality": _QUALITY}
        if path.suffix.lower() == ".avif":
            how["quality"] = _QUALITY
        return cls(frames, durations, how)

    def write(self, made: Sequence[Image.Image], path: Path) -> None:
        """Writes other frames in the place of its own."""
        how = {**self.how, "duration": list(self.durations)}
        if path.suffix.lower() == ".gif":
            how.pop("background", None)  # an index of another palette
            made = [_one_bit(frame) for frame in made]
            if any(frame.mode == "RGBA" for frame in made):
                how["disposal"] = 2  # else what is transparent in a frame shows the frame before
        elif "icc_profile" in made[0].info:
            how["icc_profile"] = made[0].info["icc_profile"]
        with whole(path) as part:
            made[0].save(part, save_all=True, append_images=made[1:], **how)


def _one_bit(frame: Image.Image) -> Image.Image:
    """A frame of GIF, in which a pixel is seen or not."""
    if frame.mode not in ("LA", "RGBA"):
        return frame
    frame = frame.convert("RGBA")
    frame.putalpha(frame.getchannel("A").point([0] * 128 + [255] * 128))
    return frame


def _is_lossless(path: Path) -> bool:
    """Whether every frame of a WebP file was compressed without loss."""
    content = path.read_bytes()
    return b"VP8L" in _chunks(content, 12) and b"VP8 " not in _chunks(content, 12)


def _chunks(content: bytes, start: int) -> list[bytes]:
    """The names of the chunks of a RIFF file from `start`, those inside of frames included."""
    names = []
    while start + 8 <= len(content):
        name, length = content[start : start + 4], int.from_bytes(content[start + 4 : start + 8], "little")
        names.append(name)
        if name == b"ANMF":
            names += _chunks(content[start + 24 : start + 8 + length], 0)
        start += 8 + length + length % 2
    return names
