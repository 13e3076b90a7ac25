"""What shows examples: a picture, and media that play them; on disk, files beside the picture that bear its name."""

import io
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image

TYPES = {
    ".flac": "audio/flac",
    ".mid": "audio/midi",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".gif": "image/gif",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".txt": "text/plain",
}
"""The media that reports and boards know how to show, by suffix; any other kind is a file to download."""
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


@dataclass(frozen=True)
class Medium:
    """A file that plays or spells out examples: a sound, a clip, a text."""

    name: str
    """Its name with a suffix, unique within a preview: "0.wav"."""
    mime: str
    """Its type: "audio/wav", "video/mp4", "audio/midi", "text/plain"."""
    content: bytes

    def __post_init__(self) -> None:
        """Raises ValueError for a name that is no plain file name, or whose suffix says another type."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f'a medium is named by letters, digits, "-", "_" and a suffix, such as "0.wav", not "{self.name}"')
        usual = TYPES.get(Path(self.name).suffix)
        if usual is not None and usual != self.mime:
            raise ValueError(f'"{self.name}" is of the type {usual} by its suffix, not {self.mime}: change one of them')


@dataclass(frozen=True)
class Preview:
    """Several examples as they are shown in run folders, reports and on boards."""

    picture: Image.Image
    media: tuple[Medium, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError where two media have the same name."""
        names = [medium.name for medium in self.media]
        if len(set(names)) < len(names):
            raise ValueError(f"the media of a preview must have different names, not {', '.join(names)}")

    @cached_property
    def png(self) -> bytes:
        """The picture as a PNG file, which is written under several names."""
        content = io.BytesIO()
        self.picture.save(content, format="PNG")
        return content.getvalue()


def media_beside(picture: Path) -> dict[str, Path]:
    """The media of the preview whose picture this is, by name, in the order of the numbers in their names: 0.wav, 2.wav, 10.wav."""
    stem = f"{picture.stem}."
    beside = (path for path in picture.parent.iterdir() if path.name.startswith(stem) and path != picture and path.is_file())
    found = {path.name.removeprefix(stem): path for path in beside}
    return dict(sorted(found.items(), key=lambda item: _in_order(item[0])))


def type_of(path: Path) -> str:
    """The type of a medium on disk, by its suffix."""
    return TYPES.get(path.suffix.lower(), "application/octet-stream")


def _in_order(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
