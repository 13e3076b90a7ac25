"""What is in texts and what is wrong with them, before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from gansmith.data.inspection import Inspection
from gansmith.data.suggestions import listed
from gansmith.kinds.text.build import build_texts
from gansmith.kinds.text.options import Options
from gansmith.kinds.text.text import Texts

SCRIPTS = {
    "Latin": ("a", "\u024f"),
    "Greek": ("\u0370", "\u03ff"),
    "Cyrillic": ("\u0400", "\u052f"),
    "Hebrew": ("\u0590", "\u05ff"),
    "Arabic": ("\u0600", "\u06ff"),
    "Devanagari": ("\u0900", "\u097f"),
    "kana": ("\u3040", "\u30ff"),
    "Chinese": ("\u3400", "\u9fff"),
    "Hangul": ("\uac00", "\ud7af"),
}
"""The first and last letter of scripts that are told apart."""
SHOWN = 10


def inspected(found: Texts, options: Options) -> Inspection:
    """Counts, classes, copies, lengths, characters, and what would be made of them."""
    data = build_texts(found, options)
    places = found.places or [f"text {place}" for place in range(len(found.texts))]
    groups: dict[str, list[str]] = {}
    for text, place in zip(found.texts, places, strict=True):
        groups.setdefault(text, []).append(place)
    held_out = found.held_out
    others = dict(zip(held_out.texts, held_out.places or held_out.texts, strict=True)) if held_out else {}
    return Inspection(
        name=found.name,
        kind="text",
        unit="texts",
        count=len(found.texts),
        classes=dict(Counter(found.labels)) if found.labels is not None else {},
        held_out=len(held_out.texts) if held_out else None,
        duplicates=[same for same in groups.values() if len(same) > 1],
        leaks=[[same[0], others[text]] for text, same in groups.items() if text in others],
        notes=[*_described(found.texts), *data.facts.get("notes", ())],
    )


def _described(texts: Sequence[str]) -> list[str]:
    """Lengths and characters in words."""
    lengths = np.array([len(text) for text in texts])
    middle, most = int(np.median(lengths)), int(lengths.max())
    characters = Counter[str]()
    for text in texts:
        characters.update(text)
    scripts = Counter[str]()
    for character, count in characters.items():
        if character.isalpha():
            scripts[_script(character)] += count
    rare = sorted(character for character, count in characters.items() if count == 1)
    odd = sorted(character for character in characters if not character.isprintable() and character not in "\n\t")
    said = [
        f"a text has {lengths.min():,} to {most:,} characters, half of them at most {middle:,}",
        f"{len(characters):,} different characters"
        + (f" (letters: {listed([name for name, _ in scripts.most_common()], 5)})" if scripts else ""),
    ]
    if rare:
        occur = "1 character occurs" if len(rare) == 1 else f"{len(rare):,} characters occur"
        said.append(f"{occur} once: {listed(list(map(repr, rare)), SHOWN)}")
    if odd:
        said.append(f"some characters cannot be seen: {listed(list(map(repr, odd)), SHOWN)}")
    return said


def _script(character: str) -> str:
    return next((name for name, (low, high) in SCRIPTS.items() if low <= character.lower() <= high), "of other scripts")
