"""How identifiers and personal values look, so that new ones are made of the same form: none of those in the data is kept, and none is
made again."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha512
from typing import Any

import numpy as np

from gansmith.errors import UserError
from gansmith.kinds.tables.checksums import check_places, checksum_of, complete

ROOM = 10_000
"""New values of a form at least; those of a shape with room for fewer grow longer when it is used up."""
SHAPES = 24
"""The most shapes of a form."""
FEW, OFTEN = 4, 10
"""Up to so many signs, each of which so many texts have at least, are all that may stand at a place."""
SOME = 0.1
"""The share of the texts whose shapes have room for new ones from which the shapes of the others are left out."""
LARGE = 2**80
"""Room in which scattered texts need not be kept apart."""
WIDEST = 10_000
"""Digits of an identifier at most."""
DENSE = 100
"""Numbers of which at least one in so many is taken are counted on, the others drawn from all of their length."""
_DIGITS, _LOWER = "0123456789", "abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()
_HEX = "0123456789abcdef"
_NAME = ("bdfgklmnprstv", "aeiou", "dklmnrst", "aeio", "lnrs")
_DOMAINS = ("example.com", "example.org", "example.net", *(f"mail{number}.example" for number in range(1, 100)))
_THOUSANDS = re.compile(r"(?P<before>\D*?)(?P<body>\d{1,3}(?:[,.'\u2019 \u00a0\u202f]\d{3})*)(?P<behind>\D*)")
_INTEGER = re.compile(r"(u?)int(\d+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Texts of one length: for every place the signs that may stand there."""

    share: float
    """How often it is taken."""
    slots: tuple[str, ...]
    modulus: int = 1
    residue: int = 0
    """Read as a number in mixed radix, no text of the data leaves this residue, and every new one does."""
    checksum: str = ""
    """The rule of its check digits, see `checksums`."""

    @property
    def room(self) -> int:
        """How many new texts there are."""
        return max(0, (math.prod(map(len, self.slots)) - 1 - self.residue) // self.modulus + 1)

    def text(self, number: int) -> str:
        """The new text of this number below `room`; the numbers are scattered, and no two give the same text."""
        room = self.room
        if room >= LARGE:  # two are the same as rarely as two random ones of all
            place = int.from_bytes(sha512(str(number).encode()).digest(), "big") % room
        else:
            place = (room * 5772156649015328606 // 10**19 + number * _coprime(room * 6180339887498948482 // 10**19, room)) % room
        left = self.residue + self.modulus * place
        signs = []
        for slot in reversed(self.slots):
            left, place = divmod(left, len(slot))
            signs.append(slot[place])
        text = "".join(reversed(signs))
        return complete(self.checksum, text) if self.checksum else text

    def numbers(self, texts: Sequence[str]) -> list[int]:
        """What those of the texts that have this shape are in mixed radix."""
        shape = re.compile("".join(f"[{re.escape(slot)}]" for slot in self.slots))
        found = []
        for text in texts:
            if len(text) == len(self.slots) and shape.fullmatch(text := self._unchecked(text)):
                number = 0
                for slot, sign in zip(self.slots, text, strict=True):
                    number = number * len(slot) + slot.index(sign)
                found.append(number)
        return found

    def _unchecked(self, text: str) -> str:
        if not self.checksum:
            return text
        places = set(check_places(self.checksum, text))
        return "".join("0" if place in places else sign for place, sign in enumerate(text))

    def apart_from(self, texts: Sequence[str]) -> Shape:
        """This shape with a residue that none of these texts leaves: the smallest modulus found that has one."""
        taken = self.numbers(texts)
        if not taken:
            return self
        modulus, most = max(2, int(len(set(taken)) / max(1.0, math.log(len(taken) + 1)))), 8 * len(taken) + 8
        while modulus <= most:
            free = np.setdiff1d(np.arange(modulus), np.array([number % modulus for number in taken]))
            if len(free):
                return Shape(
                    share=self.share,
                    slots=self.slots,
                    modulus=modulus,
                    residue=int(free[len(free) // 2]),
                    checksum=self.checksum,
                )
            modulus = modulus * 5 // 4 + 1
        return Shape(share=self.share, slots=self.slots, modulus=math.prod(map(len, self.slots)) + 1, residue=most + 1)


@dataclass(frozen=True, kw_only=True)
class Form:
    """New texts by number: of shapes, or, without any, counted on from a number that lies beyond those of the data."""

    shapes: tuple[Shape, ...] = ()
    prefix: str = ""
    suffix: str = ""
    start: int = 1
    step: int = 1
    width: int = 0
    """Digits at least, zeros before them."""
    group: str = ""
    """The mark between thousands of a number that is counted on."""
    longer: Shape | None = None
    """What is made where a shape has no further one."""

    def __post_init__(self) -> None:
        """Raises UserError for a form of the texts of no data."""
        if isinstance(self.width, int) and not 0 <= self.width <= WIDEST:
            raise UserError(f"form.width must be from 0 to {WIDEST:,}, but it is {self.width:.9g}.")

    def text(self, number: int) -> str:
        """The new text of this number (from 0): another one for every number."""
        if not self.shapes:
            found = self.start + self.step * number
            counted = f"{found:,}".replace(",", self.group) if self.group else f"{found:0{self.width}d}"
            return f"{self.prefix}{counted}{self.suffix}"
        left = (number * 0.6180339887498949) % 1 * sum(shape.share for shape in self.shapes)
        for shape in self.shapes:
            left -= shape.share
            if left < 0:
                break
        if number >= shape.room and self.longer is not None:
            shape = self.longer
        again, place = divmod(number, shape.room)
        return shape.text(place) + (f"-{again}" if again else "")

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Form:
        shapes = tuple(Shape(**{**shape, "slots": tuple(shape["slots"])}) for shape in facts["shapes"])
        longer = facts.get("longer")
        longer = Shape(**{**longer, "slots": tuple(longer["slots"])}) if longer is not None else None
        return cls(**{**facts, "shapes": shapes, "longer": longer})


def form_of(what: str, column: str, texts: Sequence[str], dtype: str, min_count: int) -> Form:
    """The form of these different texts. `what` is what they were recognised as ("" for nothing), `dtype` what a data frame calls the
    type of the column: of whole numbers, new ones fit into it."""
    makers = {
        "e-mail addresses": _mails,
        "web addresses": _links,
        "IP addresses": _hosts,
        "names": _names,
        "postal addresses": _streets,
    }
    if what in makers and not _is_number(dtype):
        return _apart(makers[what](texts), texts)
    if what == "user names" or not texts:
        return _apart([_slots(*_NAME, "", _DIGITS, _DIGITS, _DIGITS)], texts) if texts else Form(prefix=f"{column}-")
    counted = _counted(texts, dtype)
    if counted is not None:
        return counted
    slots = _learned(texts, dtype, min_count)
    return _apart(slots, texts) if slots else _counted_anew(column, texts, dtype)


# ---- counting -------------------------------------------------------------------------------------------------------------------


def _counted(texts: Sequence[str], dtype: str) -> Form | None:
    """Numbers between a fixed beginning and end, if they lie dense or have different lengths; else None."""
    prefix = re.sub(r"\d+$", "", _common_beginning(texts))
    rest = [text[len(prefix) :] for text in texts]
    suffix = re.sub(r"^\d+", "", _common_beginning([text[::-1] for text in rest])[::-1]) if not _is_number(dtype) else ""
    middles = [text[: len(text) - len(suffix)] for text in rest]
    grouped = _grouped(texts, dtype)
    if grouped is not None:
        return grouped
    if not all(middle.isascii() and middle.isdigit() for middle in middles):
        if not _is_number(dtype):
            return None
        prefix, middles = "", list(texts)
    numbers = sorted(map(int, middles))
    lengths = {len(middle) for middle in middles}
    padded = any(middle[0] == "0" and len(middle) > 1 for middle in middles)
    dense = numbers[-1] - numbers[0] < DENSE * len(numbers)
    if not dense and len(lengths) == 1 and len(middles[0]) > 3 and not any(number < 0 for number in numbers):
        return None
    if not dense and padded and len(lengths) > 1:
        return None
    start, step = _first_new(numbers, dtype, negative=prefix == "-")
    return Form(prefix=prefix, suffix=suffix, start=start, step=step, width=min(lengths) if padded else 0)


def _grouped(texts: Sequence[str], dtype: str) -> Form | None:
    """Numbers with a mark between thousands and the same signs around them: #18,611."""
    matches = [_THOUSANDS.fullmatch(text) for text in texts]
    if any(match is None for match in matches) or _is_number(dtype):
        return None
    known = [match for match in matches if match is not None]
    marks = {mark for match in known for mark in match["body"] if not mark.isdigit()}
    if len({(match["before"], match["behind"]) for match in known}) > 1 or len(marks) != 1 or known[0]["before"][-1:] in marks:
        return None
    numbers = sorted(int("".join(filter(str.isdigit, match["body"]))) for match in known)
    if any(f"{number:,}" not in {match["body"].replace(*marks, ",") for match in known} for number in numbers[:1] + numbers[-1:]):
        return None
    return Form(prefix=known[0]["before"], suffix=known[0]["behind"], start=beyond(numbers[-1]), group=marks.pop())


def _common_beginning(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)  # what these two share, all between them do
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))]


def _first_new(numbers: Sequence[int], dtype: str, negative: bool) -> tuple[int, int]:
    """(first new number, step): above the numbers of the data, or where their type ends, below them or in their widest gap."""
    low, high = bounds_of(dtype, negative)
    if numbers[0] >= 0:
        low = 0
    start, step = beyond(numbers[-1]), 1
    if match := re.fullmatch(r"float(\d+)", dtype.lower()):
        step = 2 ** max(0, (2 * start).bit_length() - (53 if match[1] == "64" else 24))
        start = -(-start // step) * step
    below = -beyond(-numbers[0])
    gap = max(zip([-1 if low == 0 else numbers[0], *numbers], numbers, strict=False), key=lambda ends: ends[1] - ends[0])
    inside = next(
        found
        for unit in (10**power for power in range(18, -1, -1))
        if (found := (gap[0] // unit + 1) * unit) <= sum(gap) // 2 + 1
    )
    ways = [(start, step, (high - start) / step), (below, -1, below - low), (inside, 1, gap[1] - inside)]
    best = next((way for way in ways if way[2] >= ROOM), max(ways, key=lambda way: way[2]))
    return best[:2]


def beyond(number: int) -> int:
    """A larger number of a single digit and zeros after it; the next one, with one digit more for every six that it has."""
    unit = 10 ** max(0, len(str(abs(number))) - 1 - len(str(abs(number))) // 6)
    return (number // unit + 1) * unit


def bounds_of(dtype: str, negative: bool = False) -> tuple[float, float]:
    """The least and the largest number of a type of a data frame; the distance from 0 where it is that of negative numbers."""
    if match := _INTEGER.fullmatch(dtype):
        bits = int(match[2])
        low, high = (0, 2**bits - 1) if match[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return (0, -low) if negative else (low, high)
    return -math.inf, math.inf


def _is_number(dtype: str) -> bool:
    return bool(_INTEGER.fullmatch(dtype) or re.fullmatch(r"float\d+|double|decimal.*", dtype.lower()))


def _counted_anew(column: str, texts: Sequence[str], dtype: str) -> Form:
    """The name of the column and a number, from one that no text has."""
    if _is_number(dtype):
        return Form(start=beyond(max(map(int, texts))))
    ends = [int(match[1]) for text in texts if (match := re.fullmatch(rf"{re.escape(column)}-(\d{{1,18}})", text))]
    return Form(prefix=f"{column}-", start=beyond(max(ends)) if ends else 1)


# ---- shapes that are learned ------------------------------------------------------------------------------------------------------


def _learned(texts: Sequence[str], dtype: str, min_count: int) -> list[tuple[str, ...]]:
    """The slots of each kind of text (signs between the same marks) that `min_count` of them share, once for each of these texts."""
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault("".join("x" if sign.isalnum() else sign for sign in text), []).append(text)
    found: list[tuple[str, ...]] = []
    for group in sorted(groups.values(), key=len, reverse=True)[:SHAPES]:
        if len(group) >= max(2, min_count):
            found += [_slots_of(group, dtype)] * len(group)
    return found


def _slots_of(texts: Sequence[str], dtype: str) -> tuple[str, ...]:
    signs = [set(column) for column in zip(*texts, strict=True)]
    mixed = {sign for each in signs if len(each) > 1 and _has(each, str.isdigit) and _has(each, str.isalpha) for sign in each}
    slots = [_few(place, texts) or _class_of(each, mixed) for place, each in enumerate(signs)]
    if _is_number(dtype):
        first, high = next(i for i, sign in enumerate(texts[0]) if sign.isdigit()), bounds_of(dtype, texts[0][0] == "-")[1]
        most = int(str(high)[0]) if high < math.inf and len(str(high)) == len(slots) - first else 10
        slots[first] = "".join(digit for digit in slots[first] if (digit != "0" or len(slots) == 1) and int(digit) < most) or "1"
    return tuple(slots)


def _few(place: int, texts: Sequence[str]) -> str:
    """The signs at this place if they are few, and not all digits, and so many texts have each that there are no others; else none."""
    seen = Counter(text[place] for text in texts)
    return (
        "".join(sorted(seen)) if 1 < len(seen) <= FEW and min(seen.values()) >= OFTEN and not seen.keys() <= set(_DIGITS) else ""
    )


def _has(signs: set[str], test: Any) -> bool:
    return any(map(test, signs))


def _class_of(signs: set[str], mixed: set[str]) -> str:
    """The usual signs of which these are some; of a place with both digits and letters, those of all such places."""
    if len(signs) == 1:
        return next(iter(signs))
    if all(sign in _DIGITS for sign in signs):
        return _DIGITS
    if _has(signs, str.isdigit):
        for usual in (_HEX, _HEX.upper(), _DIGITS + _LOWER, _DIGITS + _UPPER, _DIGITS + _LOWER + _UPPER):
            if mixed <= set(usual):
                return usual
        return _DIGITS + _LOWER + _UPPER
    for usual in (_LOWER, _UPPER):
        if signs <= set(usual):
            return usual
    return _LOWER + _UPPER


# ---- shapes that are known --------------------------------------------------------------------------------------------------------


def _slots(*parts: str) -> tuple[str, ...]:
    return tuple(part for part in parts if part)


def _word(capital: bool = True, upper: bool = False) -> tuple[str, ...]:
    first, *others = _NAME
    return tuple(slot.upper() for slot in _NAME) if upper else (first.upper() if capital else first, *others)


def _mails(texts: Sequence[str]) -> list[tuple[str, ...]]:
    taken = {text.rpartition("@")[2].casefold() for text in texts}
    domain = next((each for each in _DOMAINS if each not in taken), _DOMAINS[0])
    return [(*_word(False), ".", *_word(False), _DIGITS, _DIGITS, "@", *domain)]


def _links(texts: Sequence[str]) -> list[tuple[str, ...]]:
    return [(*"https://www.", *_word(False), *".example/", *(_HEX,) * 8)]


def _hosts(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Of version 4 those that are reserved and belong to nobody (RFC 1112), of version 6 those for documents (RFC 3849)."""
    if sum(":" in text for text in texts) > len(texts) / 2 and not any("." in text for text in texts):
        return [(*"2001:db8", *(sign for _ in range(6) for sign in (":", _HEX[1:], *(_HEX,) * 3)))]
    octet = (".", "1", _DIGITS, _DIGITS)
    return [("2", "4", _DIGITS, *octet, *octet, *octet)]


def _names(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """As many words as each name has, up to three, in capitals where it is, with a comma after the first where it has one."""
    found = Counter(
        (min(3, len(text.split())), text.isupper(), text[:1].islower(), "," in text) for text in texts if text.strip()
    )
    made = []
    for (words, upper, lower, comma), count in found.most_common(6):
        slots: list[str] = []
        for place in range(words):
            slots += [*((",", " ") if comma and place == 1 else (" ",) if place else ()), *_word(not lower, upper)]
        made += [tuple(slots)] * count
    return made


def _streets(texts: Sequence[str]) -> list[tuple[str, ...]]:
    return [(_DIGITS[1:], _DIGITS, " ", *_word(), *" Street")]


def _apart(slots: Sequence[tuple[str, ...]], texts: Sequence[str]) -> Form:
    """The form of shapes that are as frequent as these slots, each with room for new texts and apart from those of the data."""
    checksum = checksum_of(texts[:1000]) or ""
    tight: list[Shape] = []
    for each, count in Counter(slots).most_common(SHAPES):
        shape = Shape(share=round(count / len(slots), 6), slots=_unchecked(each, checksum), checksum=checksum).apart_from(texts)
        while shape.room < len(texts) and not checksum and (wide := _widened(shape.slots)) is not None:
            shape = Shape(share=shape.share, slots=wide).apart_from(texts)
        tight.append(shape)
    longer = _lengthened(tight[0], texts)
    shapes = [shape for shape in tight if shape.room >= len(texts)]
    if sum(shape.share for shape in shapes) <= SOME:
        return Form(shapes=(longer,))
    return Form(shapes=tuple(shapes), longer=None if all(shape.room >= ROOM for shape in shapes) else longer)


def _lengthened(shape: Shape, texts: Sequence[str]) -> Shape:
    """A shape with more signs where the last ones vary, of a length that no text has, or itself if it has room."""
    lengths, room = {_marks(text) for text in texts}, max(ROOM, 2 * len(texts))
    if shape.room >= room:
        return shape
    while shape.room < room or _marks("".join(slot[0] for slot in shape.slots)) in lengths:
        place = max(i for i, slot in enumerate(shape.slots) if len(slot) > 1 or i == 0)
        wider = shape.slots[place] if len(shape.slots[place]) > 1 else _DIGITS
        shape = Shape(share=shape.share, slots=(*shape.slots[: place + 1], wider, *shape.slots[place + 1 :]))
    return shape


def _widened(slots: tuple[str, ...]) -> tuple[str, ...] | None:
    """These slots with one more digit that may be any, of the number of which most digits may; None where there is no such."""
    numbers, start = [], 0
    for place in range(len(slots) + 1):
        if place == len(slots) or not set(slots[place]) <= set(_DIGITS):
            if any(len(slot) > 1 for slot in slots[start:place]):
                numbers.append((start, place))
            start = place + 1
    for start, end in sorted(numbers, key=lambda ends: -sum(len(slot) > 1 for slot in slots[ends[0] : ends[1]])):
        fixed = [place for place in range(start, end) if len(slots[place]) == 1]
        if fixed:
            place = fixed[-1]
            digits = _DIGITS[1:] if place == start and slots[place] != "0" else _DIGITS
            return (*slots[:place], digits, *slots[place + 1 :])
    return None


def _unchecked(slots: tuple[str, ...], checksum: str) -> tuple[str, ...]:
    if not checksum:
        return slots
    places = set(check_places(checksum, "".join("0" if _DIGITS[0] in slot else slot[0] for slot in slots)))
    return tuple("0" if place in places else slot for place, slot in enumerate(slots))


def _marks(text: str) -> str:
    return "".join("x" if sign.isalnum() else sign for sign in text)


def _coprime(number: int, room: int) -> int:
    number = max(1, number)
    while math.gcd(number, room) > 1:
        number += 1
    return number
