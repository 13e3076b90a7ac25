"""Piano rolls: time to the right, pitch upwards, one colour a track."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from gansmith.kinds.music.piece import Piece

COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#17becf", "#7f7f7f")
COLUMNS, EDGE = 2, 6
STEP, SEMITONE = 8, 3
"""Pixels of a step and of a semitone."""


def roll(pieces: Sequence[Piece], low: int, high: int, bar: int) -> Image.Image:
    """A frame for each piece, two in a row; gray lines are bars."""
    columns = min(COLUMNS, max(1, len(pieces)))
    width = max([piece.steps for piece in pieces] or [bar]) * STEP
    height = (high - low + 1) * SEMITONE
    rows = -(-max(1, len(pieces)) // columns)
    page = Image.new("RGB", (columns * (width + EDGE) + EDGE, rows * (height + EDGE) + EDGE), "#d8d8d8")
    pen = ImageDraw.Draw(page)
    for place, piece in enumerate(pieces):
        left, top = EDGE + place % columns * (width + EDGE), EDGE + place // columns * (height + EDGE)
        pen.rectangle((left, top, left + width - 1, top + height - 1), fill="white")
        for step in range(0, width // STEP, bar):
            pen.line((left + step * STEP, top, left + step * STEP, top + height - 1), fill="#c8c8c8")
        for number, track in enumerate(piece.tracks):
            for note in track.notes:
                x, y = left + note.start * STEP, top + (high - note.pitch) * SEMITONE
                box = (x, y, x + note.length * STEP - 2, y + SEMITONE - 1)
                pen.rectangle(box, fill=COLOURS[number % len(COLOURS)])
    return page
