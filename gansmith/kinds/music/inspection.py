"""What is in music and what is wrong with it, before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from gansmith.data.inspection import Inspection
from gansmith.data.suggestions import listed
from gansmith.kinds.music.build import build_music, pitches_of
from gansmith.kinds.music.options import Options
from gansmith.kinds.music.piece import Piece
from gansmith.kinds.music.theory import KEYS, key_of


def inspected(name: str, pieces: Sequence[Piece], names: Sequence[str], options: Options, notes: Sequence[str]) -> Inspection:
    """Pieces, lengths, meters, tempi, tracks, keys, copies, and what would be made of them."""
    data = build_music(name, pieces, options, notes=notes)
    codec = data.codec
    same: dict[tuple, list[str]] = {}
    for piece, own in zip(pieces, names, strict=True):
        same.setdefault(tuple((track.name, track.notes) for track in piece.tracks), []).append(own)
    tempi = [piece.tempo for piece in pieces]
    meters = Counter(f"{piece.meter[0]}/{piece.meter[1]}" for piece in pieces)
    tracks = Counter(track.name for piece in pieces for track in piece.tracks if track.notes)
    rows = data.packed(slice(0, 2000))["music"]
    keys = Counter(KEYS[key_of(pitches_of(row, codec.spec.low))] for row in rows)  # pyright: ignore[reportAttributeAccessIssue]
    voices = [f"{own} ({count})" for own, count in zip(codec.names, codec.spec.voices, strict=True)]  # pyright: ignore[reportAttributeAccessIssue]
    count = sum(len(track.notes) for piece in pieces for track in piece.tracks)
    return Inspection(
        name=name,
        kind="music",
        unit="examples",
        count=len(data),
        duplicates=[group for group in same.values() if len(group) > 1],
        notes=[
            f"{len(pieces):,} piece{'s' * (len(pieces) != 1)}, {count:,} notes",
            f"meters: {listed([f'{own} {count:,}' for own, count in meters.most_common()], 6)}; "
            f"{min(tempi):.0f} to {max(tempi):.0f} beats a minute, half at most {np.median(tempi):.0f}",
            f"tracks by the number of pieces: {listed([f'{own} {count:,}' for own, count in tracks.most_common()], 10)}",
            f"learned (voices): {listed(voices, 10)}",
            f"keys of examples: {listed([f'{own} {count / len(rows):.0%}' for own, count in keys.most_common()], 6)}",
            *data.facts.get("notes", ()),
        ],
    )
