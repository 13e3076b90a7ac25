"""From pairs of films to a data set: both sides decoded, brought to one size and rate, and cut at the same places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.data.readers.files import Unreadable
from gansmith.data.windowed import PerPiece, Starts, Windows
from gansmith.errors import UserError
from gansmith.kinds.video.build import SHORTEST, USUAL, decoded
from gansmith.kinds.video.clip import Found, Videos
from gansmith.kinds.video.codec import VideoCodec
from gansmith.kinds.video.options import Options
from gansmith.kinds.video.outlines import Outlined
from gansmith.kinds.video.pairs import VideoPairs
from gansmith.kinds.video.readers.listing import FilmPairs
from gansmith.kinds.video.shapes import RATE
from gansmith.kinds.video.spec import VideoSpec

COMPARED = 8
"""Pairs whose proportions and rates are compared before all are decoded."""
APART = 0.03
"""By how much, of themselves, proportions of partners may differ."""


def build_film_pairs(found: FilmPairs, options: Options, cache: Path, like: VideoPairs | None = None) -> Dataset:
    """Pairs of films as a data set of pairs of clips; `like` is the codec of others, which these are to be encoded as.

    Both sides get the size and the rate of the side that is made, and scene cuts are those of that side. Raises UserError for partners
    of other lengths or proportions, and where no film is as long as a clip.
    """
    if options.swap:
        held_out = found.held_out
        found = FilmPairs(found.b, found.a, FilmPairs(held_out.b, held_out.a) if held_out else None)
    plain = replace(options, swap=False, labels=False)
    notes = list(found.b.notes)
    if like is None:
        notes += _check_alike(found)
    made_frames, made, b, more = decoded(found.b, plain, cache, like.b if like else None)
    height, width = b.spec.shape[2:]
    beside = replace(
        plain,
        resolution=f"{height}x{width}",
        fps=b.spec.rate,
        cuts=False,
        channels=None if options.channels is None else options.channels,
    )
    given_frames, given, a, _ = decoded(found.a, beside, cache, like.a if like else None)
    pieces = _pieces_of_both(found, given, made)
    if not pieces:
        raise UserError(f"no pair of {found.b.name} can be read on both sides: repair the films.")
    lengths = [length for _, _, _, length in pieces]
    count = (
        like.b.spec.shape[0]
        if like
        else options.frames or max(2, min(USUAL, int(np.quantile(lengths, SHORTEST, method="lower"))))
    )
    return _cut(found, given_frames, made_frames, pieces, a, b, count, options, cache, like, [*notes, *more], (given, made))


def build_outlines(drawn: Outlined, options: Options, like: VideoPairs | None = None, name: str = "outlines") -> Dataset:
    """The built-in pairs, which are in memory. Raises UserError for options that would change their frames."""
    if like is None and any(getattr(options, own) is not None for own in ("resolution", "channels", "fps")):
        raise UserError(f"{name} are made as 32x32 at {RATE:g} frames a second: leave --resolution, --channels and --fps out.")
    sides = (drawn.given, drawn.made) if not options.swap else (drawn.made, drawn.given)
    count, steps = sides[0].shape[:2]
    frames = like.b.spec.shape[0] if like else min(options.frames or USUAL, steps)
    a, b = (VideoCodec(VideoSpec(shape=(frames, *side.shape[2:]), rate=RATE)) for side in sides)
    known = Found(names=[f"{name}[{place}]" for place in range(count)], loops=[False] * count)
    pieces = [(place, place * steps, place * steps, steps) for place in range(count)]
    found = Videos(name=name, videos=(), key=None)
    given, made = (side.reshape(-1, *side.shape[2:]) for side in sides)
    return _cut(FilmPairs(found, found), given, made, pieces, a, b, frames, options, None, like, [], (known, known))


def _check_alike(found: FilmPairs) -> list[str]:
    """Notes on pairs that differ in size or rate. Raises UserError for partners of other proportions."""
    rates = set[tuple[float, float]]()
    count = len(found.a.videos)
    for place in np.unique(np.linspace(0, count - 1, min(COMPARED, count)).astype(int)):
        try:
            one, other = found.a.videos[place].open(), found.b.videos[place].open()
        except Unreadable:  # told when it is decoded
            continue
        ratios = one.size[0] / one.size[1], other.size[0] / other.size[1]
        if abs(np.log(ratios[0] / ratios[1])) > APART:
            sizes = " and ".join(f"{width}x{height}" for height, width in (one.size, other.size))
            raise UserError(
                f"{found.a.videos[place].name} of {found.a.name} has frames of {sizes} on the two sides: crop both to the same proportions."
            )
        if one.rate is not None and other.rate is not None and abs(one.rate - other.rate) > 0.01:
            rates.add((round(one.rate, 3), round(other.rate, 3)))
    return [f"partners of {one:g} and {other:g} frames a second are brought to one rate" for one, other in sorted(rates)[:1]]


def _pieces_of_both(found: FilmPairs, given: Found, made: Found) -> list[tuple[int, int, int, int]]:
    """(number among b's, first frame in a, first frame in b, frames) of every stretch without a cut that both partners have."""
    names = [{name: place for place, name in enumerate(known.names)} for known in (given, made)]
    begins = [_beginnings(known) for known in (given, made)]
    pieces = []
    for one, other in zip(found.a.videos, found.b.videos, strict=True):
        a, b = names[0].get(one.name), names[1].get(other.name)
        if a is None or b is None:
            continue
        (first_a, length_a), (first_b, length_b) = begins[0][a], begins[1][b]
        if abs(length_a - length_b) > 1:
            raise UserError(
                f"{other.name} of {found.b.name} has {length_a} frames on side a and {length_b} on side b: cut both films alike."
            )
        place = 0
        for video, length in made.pieces:
            if video == b:
                pieces.append((b, first_a + place, first_b + place, min(length, length_a - place)))
                place += length
    return pieces


def _beginnings(known: Found) -> dict[int, tuple[int, int]]:
    """(first frame, frames) of every video among the frames of all."""
    found: dict[int, tuple[int, int]] = {}
    at = 0
    for video, length in known.pieces:
        first, so_far = found.get(video, (at, 0))
        found[video] = (first, so_far + length)
        at += length
    return found


def _cut(
    found: FilmPairs,
    given_frames: np.ndarray,
    made_frames: np.ndarray,
    pieces: Sequence[tuple[int, int, int, int]],
    a: VideoCodec,
    b: VideoCodec,
    count: int,
    options: Options,
    cache: Path | None,
    like: VideoPairs | None,
    notes: list[str],
    known: tuple[Found, Found],
) -> Dataset:
    """Windows over the same stretches of both sides."""
    name = found.b.name
    numbers, first_a, first_b, lengths = (np.array(own, np.int64) for own in zip(*pieces, strict=True))
    starts = Starts.of(lengths.tolist(), count, options.stride or max(1, count // 4))
    if not len(starts):
        longest = int(lengths.max())
        raise UserError(
            f"no pair of {name} is as long as a clip of {count} frames (the longest has {longest} between cuts): pass --frames "
            f"{max(2, longest)}, or give longer ones."
        )
    codec = like or VideoPairs.of(
        *(replace(own, spec=replace(own.spec, shape=(count, *own.spec.shape[1:]))) for own in (a, b)), True
    )
    arrays: dict[str, Any] = {
        "a": Windows(given_frames, replace(starts, first=first_a)),
        "b": Windows(made_frames, replace(starts, first=first_b)),
    }
    short = int((lengths < count).sum())
    if short:
        notes.append(f"{short:,} of {len(lengths):,} stretches are shorter than a clip of {count} frames and left out")
    seconds = f"{count / codec.spec.rate:.1f} s"  # pyright: ignore[reportAttributeAccessIssue]
    notes.insert(
        0, f"{len(starts):,} pairs of clips of {count} frames ({seconds}) from {len(np.unique(numbers)):,} pairs of videos"
    )
    held_out = None
    if found.held_out is not None and cache is not None:
        held_out = build_film_pairs(found.held_out, replace(options, swap=False), cache, codec)
    unreadable = tuple(name for side in known for name, _ in side.unreadable)
    return Dataset(
        name=name,
        codec=codec,
        arrays=arrays,
        fingerprint=fingerprint(arrays, described(codec)),
        groups=PerPiece(numbers, starts),
        facts={"notes": tuple(notes), "unreadable": unreadable, "found": known[1]},
        held_out=held_out,
    )
