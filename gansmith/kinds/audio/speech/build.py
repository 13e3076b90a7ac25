"""Recordings with transcripts as pairs of phonemes and waves, the times of the phonemes found by alignment."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.cache import Writer, store, stored
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.audio.sound import Recording, Recordings
from gansmith.kinds.audio.spec import AudioSpec
from gansmith.kinds.audio.speech import english
from gansmith.kinds.audio.speech.alignment import aligned, spectra_of
from gansmith.kinds.audio.speech.codec import PhonemeCodec, Said
from gansmith.kinds.audio.speech.front_ends import PAUSES, phonemes
from gansmith.kinds.audio.speech.times import phonemes_of

LONGEST = 12.0
"""Seconds of the longest sentence that is learned from where nothing else is asked for."""
VERSION = "1"
"""Raised when phonemes or alignment change."""


@dataclass(frozen=True)
class Spoken:
    """Recordings that say something, in order."""

    recordings: Sequence[Recording]
    phonemes: Sequence[Sequence[str]]
    ends: Sequence[Sequence[float]]
    """The seconds at which the phonemes of each end; empty where they are to be found."""
    notes: tuple[str, ...]


def spoken(found: Recordings, language: str) -> Spoken:
    """The recordings that have a transcript, with their phonemes. Raises UserError where none has."""
    kept = [one for one in found.recordings if one.text or one.times]
    if not kept:
        raise UserError(
            f"{found.name} has no transcripts: add metadata.csv with lines of FILE|TEXT, or a table with the columns file and text."
        )
    said, ends = [], []
    for one in kept:
        try:
            own, until = phonemes_of(one.times) if one.times else (phonemes(str(one.text), language), [])
            said.append(own)
            ends.append(until)
        except UserError as error:
            raise UserError(f"{one.name} of {found.name}: {error}") from error
    notes = []
    if len(kept) < len(found.recordings):
        without = [one.name for one in found.recordings if not one.text and not one.times]
        notes.append(f"{len(without)} recordings have no transcript and are left out ({listed(without, 3)})")
    if language == "en" and english.dictionary() is None:
        notes.append('words are read by rules of spelling, since there is no dictionary: pip install "gansmith[speech]"')
    if given := sum(map(bool, ends)):
        notes.append(f"files beside {given} recordings say when each phoneme is spoken")
    return Spoken(kept, said, ends, tuple(notes))


def codec_of(spoken: Sequence[Sequence[str]], language: str, sound: AudioSpec, speakers: tuple[str, ...] = ()) -> PhonemeCodec:
    """The codec of these sentences: of English with all its phonemes, of other languages with those that occur."""
    counts = Counter(own for each in spoken for own in each)
    all_of = english.SYMBOLS if language == "en" else ()
    symbols = (*PAUSES, *all_of, *sorted(set(counts) - set(PAUSES) - set(all_of)))
    most = max(len(each) for each in spoken)
    spec = replace(
        sound,
        key="phonemes",
        shape=(most,),
        axes=("phoneme",),
        classes=(),
        attributes=(),
        symbols=symbols,
        speakers=speakers,
        language=language,
    )
    return PhonemeCodec(spec, tuple(counts[own] for own in symbols))


def frames_of(
    waves: Sequence[np.ndarray], said: Sequence[Sequence[str]], codec: PhonemeCodec, cache: Path, name: str, key: str | None
) -> list[np.ndarray]:
    """How many frames each phoneme of every sentence lasts, from the cache if they were found before."""

    def found() -> list[np.ndarray]:
        numbers = [np.array([codec.number(own) for own in each]) for each in said]
        pauses = frozenset(codec.number(own) for own in PAUSES)
        return aligned(spectra_of(waves, codec.spec.mel, codec.spec.rate), numbers, pauses)

    if key is None:
        return found()
    text = "\n".join(" ".join(each) for each in said)
    key = hashlib.sha256(f"{VERSION} {key} {codec.spec.mel} {text}".encode()).hexdigest()[:32]
    if (entry := stored(cache, name, key)) is None:

        def fill(writer: Writer) -> dict[str, Any]:
            writer.append({"frames": np.concatenate(found()).astype(np.int16)})
            return {}

        entry = store(cache, name, key, fill)
    edges = np.cumsum([0, *map(len, said)])
    flat = np.asarray(entry.arrays["frames"])
    return [flat[first:end] for first, end in zip(edges, edges[1:], strict=False)]


def packed(
    said: Sequence[Sequence[str]],
    frames: Sequence[np.ndarray],
    codec: PhonemeCodec,
    named: Callable[[int], str],
    speakers: Sequence[str | None],
) -> dict[str, np.ndarray]:
    """All sentences as the codec packs them. Raises UserError for one that it cannot hold."""
    rows = []
    for place, (own, lasting, who) in enumerate(zip(said, frames, speakers, strict=True)):
        try:
            rows.append(codec.pack(Said(tuple(own), tuple(map(int, lasting)), who)))
        except UserError as error:
            raise UserError(f"{named(place)}: {error}") from error
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}
