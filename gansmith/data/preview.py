"""What shows examples: a picture, and media that play them."""

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True)
class Medium:
    """A file that plays or spells out examples: a sound, a clip, a text."""

    name: str
    """Its name with a suffix, unique within a preview: "0.wav"."""
    mime: str
    """Its type: "audio/wav", "video/mp4", "audio/midi", "text/plain"."""
    content: bytes


@dataclass(frozen=True)
class Preview:
    """Several examples as they are shown in run folders, reports and on boards."""

    picture: Image.Image
    media: tuple[Medium, ...] = ()
