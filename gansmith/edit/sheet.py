"""Pictures in rows and columns that say what they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from PIL import Image, ImageDraw

from gansmith.data.lettering import drawable, font_for
from gansmith.kinds.images.mosaic import mosaic

LETTERS = 12
"""Height of the letters in pixels."""
WIDEST = 160
"""Names of rows and columns longer than so many pixels are cut."""
_INK, _PAPER = (60, 60, 60), (250, 250, 250)


@dataclass(frozen=True)
class Sheet:
    """Pictures in reading order, with a name above each column and before each row (empty for none), and one for all columns."""

    pictures: Sequence[Image.Image]
    rows: Sequence[str]
    columns: Sequence[str]
    corner: str = ""

    def image(self) -> Image.Image:
        """The sheet as one RGB picture, small pictures enlarged so that the names above them fit."""
        heads, names, (corner,) = (
            [_cut(drawable(name, LETTERS)) for name in every] for every in (self.columns, self.rows, [self.corner])
        )
        side = max((ceil(_length(head)) for head in heads), default=0)
        inside = mosaic(self.pictures, len(self.columns), side)
        top = 2 * LETTERS if any(heads) else 0
        left = max((ceil(_length(name)) + LETTERS for name in (*names, corner) if name), default=0)
        sheet = Image.new("RGB", (inside.width + left, inside.height + top), _PAPER)
        sheet.paste(inside, (left, top))
        draw, across, down = ImageDraw.Draw(sheet), inside.width / len(heads), inside.height / len(names)
        draw.text((left - LETTERS / 2, top / 2), corner, fill=_INK, font=font_for(corner, LETTERS), anchor="rm")
        for number, head in enumerate(heads):
            draw.text((left + (number + 0.5) * across, top / 2), head, fill=_INK, font=font_for(head, LETTERS), anchor="mm")
        for number, name in enumerate(names):
            draw.text(
                (left - LETTERS / 2, top + (number + 0.5) * down), name, fill=_INK, font=font_for(name, LETTERS), anchor="rm"
            )
        return sheet


def _length(name: str) -> float:
    return font_for(name, LETTERS).getlength(name)


def _cut(name: str) -> str:
    if _length(name) <= WIDEST:
        return name
    end = next(end for end in range(len(name), 0, -1) if _length(f"{name[:end]}..") <= WIDEST)
    return f"{name[:end]}.."
