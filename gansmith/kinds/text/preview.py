"""Texts drawn as a picture, for run folders and boards."""

import textwrap
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFont

COLUMNS, LINES = 88, 3
"""Characters in a drawn line, and the most lines of a text."""
SIZE, HEIGHT, EDGE = 13, 18, 12
"""Sizes of letters, lines and the margin, in pixels."""
WIDTH = 720
INK, PALE = "#1a1a1a", "#767676"
MISSING = "\N{WHITE SQUARE}"
"""Drawn for a character that Pillow's font lacks; the text beside the picture has it."""


def page(texts: Sequence[tuple[str, str | None]]) -> Image.Image:
    """Each text from a new line on, behind its class in gray; long ones end in an ellipsis."""
    font = ImageFont.load_default(SIZE)
    blocks = [(_lines(text), label) for text, label in texts]
    height = 2 * EDGE + HEIGHT * sum(len(lines) for lines, _ in blocks) + (HEIGHT // 3) * max(0, len(blocks) - 1)
    picture = Image.new("RGB", (WIDTH, max(height, 2 * EDGE + HEIGHT)), "white")
    pen, top = ImageDraw.Draw(picture), EDGE
    for lines, label in blocks:
        left = EDGE
        if label is not None:
            named = _drawable(f"{label}  ")
            pen.text((left, top), named, fill=PALE, font=font)
            left += int(pen.textlength(named, font=font))
        for line in lines:
            pen.text((left, top), _drawable(line), fill=INK, font=font)
            top += HEIGHT
        top += HEIGHT // 3
    return picture


def _lines(text: str) -> list[str]:
    wrapped = [piece for line in text.splitlines() for piece in (textwrap.wrap(line, COLUMNS) or [""])] or [""]
    return [*wrapped[: LINES - 1], f"{wrapped[LINES - 1]} …"] if len(wrapped) > LINES else wrapped


def _drawable(line: str) -> str:
    return "".join(character if _has(character) else MISSING if character.isprintable() else " " for character in line)


@cache
def _has(character: str) -> bool:
    """Whether the font draws this character, and not the box that stands for all that it lacks."""
    font = ImageFont.load_default(SIZE)
    return character == " " or _drawn(font, character) != _drawn(font, "\U0010fffe")


def _drawn(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, character: str) -> bytes:
    picture = Image.new("L", (2 * SIZE, 2 * SIZE))
    ImageDraw.Draw(picture).text((0, 0), character, fill=255, font=font)
    return picture.tobytes()
