"""What is in recordings and what is wrong with them, before anything is trained."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from gansmith.data.inspection import Inspection
from gansmith.data.readers.files import Unreadable
from gansmith.data.suggestions import listed
from gansmith.errors import UserError
from gansmith.kinds.audio.build import build_audio
from gansmith.kinds.audio.cleaning import FRAME, mono, resampled
from gansmith.kinds.audio.options import Options
from gansmith.kinds.audio.sound import Recordings

CLIPPED, RUN = 0.999, 3
"""So many neighbouring samples at the end of the range are clipped."""
OFFSET = 0.01
"""A mean above this is an offset (DC)."""
SILENCE = 1e-3
"""Root mean square below which 10 ms are silence (-60 dB)."""
OUTLIER = 4.0
"""How many times longer or shorter than the median a recording is named."""
NEAR, PRINTED = 0.995, (400, 24)
"""Correlation of two recordings' fingerprints from which they are near-duplicates; the fingerprints: rate and frames of energy."""
SHOWN = 5


def inspected(found: Recordings, options: Options, cache: Path) -> Inspection:
    """Counts, classes, rates, clipping, offset, silence, copies and lengths, and what would be made of them."""
    rates, channels, formats = Counter[str](), Counter[str](), Counter[str]()
    clipped, offset, silent, unreadable, seconds = [], [], [], [], {}
    contents: dict[bytes, list[str]] = {}
    prints: dict[str, np.ndarray] = {}
    quiet = 0.0
    for one in found.recordings:
        try:
            rate, wave = one.read()
        except Unreadable as error:
            unreadable.append((one.name, str(error)))
            continue
        whole = mono(wave)
        rates[f"{rate} Hz"] += 1
        channels[str(wave.shape[1])] += 1
        formats[PurePosixPath(one.name.split("[")[0]).suffix.lower().lstrip(".") or "array"] += 1
        seconds[one.name] = len(whole) / rate
        if has_run(np.abs(wave).max(1) >= CLIPPED):
            clipped.append(one.name)
        if abs(float(whole.mean())) > OFFSET:
            offset.append(one.name)
        energy = frame_energy(whole, rate)
        share = float((energy < SILENCE**2).mean())
        quiet += share * seconds[one.name]
        if share == 1:
            silent.append(one.name)
        contents.setdefault(np.ascontiguousarray(wave).tobytes(), []).append(one.name)
        prints[one.name] = _print(whole, rate)
    if not seconds:
        raise UserError(
            f"all {len(found.recordings)} recordings of {found.name} cannot be read ({unreadable[0][1]}): give others."
        )
    duplicates = [names for names in contents.values() if len(names) > 1]
    notes = _notes(found, seconds, quiet, clipped, offset, silent, rates, channels)
    copies = {name for names in duplicates for name in names[1:]}
    near = near_duplicates({name: own for name, own in prints.items() if name not in copies})
    if near:
        said = listed([f"{a} and {b}" for a, b in near], 3)
        notes.append(f"{len(near)} pairs of recordings are nearly the same ({said}): keep one of each, or judging flatters")
    data = build_audio(found, replace(options, skip_unreadable=True), cache)
    codec, labels = data.codec, [one.label for one in found.recordings if isinstance(one.label, str)]
    known = codec.attributes
    seen = f"{len(data):,} examples of {codec.samples / codec.spec.rate:.3g} s at {codec.spec.rate} Hz"
    return Inspection(
        name=found.name,
        kind="audio",
        unit="recordings",
        count=len(seconds),
        classes=dict(Counter(labels)),
        attributes=dict(zip(known.names, zip(known.low, known.high, strict=True), strict=True)) if known else {},
        held_out=len(data.held_out) if data.held_out else None,
        unreadable=unreadable,
        duplicates=duplicates,
        notes=[*notes, f"would be trained as {seen}", *data.facts["notes"]],
    )


def has_run(loud: np.ndarray) -> bool:
    """Whether RUN neighbours are all true."""
    count = len(loud) - RUN + 1
    return count > 0 and bool(np.logical_and.reduce([loud[shift : shift + count] for shift in range(RUN)]).any())


def frame_energy(wave: np.ndarray, rate: int) -> np.ndarray:
    """The mean square of every 10 ms."""
    size = min(max(1, round(rate * FRAME)), len(wave))
    return np.square(wave[: len(wave) // size * size].reshape(-1, size)).mean(1)


def near_duplicates(prints: dict[str, np.ndarray]) -> list[tuple[str, str]]:
    """Pairs whose fingerprints correlate by NEAR or more."""
    names = list(prints)
    if len(names) < 2:
        return []
    rows = np.stack([prints[name] for name in names])
    rows = rows - rows.mean(1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9
    found = []
    for place in range(len(rows)):
        alike = np.flatnonzero(rows[place + 1 :] @ rows[place] >= NEAR)
        found += [(names[place], names[place + 1 + int(other)]) for other in alike]
    return found


def _print(wave: np.ndarray, rate: int) -> np.ndarray:
    """Logarithmic energies of 24 frequency bands at 24 times, whatever level and length."""
    count = PRINTED[1]
    slow = resampled(wave[: 30 * rate], rate, 8000) if rate > 8000 else wave[: 30 * rate]
    parts = np.array_split(slow, count)
    rows = []
    for part in parts:
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2 if len(part) > 1 else np.zeros(2)
        rows.append([float(band.mean()) if len(band) else 0.0 for band in np.array_split(power, count)])
    found = np.log(np.array(rows) + 1e-12 + 1e-6 * np.max(rows))
    return found.ravel()


def _notes(found, seconds, quiet, clipped, offset, silent, rates, channels) -> list[str]:
    lengths = np.array(list(seconds.values()))
    total, middle = float(lengths.sum()), float(np.median(lengths))
    notes = [
        f"{_duration(total)} in all; a recording has {lengths.min():.2f} to {lengths.max():.2f} s, half of them at most {middle:.2f}",
        f"rates: {_tally(rates)}; channels: {_tally(channels)}",
    ]
    if len(rates) > 1:
        notes.append("the rates are mixed; all become one (--rate chooses)")
    if quiet > 0.05 * total:
        notes.append(f"{quiet / total:.0%} of the time is silence below -60 dB")
    for names, what in (
        (clipped, "clipped: samples stand at the end of the range; record them again at a lower level, or leave them out"),
        (offset, "offset: their mean is not 0 (DC); a high-pass filter mends that"),
        (silent, "silent throughout"),
    ):
        if names:
            notes.append(f"{len(names)} recordings are {what} ({listed(names, SHOWN)})")
    odd = [name for name, own in seconds.items() if own > OUTLIER * middle or own * OUTLIER < middle]
    if odd and len(odd) < 0.2 * len(seconds):
        notes.append(
            f"{len(odd)} recordings are more than {OUTLIER:g} times as long or short as the median ({listed(odd, SHOWN)})"
        )
    return notes


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.1f} s"
        if seconds < 120
        else f"{seconds / 60:.1f} minutes"
        if seconds < 7200
        else f"{seconds / 3600:.1f} hours"
    )


def _tally(counts: Counter[str]) -> str:
    return listed([f"{name} {count:,}" for name, count in counts.most_common()], 6)
