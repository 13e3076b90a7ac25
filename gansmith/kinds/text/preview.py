"""Texts drawn as a picture, for run folders and boards."""

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw

from gansmith.data.lettering import drawable, font_for

COLUMNS, LINES = 88, 3
"""Characters in a drawn line, and the most lines of a text."""
SIZE, HEIGHT, EDGE = 13, 18, 12
"""Sizes of letters, lines and the margin, in pixels."""
WIDTH = 720
INK, PALE = "#1a1a1a", "#767676"


def page(texts: Sequence[tuple[str, str | None]]) -> Image.Image:
    """Each text from a new line on, behind its class in gray; long ones end in an ellipsis."""
    blocks = [(_lines(text), label) for text, label in texts]
    height = 2 * EDGE + HEIGHT * sum(len(lines) for lines, _ in blocks) + (HEIGHT // 3) * max(0, len(blocks) - 1)
    picture = Image.new("RGB", (WIDTH, max(height, 2 * EDGE + HEIGHT)), "white")
    pen, top = ImageDraw.Draw(picture), EDGE
    for lines, label in blocks:
        left = EDGE
        if label is not None:
            named = drawable(f"{label}  ", SIZE)
            font = font_for(named, SIZE)
            pen.text((left, top), named, fill=PALE, font=font)
            left += int(pen.textlength(named, font=font))
        for line in lines:
            shown = drawable(line, SIZE)
            pen.text((left, top), shown, fill=INK, font=font_for(shown, SIZE))
            top += HEIGHT
        top += HEIGHT // 3
    return picture


def _lines(text: str) -> list[str]:
    wrapped = [piece for line in text.splitlines() for piece in (list(_wrapped(line)) or [""])] or [""]
    return [*wrapped[: LINES - 1], f"{wrapped[LINES - 1]} …"] if len(wrapped) > LINES else wrapped


def _wrapped(line: str) -> Iterator[str]:
    """The line in pieces of COLUMNS narrow letters; letters of double width, which stand without spaces, are cut anywhere."""
    if not any(unicodedata.east_asian_width(letter) in "WF" for letter in line):
        yield from textwrap.wrap(line, COLUMNS)
        return
    piece, taken = "", 0
    for letter in line:
        wide = 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if taken + wide > COLUMNS:
            yield piece
            piece, taken = "", 0
        piece, taken = piece + letter, taken + wide
    if piece:
        yield piece
