"""A picture of the first rows of a table."""

from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw

from gansmith.data.lettering import drawable, font_for

_ROW, _PAD, _LONGEST, _WIDEST, _SIZE = 20, 8, 18, 2400, 13
_PAPER, _BAND, _INK, _FAINT = (255, 255, 255), (244, 246, 249), (40, 44, 52), (150, 155, 165)


def excerpt(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Image.Image:
    """The rows under their names, cut to cells of 18 letters and as many columns as a screen holds; missing cells are dots."""
    table = [
        [drawable(_short(name), _SIZE) for name in names],
        *([drawable(_short(cell), _SIZE) for cell in row] for row in rows),
    ]
    widths = [
        max(int(font_for(row[place], _SIZE).getlength(row[place])) for row in table) + 2 * _PAD for place in range(len(names))
    ]
    kept = 1
    while kept < len(widths) and sum(widths[: kept + 1]) <= _WIDEST:
        kept += 1
    picture = Image.new("RGB", (sum(widths[:kept]), _ROW * len(table)), _PAPER)
    draw = ImageDraw.Draw(picture)
    for line, row in enumerate(table):
        if line % 2 == 0:
            draw.rectangle((0, line * _ROW, picture.width, (line + 1) * _ROW - 1), fill=_BAND)
        left = 0
        for cell, width in zip(row[:kept], widths, strict=False):
            ink = _FAINT if line == 0 or cell == "·" else _INK
            draw.text((left + _PAD, line * _ROW + 2), cell, fill=ink, font=font_for(cell, _SIZE))
            left += width
    return picture


def _short(cell: Any) -> str:
    text = "·" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else str(cell)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
