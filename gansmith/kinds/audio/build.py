"""From recordings to a data set: cleaned once and kept on disk, windows gathered when they are asked for."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.attributes import Attributes
from gansmith.data.cache import Writer, store, stored
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.data.readers.files import Unreadable
from gansmith.data.suggestions import listed
from gansmith.data.windowed import PerPiece, Starts, Windows
from gansmith.errors import UserError
from gansmith.kinds.audio.cleaning import as_int16, levelled, mono, resampled, sounding
from gansmith.kinds.audio.codec import AudioCodec
from gansmith.kinds.audio.degradations import ADDED, MEL, degraded, parsed
from gansmith.kinds.audio.options import Options
from gansmith.kinds.audio.pairs import AudioPairs, MelCodec, Spectra
from gansmith.kinds.audio.sound import Recording, Recordings, speakers_of
from gansmith.kinds.audio.spec import AudioSpec, pitch_of
from gansmith.kinds.audio.speech.build import LONGEST, codec_of, frames_of, packed, spoken
from gansmith.kinds.audio.speech.times import frames_until
from gansmith.kinds.audio.transforms import Mel, hertz_to_mel
from gansmith.kinds.audio.voices import VoiceCodec, as_voices, named_by_speaker
from gansmith.kinds.images.readers.collection import natural

USUAL_RATE = 16_000
SHORT, WINDOW = 2.05, 1.0
"""Seconds up to which the longest recordings may last to be examples as a whole, and of a window of longer ones."""
COVERED = 0.98
"""The share of short recordings that the usual length holds."""
HOPS = 8
"""Examples are a multiple of so many hops long, so that networks can halve their spectra."""
PEEKED = 20
"""Recordings whose rates decide about the usual one."""
VERSION = "2"
"""Raised when cleaning changes."""


class Clips(Windows):
    """Windows [N, length] of recordings that lie one after another; what lies beyond the end of a recording is silence."""

    def __init__(self, source: np.ndarray, starts: Starts, ends: np.ndarray, made: Any = None) -> None:
        self.ends = ends
        super().__init__(source, starts, made)

    def rows(self, positions: np.ndarray) -> np.ndarray:
        steps = self.starts.at(positions)[:, None] + np.arange(self.starts.length)
        ends = self.ends[self.starts.pieces_of(positions)][:, None]
        found = np.asarray(self.source).take(np.minimum(steps, ends - 1), axis=0)
        return self._made(np.where(steps < ends, found, found.dtype.type(0)))


@dataclass(frozen=True)
class Cleaned:
    """Recordings of one rate and channel, one after another."""

    samples: np.ndarray
    """int16 [total]."""
    facts: dict[str, Any]
    """rate, lengths [kept], kept (their places), rates, channels, cut (seconds of silence), silent, unreadable."""


def build_audio(found: Recordings, options: Options, cache: Path, like: Any = None) -> Dataset:
    """Recordings as a data set; `like` is the codec of others, which these are to be encoded as."""
    if isinstance(like, VoiceCodec) or (like is None and options.convert):
        return build_voices(found, options, cache, like)
    if like is not None and like.spec.source is not None and like.spec.source.key == "phonemes":
        return build_speech(found, options, cache, like)
    if like is None and options.transcripts:
        return build_speech(found, options, cache)
    if isinstance(like, AudioPairs) or found.given is not None or (like is None and options.degrade):
        return build_pairs(found, options, cache, like)
    return _alone(found, options, cache, like, cleaned(found, options, cache, like))


def build_pairs(
    found: Recordings, options: Options, cache: Path, like: AudioPairs | None = None, *, held_out: bool = False
) -> Dataset:
    """Pairs of an input and its clean recording: the source's own partners, or copies damaged by `--degrade`.

    What the source holds out (`held_out`) hears the noises that `--noises` holds out, if it does.
    """
    words = parsed(options.degrade) if options.degrade else []
    plain = replace(options, labels=False)
    if found.given is not None:  # cut at the same places, so that partners stay together
        plain = replace(plain, trim=False, level="none")
    found = replace(found, attributes=(), recordings=[replace(one, label=None) for one in found.recordings])
    clean = cleaned(found, plain, cache, like.b if like else None)
    data = _alone(replace(found, held_out=None, given=None), plain, cache, like.b if like else None, clean)
    wave: Clips = data.arrays["wave"]  # pyright: ignore[reportAssignmentType]
    own: AudioSpec = data.codec.spec  # pyright: ignore[reportAssignmentType]
    if like is not None:
        codec = like
    elif words == [(MEL, 0.0)]:
        shape = (own.bands, own.shape[0] // own.hop)
        codec = AudioPairs.of(MelCodec(replace(own, key="mel", shape=shape, axes=("band", "frame"))), data.codec, True)
    else:
        added = found.given is None and bool(words) and all(name in ADDED for name, _ in words)
        codec = AudioPairs.of(AudioCodec(replace(own, added=added)), data.codec, True)
    if isinstance(codec.a, MelCodec):
        a: Any = Clips(clean.samples, wave.starts, wave.ends, Spectra(codec.a.spec))
    else:
        paired = found.given is not None
        given = _partners(found, plain, cache, clean) if paired else _suffered(found, options, cache, clean, held_out)
        a = Clips(given, wave.starts, wave.ends)
    arrays = {"a": a, "b": wave}
    facts = dict(data.facts) | ({"degrade": options.degrade} if options.degrade else {})
    return replace(
        data,
        codec=codec,
        arrays=arrays,
        fingerprint=fingerprint(arrays, described(codec)),
        held_out=build_pairs(found.held_out, options, cache, codec, held_out=True) if found.held_out else None,
        facts=facts,
    )


def build_voices(found: Recordings, options: Options, cache: Path, like: VoiceCodec | None = None) -> Dataset:
    """Windows of recordings by who speaks, whose voices are made of each other."""
    if not options.labels:
        raise UserError("--convert takes sub-folders or a column speaker for voices: leave out --no-labels.")
    named = named_by_speaker(found)
    data = as_voices(_alone(named, options, cache, like, cleaned(named, options, cache, like)), like)
    held_out = build_voices(found.held_out, options, cache, data.codec) if found.held_out else None
    return replace(data, held_out=held_out)


def build_speech(found: Recordings, options: Options, cache: Path, like: AudioPairs | None = None) -> Dataset:
    """Pairs of what is said and the recordings that say it, each as a whole."""
    language = like.a.spec.language if like else str(options.transcripts)
    said = spoken(found, language)
    plain = replace(options, labels=False, trim=options.trim and not any(said.ends))
    own = replace(
        found,
        recordings=[replace(one, label=None) for one in said.recordings],
        key=f"{found.key} said" if found.key else None,
        attributes=(),
        held_out=None,
    )
    clean = cleaned(own, plain, cache, like.b if like else None)
    rate, lengths = clean.facts["rate"], np.array(clean.facts["lengths"], np.int64)
    most = like.b.samples if like else round((options.seconds or LONGEST) * rate)
    places = np.flatnonzero(lengths <= most)
    if not len(places):
        raise UserError(
            f"all recordings of {found.name} are longer than {most / rate:g} s: cut them at pauses, or give --seconds."
        )
    first, unit = np.cumsum([0, *lengths[:-1]], dtype=np.int64), HOPS * Mel.usual(rate).hop
    samples = like.b.samples if like else int(-(-lengths[places].max() // unit) * unit)
    kept: list[int] = [clean.facts["kept"][place] for place in places]
    phonemes, names = [said.phonemes[place] for place in kept], [own.recordings[place].name for place in kept]
    who = speakers_of(said.recordings[place] for place in kept)
    codec = like
    if codec is None:
        sound = _codec(own, [None] * len(lengths), np.ones(len(lengths)), samples, rate)
        several = tuple(sorted(set(who), key=natural)) if len(set(who)) > 1 and "" not in who else ()
        codec = AudioPairs.of(codec_of(phonemes, language, sound.spec, several), sound, True)
    waves = [clean.samples[first[place] : first[place] + lengths[place]] for place in places]
    ends = [said.ends[place] for place in kept]
    if all(ends):
        hop = codec.a.spec.hop
        frames = [frames_until(until, len(wave), rate, hop) for until, wave in zip(ends, waves, strict=True)]
    else:
        given = own.key and f"{own.key} {plain.trim} {options.silence} {most}"
        frames = frames_of(waves, phonemes, codec.a, cache, found.name, given)
    rows = packed(phonemes, frames, codec.a, names.__getitem__, who if codec.a.spec.speakers else [None] * len(names))
    starts = Starts(first[places], np.ones(len(places), np.int64), np.arange(len(places)), samples, samples)
    arrays: dict[str, Any] = {"a": rows["phonemes"], "a.frames": rows["frames"]}
    arrays |= {"a.speaker": rows["speaker"]} if "speaker" in rows else {}
    arrays["b"] = Clips(clean.samples, starts, (first + lengths)[places])
    notes = (
        *found.notes,
        *said.notes,
        f"{len(places):,} sentences, {lengths[places].sum() / rate / 60:.1f} minutes, are learned from",
    )
    if len(places) < len(lengths):
        notes = (*notes, f"{len(lengths) - len(places)} recordings are longer than {most / rate:g} s and left out (--seconds)")
    return Dataset(
        name=found.name,
        codec=codec,
        arrays=arrays,
        fingerprint=fingerprint(arrays, described(codec)),
        held_out=build_speech(found.held_out, options, cache, codec) if found.held_out else None,
        facts={
            "notes": notes,
            "unreadable": clean.facts["unreadable"],
            "texts": tuple(own.recordings[place].text or "" for place in kept),
        },
    )


def _partners(found: Recordings, options: Options, cache: Path, clean: Cleaned) -> np.ndarray:
    """The given side of recordings, each cut or followed by silence to the length of its partner."""
    rate = clean.facts["rate"]
    parts = []
    assert found.given is not None
    for place, length in zip(clean.facts["kept"], clean.facts["lengths"], strict=True):
        own, wave = _read(found.given[place], found.name)
        wave = levelled(resampled(mono(wave), own, rate), rate, "none")[:length]
        parts.append(as_int16(np.pad(wave, (0, length - len(wave)))))
    return np.concatenate(parts)


def _read(one: Recording, name: str) -> tuple[int, np.ndarray]:
    try:
        return one.read()
    except Unreadable as error:
        raise UserError(f"{one.name} of {name} cannot be read ({error}): remove it.") from error


def _suffered(found: Recordings, options: Options, cache: Path, clean: Cleaned, held_out: bool) -> np.ndarray:
    """Every recording after the degradations; one that would exceed the range is made quieter."""
    rate, edges = clean.facts["rate"], np.cumsum([0, *clean.facts["lengths"]])
    waves = [clean.samples[first:end] / np.float32(32768) for first, end in zip(edges, edges[1:], strict=False)]
    words, noises = str(options.degrade), []
    if options.noises is not None:
        from gansmith.data.source import Source
        from gansmith.kinds.audio.source import recordings_of

        own = Options(rate=rate, labels=False)
        heard = recordings_of(Source(options.noises), own)
        several = cleaned(heard.held_out if held_out and heard.held_out else heard, own, cache)
        ends = np.cumsum([0, *several.facts["lengths"]])
        noises = [several.samples[first:end] / np.float32(32768) for first, end in zip(ends, ends[1:], strict=False)]
    parts = []
    for place, wave in enumerate(waves):
        name = found.recordings[clean.facts["kept"][place]].name
        others = [waves[other] for other in range(max(0, place - 8), min(len(waves), place + 9)) if other != place]
        made = degraded(wave.astype(np.float64), rate, words, name, others, noises)
        parts.append(as_int16(made / max(1.0, float(np.abs(made).max()))))
    return np.concatenate(parts)


def _alone(found: Recordings, options: Options, cache: Path, like: AudioCodec | None, clean: Cleaned) -> Dataset:
    """Sounds by themselves."""
    facts, rate = clean.facts, clean.facts["rate"]
    kept = [found.recordings[place] for place in facts["kept"]]
    lengths = np.array(facts["lengths"], np.int64)
    samples = like.samples if like is not None else length_of(lengths, rate, options)
    stride = max(1, round((options.stride or samples / rate / 4) * rate))
    first = np.cumsum([0, *lengths[:-1]], dtype=np.int64)
    count = np.maximum((lengths - samples) // stride + 1, 1)
    if not options.seconds and like is None and not is_long(lengths, rate):
        count[:] = 1  # of the few that are longer, the beginning
    starts = Starts(first, count, np.arange(len(lengths)), samples, stride)
    labels = [one.label for one in kept]
    codec = like or _codec(found, labels, count, samples, rate)
    arrays: dict[str, Any] = {"wave": Clips(clean.samples, starts, first + lengths)}
    if codec.attributes:
        if not all(isinstance(label, tuple) and len(label) == len(codec.attributes.names) for label in labels):
            raise UserError(
                f"the sounds of {found.name} need {listed(codec.attributes.names, 10)}: give these numbers in attributes.csv."
            )
        arrays["label"] = PerPiece(np.array(labels, np.float32), starts)
    elif codec.spec.classes:
        numbers = [codec._class(None if isinstance(label, tuple) else label) for label in labels]
        arrays["label"] = PerPiece(np.array(numbers, np.int64), starts)
    groups, several = _groups(kept, options, found.name), bool((count > 1).any())
    return Dataset(
        name=found.name,
        codec=codec,
        arrays=arrays,
        fingerprint=fingerprint(arrays, described(codec)),
        groups=PerPiece(groups, starts) if several or options.split_by == "speaker" else None,
        facts={
            "notes": (*found.notes, *_notes(facts, found, options, samples, len(starts), several)),
            "unreadable": facts["unreadable"],
        },
        held_out=build_audio(found.held_out, options, cache, codec) if found.held_out else None,
    )


def is_long(lengths: np.ndarray, rate: int) -> bool:
    """Whether recordings are cut into windows."""
    return float(np.quantile(lengths, COVERED, method="lower")) > SHORT * rate


def length_of(lengths: np.ndarray, rate: int, options: Options) -> int:
    """Samples of an example: a multiple of HOPS hops."""
    unit = HOPS * Mel.usual(rate).hop
    wanted = (
        options.seconds * rate
        if options.seconds
        else (WINDOW * rate if is_long(lengths, rate) else float(np.quantile(lengths, COVERED, method="lower")))
    )
    return max(1, int(np.ceil(wanted / unit - 0.05))) * unit


def usual_bands(rate: int) -> int:
    """80 bands for 16 kHz and more; fewer below, as wide as those."""
    return min(80, round(80 * float(hertz_to_mel(rate / 2) / hertz_to_mel(8000))))


def cleaned(found: Recordings, options: Options, cache: Path, like: AudioCodec | None = None) -> Cleaned:
    """All recordings decoded, from the cache if they were before. Raises UserError if none is left."""
    rate = like.spec.rate if like is not None else options.rate or 0
    how = f"{VERSION} {rate} {options.trim} {options.silence} {options.level} {options.skip_unreadable}"
    if found.key is None:
        parts: list[np.ndarray] = []
        facts = _clean(found, options, rate, parts.append)
        return Cleaned(np.concatenate(parts), facts)
    key = hashlib.sha256(f"{found.key} {how}".encode()).hexdigest()[:32]
    if (entry := stored(cache, found.name, key)) is None:

        def fill(writer: Writer) -> dict[str, Any]:
            return _clean(found, options, rate, lambda wave: writer.append({"samples": wave}))

        entry = store(cache, found.name, key, fill)
    return Cleaned(entry.arrays["samples"], entry.facts)


def _clean(found: Recordings, options: Options, rate: int, keep: Any) -> dict[str, Any]:
    rate = rate or usual_rate(found.recordings)
    facts: dict[str, Any] = {"rate": rate, "lengths": [], "kept": [], "cut": 0.0, "whole": 0.0, "silent": [], "unreadable": []}
    rates, channels = Counter[str](), Counter[str]()
    for place, one in enumerate(found.recordings):
        try:
            own, wave = one.read()
        except Unreadable as error:
            if not options.skip_unreadable:
                raise UserError(
                    f"{one.name} of {found.name} cannot be read ({error}): remove it, or pass --skip-unreadable."
                ) from error
            facts["unreadable"].append(one.name)
            continue
        rates[str(own)] += 1
        channels[str(wave.shape[1])] += 1
        wave = resampled(mono(wave), own, rate)
        facts["whole"] += len(wave) / rate
        if options.trim:
            first, end = sounding(wave, rate, options.silence)
            facts["cut"] += (len(wave) - (end - first)) / rate
            if end == first:
                facts["silent"].append(one.name)
                continue
            wave = wave[first:end]
        keep(as_int16(levelled(wave, rate, options.level)))
        facts["lengths"].append(len(wave))
        facts["kept"].append(place)
    if not facts["kept"]:
        why = "are silent" if facts["silent"] else "cannot be read"
        raise UserError(f"all {len(found.recordings)} recordings of {found.name} {why}: give others.")
    return facts | {"rates": dict(rates), "channels": dict(channels)}


def usual_rate(recordings: Sequence[Recording]) -> int:
    """That of the data, at most 16 kHz; the highest of the first ones where they differ."""
    rates = []
    for one in recordings[:PEEKED]:
        try:
            rates.append(one.read()[0])
        except Unreadable:
            continue
    return min(USUAL_RATE, max(rates, default=USUAL_RATE))


def _codec(found: Recordings, labels: Sequence[Any], count: np.ndarray, samples: int, rate: int) -> AudioCodec:
    mel = Mel.usual(rate, usual_bands(rate))
    spec = AudioSpec(shape=(samples,), rate=rate, n_fft=mel.n_fft, hop=mel.hop, bands=mel.bands)
    if found.attributes:
        attributes = Attributes.fit(found.attributes, np.array(labels, np.float64))
        place = pitch_of(attributes.names)
        pitches = () if place is None else (attributes.low[place], attributes.high[place])
        spec = replace(spec, attributes=attributes.names, steps=attributes.steps, pitches=pitches)
        return AudioCodec(spec, (), attributes)
    known = {label for label in labels if label is not None}
    classes = tuple(own for own in found.classes or sorted(known, key=natural) if own in known)
    if not classes:
        return AudioCodec(spec)
    counts = [int(sum(int(n) for label, n in zip(labels, count, strict=True) if label == own)) for own in classes]
    return AudioCodec(replace(spec, classes=classes), tuple(counts))


def _groups(kept: Sequence[Recording], options: Options, name: str) -> np.ndarray:
    """The recording or the speaker of each."""
    if options.split_by == "recording":
        return np.arange(len(kept))
    speakers = speakers_of(kept)
    known = sorted(set(speakers))
    if len(known) < 2:
        raise UserError(
            f"--split-by speaker needs two or more speakers, which {name} does not tell apart: put them into sub-folders, or name them in "
            "a column speaker of metadata.csv."
        )
    return np.array([known.index(speaker) for speaker in speakers])


def _notes(facts: dict[str, Any], found: Recordings, options: Options, samples: int, examples: int, several: bool) -> list[str]:
    rate, cut = facts["rate"], facts["cut"]
    kept, whole = len(facts["kept"]), facts["whole"]
    notes = []
    if several:
        notes.append(f"{kept:,} recordings are cut into {examples:,} windows of {samples / rate:.3g} s")
    else:
        notes.append(f"an example is a recording, brought to {samples / rate:.3g} s")
    if others := [own for own in facts["rates"] if int(own) != rate]:
        notes.append(f"recordings of {listed(others, 5)} Hz are resampled to {rate} Hz")
    if mixed := [own for own in facts["channels"] if own != "1"]:
        notes.append(f"recordings of {listed(mixed, 3)} channels are mixed down to one")
    if cut > 0.005 * whole:
        notes.append(f"{cut:,.1f} of {whole:,.1f} s are silence at the ends and left out (--no-trim keeps it)")
    if facts["silent"]:
        notes.append(f"{len(facts['silent'])} recordings are silent and left out ({listed(facts['silent'], 3)})")
    return notes
