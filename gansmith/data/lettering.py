"""Letters in pictures: Pillow's own font, and for what it lacks (Chinese, Japanese, Korean, ...) one of this machine.

GANSMITH_FONT names a font file of your own, which is then tried first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

MISSING = "\N{WHITE SQUARE}"
"""Drawn for a character that no font has."""
FOLDERS = {
    "linux": ("~/.local/share/fonts", "~/.fonts", "/usr/local/share/fonts", "/usr/share/fonts"),
    "darwin": ("~/Library/Fonts", "/Library/Fonts", "/System/Library/Fonts"),
    "win32": ("~/AppData/Local/Microsoft/Windows/Fonts", "C:/Windows/Fonts"),
}
"""Where systems keep their fonts."""
BROAD = (
    *("notosanscjk", "notoserifcjk", "sourcehansans", "wqy-microhei", "wqy-zenhei", "droidsansfallback", "unifont"),
    *("pingfang", "hiragino", "applesdgothicneo", "arialunicode", "msyh", "simsun", "yugoth", "meiryo", "malgun", "dejavusans"),
)
"""What the files of fonts with many letters are called, in lower case without spaces: the first that has a text's letters draws it."""
MOST = 20_000
"""Files that are looked at in search of fonts."""


def font_for(text: str, size: float) -> Font:
    """A font of this size that has every letter of the text, as far as there is one; else the one that lacks the fewest."""
    own = frozenset(letter for letter in text if not letter.isspace())
    fewest, best = len(own) + 1, ""
    for place in ("", *found()):
        lacking = sum(not has(place, letter) for letter in own)
        if not lacking:
            return _font(place, size)
        if lacking < fewest:
            fewest, best = lacking, place
    return _font(best, size)


def drawable(text: str, size: float = 13) -> str:
    """The text with a square for each letter that its font lacks, and a space for what is no letter at all."""
    place = getattr(font_for(text, size), "path", "")
    place = place if isinstance(place, str) else ""
    return "".join(letter if letter == " " or has(place, letter) else MISSING if letter.isprintable() else " " for letter in text)


@cache
def found() -> tuple[str, ...]:
    """The fonts with many letters on this machine, the broadest first."""
    known: dict[str, str] = {}
    for path in _files():
        name = path.stem.lower().replace(" ", "").replace("_", "")
        for broad in BROAD:
            if name.startswith(broad):
                known.setdefault(broad, str(path))
    given = os.environ.get("GANSMITH_FONT")
    return (*((given,) if given and Path(given).is_file() else ()), *(known[broad] for broad in BROAD if broad in known))


def _files() -> Iterator[Path]:
    seen = 0
    for folder in FOLDERS.get(sys.platform, FOLDERS["linux"]):
        for above, below, names in os.walk(Path(folder).expanduser()):
            below.sort()
            for name in sorted(names):
                seen += 1
                if seen > MOST:
                    return
                if name.lower().endswith((".ttf", ".ttc", ".otf")):
                    yield Path(above) / name


@cache
def has(place: str, letter: str) -> bool:
    """Whether the font in this file (Pillow's own: "") draws the letter, and not the box that stands for all that it lacks."""
    return letter == " " or _drawn(place, letter) != _drawn(place, "\U0010fffe")


@cache
def _drawn(place: str, letter: str) -> bytes:
    picture = Image.new("L", (32, 32))
    ImageDraw.Draw(picture).text((0, 0), letter, fill=255, font=_font(place, 13))
    return picture.tobytes()


@cache
def _font(place: str, size: float) -> Font:
    if not place:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(place, size)
    except OSError:  # a damaged file, or no font at all
        return ImageFont.load_default(size)
