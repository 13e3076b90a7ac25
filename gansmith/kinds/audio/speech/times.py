"""When each phoneme is spoken, as files beside recordings tell: Praat's .TextGrid, and .lab of Festival, HTK and Audacity."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from gansmith.errors import UserError
from gansmith.kinds.audio.speech.front_ends import PAUSES

SUFFIXES = (".textgrid", ".lab")
Times = tuple[tuple[str, float], ...]
"""Phonemes, each with the second at which it ends."""
SILENT = frozenset({"", "pau", "sil", "sp", "spn", "silence", "_", "#", "h#", "<p>", "<sil>", "ssil"})
"""What aligners write where nothing is said."""
TIERS = ("phones", "phone", "phonemes", "phoneme", "segments", "mau")
"""Names of the tier of phonemes."""


def times_of(name: str, text: str) -> Times:
    """Raises UserError for a file that does not say when phonemes end."""
    found = _text_grid(text) if name.lower().endswith(".textgrid") else _labels(text)
    ends = [end for _, end in found]
    if not found or any(b < a for a, b in zip(ends, ends[1:], strict=False)) or ends[0] < 0:
        raise UserError(
            f"{name} does not say when phonemes end: give a .TextGrid with a tier phones, or .lab with lines of START END PHONE."
        )
    return tuple(found)


def _labels(text: str) -> list[tuple[str, float]]:
    """Festival's "0.42 125 s" after a line "#", HTK's and Audacity's "0.32 0.42 s"; HTK counts in units of 100 ns."""
    lines = [line.split() for line in text.splitlines()]
    if ["#"] in lines:
        rows = [(row[-1], row[0]) for row in lines[lines.index(["#"]) + 1 :] if len(row) >= 2]
    else:
        rows = [(row[2] if len(row) > 2 else "", row[1]) for row in lines if len(row) >= 2]
    try:
        found = [(phone, float(end)) for phone, end in rows]
    except ValueError:
        return []
    scale = 1e-7 if found and found[-1][1] > 1e5 else 1.0
    return [(phone, end * scale) for phone, end in found]


def _text_grid(text: str) -> list[tuple[str, float]]:
    """The intervals of the tier of phonemes, in Praat's long or short form."""
    words = re.findall(r'"((?:[^"]|"")*)"|(?<![\w"])(-?\d+(?:\.\d+)?)(?![\w"\]])', text)
    tokens = [(found.replace('""', '"'), None) if not number else (None, float(number)) for found, number in words]
    tiers = [place for place, (own, _) in enumerate(tokens) if own == "IntervalTier"]
    for start, end in zip(tiers, [*tiers[1:], len(tokens)], strict=True):
        name = tokens[start + 1][0] if start + 1 < end else None
        if name is None or (name.strip().lower() not in TIERS and not name.lower().endswith(("- phones", "-phones"))):
            continue
        rows = tokens[start + 5 : end]  # after the name: begin, end, count
        own = [(str(rows[place + 2][0]), rows[place + 1][1]) for place in range(0, len(rows) - 2, 3)]
        return [(phone.strip(), last) for phone, last in own if last is not None]
    return []


def phonemes_of(times: Times) -> tuple[list[str], list[float]]:
    """The phonemes, which begin and end with a pause, and the seconds at which they end; silences are pauses, neighbours one."""
    said, ends = [","], [0.0]
    for phone, end in times:
        own = "," if phone.lower() in SILENT else phone
        if own == "," and said[-1] == ",":
            ends[-1] = end
        else:
            said.append(own)
            ends.append(end)
    if said[-1] in PAUSES:
        said[-1] = "."
    else:
        said, ends = [*said, "."], [*ends, ends[-1]]
    return said, ends


def frames_until(ends: Sequence[float], samples: int, rate: int, hop: int) -> Int[np.ndarray, " phonemes"]:
    """How many frames each phoneme lasts; the last one lasts to the end of the recording."""
    total = -(-samples // hop)
    edges = np.round(np.array(ends) * rate / hop).clip(0, total).astype(np.int64)
    edges[-1] = total
    return np.diff(np.maximum.accumulate(edges), prepend=0)
