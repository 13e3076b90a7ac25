"""Films, folders of frames and arrays as footage: see `clip.Footage`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from gansmith.data.readers import films
from gansmith.data.readers.files import Unreadable
from gansmith.data.readers.limits import check
from gansmith.errors import UserError
from gansmith.kinds.images.resize import channels_of
from gansmith.kinds.video.clip import as_image


class Film:
    """A file that ffmpeg reads; of a member of an archive, `content` is written to a file for as long as it is read."""

    loops = False

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        """Raises Unreadable for a file without a video stream, and UserError without ffmpeg."""
        self._held = None
        if content is not None:
            self._held = tempfile.NamedTemporaryFile(suffix=path.suffix)  # noqa: SIM115, as long as the footage
            self._held.write(content)
            self._held.flush()
            path = Path(self._held.name)
        films.ffmpeg(f"reading the video {path.name}")
        try:
            self.film = films.Film.open(path)
            first, _ = next(frames := self.film.frames())
            frames.close()
        except (UserError, StopIteration) as error:
            raise Unreadable(_inside(str(error)) or "it has no frames") from error
        self.channels = 4 if self.film.alpha else 3
        width = max(1, round(first.width * self.film.pixel_aspect))
        self.size = first.height, width
        self.rate: float | None = float(min(self.film.rate, 240))

    def frames(self) -> Iterator[tuple[Image.Image, float]]:
        tick, last, step = float(self.film.tick), None, 1 / (self.rate or 25)
        try:
            for frame, at in self.film.frames():
                if frame.width != self.size[1]:
                    frame = frame.resize((self.size[1], frame.height), Image.Resampling.LANCZOS)
                last = (frame, at * tick)
                yield last
        except UserError as error:
            raise Unreadable(_inside(str(error))) from error
        if last is not None:
            yield last[0], last[1] + step


class Frames:
    """A folder of numbered pictures, which says nothing of times."""

    rate, loops = None, False

    def __init__(self, opened: Sequence[Callable[[], Image.Image]]) -> None:
        self.opened = opened
        with _picture(opened[0]) as first:
            self.size, self.channels = (first.height, first.width), channels_of(first)

    def frames(self) -> Iterator[tuple[Image.Image, float]]:
        for place, opening in enumerate([*self.opened, self.opened[-1]]):
            with _picture(opening) as frame:
                yield frame, float(place)


class Array:
    """Frames [frames, height, width, channels] in memory."""

    def __init__(self, frames: np.ndarray, rate: float | None, loops: bool) -> None:
        self.array, self.rate, self.loops = frames, rate, loops
        self.size, self.channels = frames.shape[1:3], frames.shape[3]

    def frames(self) -> Iterator[tuple[Image.Image, float]]:
        step = 1 / self.rate if self.rate else 1.0
        for place, frame in enumerate([*self.array, self.array[-1]]):
            yield as_image(frame), place * step


def _picture(opening: Callable[[], Image.Image]) -> Image.Image:
    """The picture, decoded. Raises Unreadable for damaged ones, UserError above the limit of pixels."""
    try:
        with ExitStack() as closed_on_failure:
            frame = closed_on_failure.enter_context(opening())
            check("pixels", frame.width * frame.height, "a frame", "pixels")
            frame.load()
            closed_on_failure.pop_all()
            return frame
    except (UserError, Unreadable):
        raise
    except Exception as error:  # Pillow's decoders raise nearly everything on damaged bytes
        raise Unreadable(str(error).split("\n")[0] or type(error).__name__) from error


def _inside(sentence: str) -> str:
    """The reason in the parentheses of a sentence."""
    begin, end = sentence.find("("), sentence.rfind(")")
    return sentence[begin + 1 : end] if 0 <= begin < end else sentence
