"""Tiny music, for tests that run over every kind of data."""

from gansmith.data.dataset import Dataset
from gansmith.kinds.music.build import build_music
from gansmith.kinds.music.options import Options
from gansmith.kinds.music.piece import Piece
from gansmith.kinds.music.tunes import tunes


def toys() -> dict[str, Dataset]:
    """Two voices of the built-in tunes with keys, and all four."""
    return {"tunes with keys": music(keys=True, tracks=("melody", "bass")), "tunes": music()}


def music(count: int = 24, **options) -> Dataset:
    """Two bars of each stretch of some built-in tunes."""
    return build_music("tunes", shortened(tunes(count)), Options(**options))


def shortened(pieces: list[Piece], steps: int = 48) -> list[Piece]:
    """The first steps of pieces; notes end with them."""
    return [Piece(piece.tracks, steps, piece.tempo, piece.meter, piece.per_beat) for piece in pieces]
