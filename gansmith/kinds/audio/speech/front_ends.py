"""What makes phonemes of sentences: one front end a language.

Everything between [[ and ]] is taken as phonemes, whatever the language: [[ HH AH0 L OW1 ]] of English, [[ h a l o ]] of others.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gansmith.errors import UserError, missing_extra
from gansmith.kinds.audio.speech import english
from gansmith.kinds.audio.speech.espeak import ipa

PAUSES = (",", ".", "!", "?")
"""A short pause, and what ends sentences; phonemes of every language."""
ENDS = {"。": ".", "！": "!", "？": "?", "，": ",", "、": ",", "；": ",", "：": ",", ";": ",", ":": ",", "…": "."}
RAW = "phonemes"
"""The language of transcripts that are phonemes already, separated by spaces."""


def phonemes(text: str, language: str) -> list[str]:
    """The phonemes of a text, which always begin and end with a pause. Raises UserError for a language that nothing here reads, for text
    without a word, and where a package is missing."""
    found: list[str] = []
    for place, part in enumerate(re.split(r"\[\[(.*?)\]\]", text, flags=re.DOTALL)):
        found += part.split() if place % 2 or language == RAW else front_end(language)(part)
    found = [",", *found]
    found = [own for at, own in enumerate(found) if own not in PAUSES or at == 0 or found[at - 1] not in PAUSES]
    if not any(own not in PAUSES for own in found):
        raise UserError(f"there is no word to say in {text[:60]!r}: give a sentence.")
    return found if found[-1] in PAUSES else [*found, "."]


def front_end(language: str) -> Callable[[str], list[str]]:
    """The function of a language, e.g. "en", "zh" or one of espeak-ng's."""
    if language == "en":
        return english.phonemes
    if language == "zh":
        return chinese
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9-]+)?", language):
        raise UserError(f"{language!r} is no language: give en, zh, another code such as de or ru, or {RAW} for phonemes.")
    return lambda text: by_espeak(text, language)


def chinese(text: str) -> list[str]:
    """Initials, and finals with their tone, of every character, by pypinyin: "ni3 hao3" is n i3 h ao3."""
    try:
        from pypinyin import Style, pinyin  # pyright: ignore[reportMissingImports], an extra
    except ImportError as error:
        raise missing_extra("pypinyin", "chinese", "reading Chinese") from error
    found: list[str] = []
    for part in _clauses(text):
        if part in PAUSES:
            found.append(part)
            continue
        part = re.sub(r"[^\u3400-\u9fff]", "", part)
        first = pinyin(part, style=Style.INITIALS, strict=False)
        last = pinyin(part, style=Style.FINALS_TONE3, strict=False, neutral_tone_with_five=True)
        found += [own for pair in zip(first, last, strict=True) for (own,) in pair if own]
    return found


def by_espeak(text: str, language: str) -> list[str]:
    """One phoneme for each letter of IPA; marks of length and stress join the letter they belong to."""
    found: list[str] = []
    for part in _clauses(text):
        if part in PAUSES:
            found.append(part)
            continue
        for letter in re.sub(r"\([a-z-]+\)|[\s_\-'\u02c8\u02cc\u0361\u200d]", "", ipa(part, language)):
            if letter in "\u02d0\u02d1\u02b2\u0303\u0329\u032f\u02b0" and found:
                found[-1] += letter
            else:
                found.append(letter)
    return found


def _clauses(text: str) -> list[str]:
    """Clauses and the pauses between them."""
    text = "".join(ENDS.get(letter, letter) for letter in text)
    parts = (part.strip() for part in re.split(r"([,.!?]+)(?=\s|$|[\u3400-\u9fff])", text))
    return [part[0] if part[0] in PAUSES else part for part in parts if part]


def sentences(text: str) -> list[str]:
    """A text in sentences, each with the sign that ends it."""
    parts = re.split(r"(?<=[.!?。！？])\s+|(?<=[。！？])|\n\s*\n", text.strip())
    return [part.strip() for part in parts if part and part.strip()]
