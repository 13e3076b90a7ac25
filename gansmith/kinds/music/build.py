"""From pieces to a data set of windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.music.codec import MusicCodec
from gansmith.kinds.music.grid import FIRST, sounding, transposed, window
from gansmith.kinds.music.options import Options, meter_of
from gansmith.kinds.music.piece import Piece, Track
from gansmith.kinds.music.spec import MusicSpec
from gansmith.kinds.music.theory import KEYS, key_of

MOST_TRACKS = 8
"""The most tracks that are learned without being named."""
SHARED = 0.5
"""Tracks that so many files have are learned."""
MINIMUM = 2
EVERYTHING = "all tracks"


def build_music(
    name: str, pieces: Sequence[Piece], options: Options, like: MusicCodec | None = None, notes: Sequence[str] = ()
) -> Dataset:
    """Windows of all pieces, a bar apart; `like` is the codec of other music, which this is to be encoded as.

    Raises UserError where no piece is as long as a window, and for tracks that no piece has.
    """
    said = list(notes)
    if options.meter:
        own = meter_of(options.meter)
        pieces = [replace(piece, meter=own) for piece in pieces]
    meter = like.meter if like is not None else Counter(piece.meter for piece in pieces).most_common(1)[0][0]
    bar = _bar(meter, options.steps)
    kept = [place for place, piece in enumerate(pieces) if _bar(piece.meter, options.steps) == bar]
    if len(kept) < len(pieces):
        said.append(
            f"{len(pieces) - len(kept):,} of {len(pieces):,} pieces are not in {meter[0]}/{meter[1]}, the most frequent meter, and are "
            "left out; --meter 4/4 would count all in one meter"
        )
    if not kept:
        raise UserError(f"no piece of {name} is in {meter[0]}/{meter[1]}, the meter of this model: choose other data.")
    names = like.names if like is not None else _names(name, [pieces[place] for place in kept], options)
    chosen = [_merged(pieces[place], names) for place in kept]
    codec = like if like is not None else _codec(chosen, names, meter, bar, options)
    arrays, groups, lost, count, short = [], [], 0, 0, 0
    for group, piece in zip(kept, chosen, strict=True):
        voices, left = codec.voices(piece)
        lost, count = lost + left, count + sum(len(track.notes) for track in piece.tracks)
        whole = -(-piece.steps // bar) * bar
        voices = np.pad(voices, ((0, 0), (0, whole - voices.shape[1])))
        short += whole < codec.steps
        sounds = sounding(voices)
        found = [window(voices, start, codec.steps, sounds) for start in range(0, whole - codec.steps + 1, bar)]
        found = [each for each in found if (each >= FIRST).any()]
        for shift in range(-options.transpose, options.transpose + 1):
            fit = [each for each in found if _fits(each, shift, codec.spec.vocabulary)]
            moved = [transposed(each.astype(np.int64), shift) for each in fit]
            arrays += moved
            groups += [group] * len(moved)
    if short:
        said.append(f"{short:,} pieces are shorter than {codec.steps // bar} bars and are left out")
    if lost:
        said.append(
            f"{lost:,} of {count:,} notes are left out: more than --voices {options.voices} sound at once, or they are too high or low"
        )
    if len(arrays) < MINIMUM:
        raise UserError(
            f"{name} has {len(arrays)} stretches of {codec.steps // bar} bars with notes: give longer pieces, more, or fewer --bars."
        )
    music = np.stack(arrays).astype(np.uint8)
    packed = {codec.spec.key: music}
    if like is None:
        counts = [np.bincount(music[:, voice].ravel(), minlength=codec.spec.vocabulary) for voice in range(music.shape[1])]
        spec = MusicSpec(**{**vars(codec.spec), "frequencies": tuple(tuple(row.tolist()) for row in counts)})
        codec = MusicCodec(**{**vars(codec), "spec": spec})
    if codec.spec.classes or (options.keys and like is None):
        keys = np.array([key_of(pitches_of(each, codec.spec.low)) for each in music])
        if like is None:
            known = np.unique(keys)
            classes = tuple(KEYS[key] for key in known)
            spec = MusicSpec(**{**vars(codec.spec), "classes": classes})
            labels = np.searchsorted(known, keys).astype(np.int64)
            codec = MusicCodec(**{**vars(codec), "spec": spec, "frequencies": tuple(np.bincount(labels).tolist())})
        else:
            labels = np.array([codec.spec.classes.index(KEYS[key]) if KEYS[key] in codec.spec.classes else -1 for key in keys])
            if (labels < 0).any():
                right = labels >= 0
                said.append(f"{int((~right).sum()):,} examples are in keys that the model does not know, and are left out")
                packed, labels = {codec.spec.key: music[right]}, labels[right]
                groups = [group for group, fine in zip(groups, right.tolist(), strict=True) if fine]
        packed["label"] = labels.astype(np.int64)
    return Dataset(
        name=name,
        codec=codec,
        arrays=packed,
        fingerprint=fingerprint(packed, described(codec)),
        groups=np.array(groups, np.int64) if len(set(groups)) > 1 else None,
        facts={"notes": tuple(said)} if said else {},
    )


def pitches_of(voices: np.ndarray, low: int) -> np.ndarray:
    """The pitch of every voice at every step where it sounds: longer notes count more."""
    found = sounding(voices.astype(np.int64))
    return found[found >= FIRST] - FIRST + low


def _bar(meter: tuple[int, int], per_beat: int) -> int:
    """Steps of a bar."""
    return max(1, meter[0] * per_beat * 4 // meter[1])


def _names(name: str, pieces: Sequence[Piece], options: Options) -> tuple[str, ...]:
    """The tracks to learn: those that were named, those that most pieces have, or all as one."""
    counts: Counter[str] = Counter()
    for piece in pieces:
        counts.update({track.name for track in piece.tracks if track.notes})
    known = listed([own for own, _ in counts.most_common(12)], 12)
    for own in options.tracks:
        if own not in counts:
            raise UserError(f'no piece of {name} has a track "{own}"{did_you_mean(own, list(counts))}: there are {known}.')
    if options.tracks:
        return options.tracks
    shared = [own for own, count in counts.most_common(MOST_TRACKS) if count >= SHARED * len(pieces)]
    order = list(dict.fromkeys(track.name for piece in pieces for track in piece.tracks))
    return tuple(sorted(shared, key=order.index)) or (EVERYTHING,)


def _merged(piece: Piece, names: Sequence[str]) -> Piece:
    """The piece with these tracks alone; several of one name, or all, as one."""
    tracks = []
    for name in names:
        own = [track for track in piece.tracks if track.name == name or (name == EVERYTHING and not track.drum)]
        notes = tuple(sorted(note for track in own for note in track.notes))
        tracks.append(Track(name, notes, own[0].program if own else 0, bool(own) and own[0].drum))
    return Piece(tuple(tracks), piece.steps, piece.tempo, piece.meter, piece.per_beat)


def _codec(pieces: Sequence[Piece], names: Sequence[str], meter: tuple[int, int], bar: int, options: Options) -> MusicCodec:
    pitches = [note.pitch for piece in pieces for track in piece.tracks for note in track.notes]
    if not pitches:
        raise UserError("the tracks that are learned have no notes: name others with --tracks.")
    low, high = max(0, min(pitches) - options.transpose), min(127, max(pitches) + options.transpose)
    every = [[piece.tracks[place] for piece in pieces] for place in range(len(names))]
    voices = tuple(min(options.voices, max(1, max(map(_together, tracks)))) for tracks in every)
    spec = MusicSpec(shape=(sum(voices), options.bars * bar), vocabulary=high - low + 1 + FIRST, low=low, voices=voices, bar=bar)
    return MusicCodec(
        spec,
        tuple(names),
        tuple(Counter(track.program for track in tracks if track.notes).most_common(1)[0][0] for tracks in every),
        tuple(any(track.drum for track in tracks) for tracks in every),
        float(np.median([piece.tempo for piece in pieces])),
        meter,
        options.steps,
    )


def _together(track: Track) -> int:
    """The most notes that sound at once."""
    events = sorted([(note.start, 1) for note in track.notes] + [(note.start + note.length, -1) for note in track.notes])
    most = now = 0
    for _, change in events:
        now += change
        most = max(most, now)
    return most


def _fits(voices: np.ndarray, shift: int, vocabulary: int) -> bool:
    """Whether all pitches stay within the range when they are transposed."""
    pitches = voices[voices >= FIRST].astype(np.int64) + shift
    return bool((pitches >= FIRST).all() and (pitches < vocabulary).all())
