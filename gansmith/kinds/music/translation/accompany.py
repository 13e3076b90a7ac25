"""The other tracks to given ones, bar by bar, and more bars behind the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.music.codec import MusicCodec
from gansmith.kinds.music.grid import HOLD, window
from gansmith.kinds.music.piece import Piece, Track

if TYPE_CHECKING:
    from gansmith.model import Model


def accompanied(
    model: Model,
    piece: Piece,
    *,
    keep: Sequence[str] | None = None,
    bars: int | None = None,
    rewrite: str | None = None,
    seed: int = 0,
) -> tuple[Piece, tuple[str, ...]]:
    """(the whole piece, the names of the tracks that were kept).

    A window moves over the piece a bar at a time: in it the kept tracks are given, and all tracks of the bars that are made already. Kept
    tracks stay exactly as they are on the grid, but for what `rewrite` names: bars ("5-6") or bars of tracks ("tenor:5-6,bass:8"); a note
    that reaches out of them begins anew where they end. Raises UserError for another meter, for tracks and bars that the model or the file
    lacks, and for a GAN that takes nothing.
    """
    codec = model.codec
    assert isinstance(codec, MusicCodec)
    if not hasattr(model.gan.config, "given"):
        raise UserError(f"{model.card.get('gan', 'this GAN')} makes music from nothing alone: train musicgame to accompany.")
    bar = codec.spec.bar
    if piece.meter[0] * 4 * codec.meter[1] != codec.meter[0] * 4 * piece.meter[1]:
        raise UserError(
            f"the file is in {piece.meter[0]}/{piece.meter[1]}, and the model knows {codec.meter[0]}/{codec.meter[1]}: give other music."
        )
    kept, piece = _kept(codec, piece, keep)
    steps = bar * (bars or -(-piece.steps // bar))
    if steps < piece.steps:
        piece = replace(piece, steps=steps)
    if steps < codec.steps:
        raise UserError(
            f"the model makes {codec.steps // bar} bars at once, and the result would have {steps // bar}: give --bars."
        )
    given, _ = codec.voices(piece)
    voices = np.zeros((given.shape[0], steps), np.int64)
    voices[:, : given.shape[1]] = given
    known = np.zeros(voices.shape, np.float32)
    known[_rows(codec, kept), : piece.steps] = 1
    fixed = voices.copy()
    again = _bars_of(codec, rewrite, -(-piece.steps // bar)) if rewrite else np.zeros(known.shape, bool)
    known[:, : again.shape[1]][again[:, : known.shape[1]]] = 0
    condition = codec.conditions(1, torch.Generator().manual_seed(seed))
    for start in range(0, steps - codec.steps + 1, bar):
        end = start + codec.steps
        cells = torch.from_numpy(window(voices, start, codec.steps))[None]
        mask = torch.from_numpy(known[:, start:end].copy())[None]
        rng = torch.Generator().manual_seed(seed * 100_003 + start)
        with torch.inference_mode():
            made = model.gan.generate(1, {**condition, "given": cells, "mask": mask}, rng=rng)[codec.spec.key][0].cpu().numpy()
        free = known[:, start:end] == 0
        cut = (cells[0].numpy() == HOLD) & (made != HOLD)  # what sounded on now begins
        voices[:, start:end][free | cut] = made[free | cut]
        known[:, start : start + bar] = 1
        known[:, start : end - bar] = 1  # what follows sees all bars but the last
    rows = _rows(codec, kept)
    if not rewrite:
        voices[rows, : piece.steps] = fixed[rows, : piece.steps]
    return replace(codec.piece(voices), tempo=piece.tempo, meter=piece.meter), kept


def _kept(codec: MusicCodec, piece: Piece, keep: Sequence[str] | None) -> tuple[tuple[str, ...], Piece]:
    """The model's tracks that the file gives, and the file with these names: a file's only track may bear any name."""
    present = [track for track in piece.tracks if track.notes]
    if keep is not None:
        for name in keep:
            if name not in codec.names:
                raise UserError(
                    f'this model has no track "{name}"{did_you_mean(name, codec.names)}: it has {listed(codec.names, 12)}.'
                )
        if len(keep) == 1 and len(present) == 1:
            return tuple(keep), replace(piece, tracks=(replace(present[0], name=keep[0]),))
    found = tuple(name for name in codec.names if any(track.name == name for track in present) and (keep is None or name in keep))
    if not found or (keep is not None and len(found) < len(keep)):
        theirs = listed([track.name for track in present], 12)
        raise UserError(
            f"the file has the tracks {theirs}, and the model {listed(codec.names, 12)}: say with --keep which of the model's tracks the "
            "file gives, or rename them."
        )
    tracks: tuple[Track, ...] = tuple(track for track in present if track.name in found)
    return found, replace(piece, tracks=tracks)


def _bars_of(codec: MusicCodec, spelled: str, bars: int) -> np.ndarray:
    """bool [voices, steps]: the cells of "5-6" or "tenor:5-6,bass:8", bars counted from 1. Raises UserError for others."""
    found = np.zeros((codec.spec.shape[0], bars * codec.spec.bar), bool)
    for part in spelled.split(","):
        track, _, places = part.strip().rpartition(":")
        first, _, last = places.partition("-")
        if track and track not in codec.names:
            raise UserError(
                f'--rewrite names the track "{track}"{did_you_mean(track, codec.names)}: the model has {listed(codec.names, 12)}.'
            )
        low, high = (int(each) if each.strip().isdecimal() else 0 for each in (first, last or first))
        if not 1 <= low <= high <= bars:
            raise UserError(f"--rewrite takes bars from 1 to {bars}, as in 3-4 or tenor:3-4, but {part.strip()!r} came.")
        rows = _rows(codec, [track]) if track else list(range(len(found)))
        found[np.ix_(rows, range((low - 1) * codec.spec.bar, high * codec.spec.bar))] = True
    return found


def _rows(codec: MusicCodec, names: Sequence[str]) -> list[int]:
    """The voices of these tracks."""
    first = np.cumsum([0, *codec.spec.voices])
    return [voice for place, name in enumerate(codec.names) if name in names for voice in range(first[place], first[place + 1])]
