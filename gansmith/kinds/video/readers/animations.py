"""Animated GIF, WebP, PNG and AVIF, frame by frame through Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path

from PIL import Image

from gansmith.data.readers.files import Unreadable, check_ends
from gansmith.data.readers.limits import check, current
from gansmith.errors import UserError

SUFFIXES = (".gif", ".webp", ".apng", ".avif")
"""Files that usually are animated; a .png may be."""
LOOKED_AT = 32
"""Frames by which transparency and rate are found."""
UNSAID = 0.1
"""Seconds of a frame that does not say, as browsers take it."""


class Animation:
    """An animated picture: see `clip.Footage`."""

    def __init__(self, given: Path | bytes) -> None:
        """Raises Unreadable for what is no picture or has no second frame, and UserError above the limit of pixels."""
        self.given = given
        with self._opened() as image:
            self.count = getattr(image, "n_frames", 1)
            self.skipped = int(bool(getattr(image, "default_image", False)))
            if self.count - self.skipped < 2:
                raise Unreadable("it has one frame, where a video has several")
            width, height = image.size
            self.loops = image.info.get("loop") == 0
        check("pixels", width * height, "a frame", "pixels")
        self.size, self.channels, times = (height, width), 1, list[float]()
        for frame, time in islice(self.frames(), LOOKED_AT + 1):
            times.append(time)
            self.channels = max(self.channels, _channels(frame))
        waits = sorted(after - before for before, after in pairwise(times))
        self.rate: float | None = round(1 / waits[len(waits) // 10], 3)  # frames that are alike are often stored as one long one

    @contextmanager
    def _opened(self) -> Iterator[Image.Image]:
        try:
            if isinstance(self.given, Path):
                check_ends(self.given)
            with Image.open(io.BytesIO(self.given) if isinstance(self.given, bytes) else self.given) as image:
                yield image
        except (UserError, Unreadable):
            raise
        except Image.DecompressionBombError as error:
            raise Unreadable(f"it has more pixels than the limit of {current().pixels:,}") from error
        except Exception as error:  # Pillow's decoders raise nearly everything on damaged bytes
            raise Unreadable(str(error).split("\n")[0] or type(error).__name__) from error

    def frames(self) -> Iterator[tuple[Image.Image, float]]:
        time = 0.0
        with self._opened() as image:
            for place in range(self.skipped, self.count):
                image.seek(place)
                image.load()  # some formats tell a frame's time only then
                gray = image.mode in ("1", "L")
                frame = image.convert("RGBA" if image.has_transparency_data else "L" if gray else "RGB")
                yield frame, time
                time += float(image.info.get("duration") or 0) / 1000 or UNSAID
            yield frame, time


def _channels(frame: Image.Image) -> int:
    """The fewest that hold a frame; alpha counts where something is transparent."""
    if frame.mode != "RGBA":
        return 1 if frame.mode == "L" else 3
    return 4 if frame.getchannel("A").getextrema()[0] != 255 else 3


def is_animated(given: Path | bytes) -> bool:
    """Whether a picture has several frames; reads little more than its header, and of pipes and devices nothing."""
    try:
        if isinstance(given, Path):
            check_ends(given)
        with Image.open(io.BytesIO(given) if isinstance(given, bytes) else given) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # what is no picture is not animated
        return False
