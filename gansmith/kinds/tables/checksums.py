"""Check digits of numbers that name a person or an account: `complete` replaces them by those that fit, so that a text that it leaves as
it is carries right ones.

Luhn (ISO/IEC 7812-1), IBAN (ISO 13616, ISO/IEC 7064 MOD 97-10), and the national rules of DNI and NIE (Spain), CPF (Brazil), NIR (France),
PESEL (Poland) and the NHS number (United Kingdom).
"""

import re
from collections.abc import Callable, Sequence

_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def complete(checksum: str, text: str) -> str:
    """The text with the check digits of this name (a key of `SHAPES`). The text must be of its shape."""
    return _RULES[checksum](text)


def is_valid(checksum: str, text: str) -> bool:
    """Whether a text has the shape and the check digits of this name."""
    return bool(SHAPES[checksum].fullmatch(text)) and complete(checksum, text) == text


def _digits(text: str) -> list[int]:
    return [int(sign) for sign in text if sign.isdigit()]


def _with_last(text: str, new: Sequence[int]) -> str:
    """The text with its last digits replaced, whatever stands between them."""
    signs, left = list(text), list(new)
    for place in range(len(signs) - 1, -1, -1):
        if left and signs[place].isdigit():
            signs[place] = str(left.pop())
    return "".join(signs)


def _luhn(text: str) -> str:
    total = sum(
        sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(reversed(_digits(text)[:-1]))
    )
    return _with_last(text, [-total % 10])


def _iban(text: str) -> str:
    bare = text.replace(" ", "")
    number = int("".join(str(int(sign, 36)) for sign in bare[4:] + bare[:2])) * 100
    return f"{text[:2]}{98 - number % 97:02d}{text[4:]}"


def _dni(text: str) -> str:
    number = int(re.sub(r"\D", "", text[:-1].translate(str.maketrans("XYZ", "012"))))
    return text[:-1] + _DNI[number % 23]


def _cpf(text: str) -> str:
    digits = _digits(text)[:9]
    for _ in range(2):
        rest = sum(digit * (len(digits) + 1 - place) for place, digit in enumerate(digits)) % 11
        digits.append(0 if rest < 2 else 11 - rest)
    return _with_last(text, digits[9:])


def _nir(text: str) -> str:
    digits = "".join(map(str, _digits(text)))
    key = 97 - int(digits[:13]) % 97
    return _with_last(text, [key // 10, key % 10])


def _pesel(text: str) -> str:
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    return _with_last(text, [-sum(a * b for a, b in zip(_digits(text), weights, strict=False)) % 10])


def _nhs(text: str) -> str:
    digits = _digits(text)[:9]
    check = (11 - sum(digit * (10 - place) for place, digit in enumerate(digits)) % 11) % 11
    return _with_last(text, [check % 10])


_RULES: dict[str, Callable[[str], str]] = {
    "iban": _iban,
    "luhn": _luhn,
    "dni": _dni,
    "cpf": _cpf,
    "nir": _nir,
    "pesel": _pesel,
    "nhs": _nhs,
}
SHAPES = {
    "iban": re.compile(r"[A-Z]{2}\d{2} ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}"),
    "luhn": re.compile(r"\d(?:[ -]?\d){11,18}"),
    "dni": re.compile(r"[XYZ\d]-?\d{7}-?[A-Z]"),
    "cpf": re.compile(r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}"),
    "nir": re.compile(r"[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}"),
    "pesel": re.compile(r"\d{11}"),
    "nhs": re.compile(r"\d{3} ?\d{3} ?\d{4}"),
}
"""The shapes of texts that carry check digits, by the names of their rules."""


def check_places(checksum: str, text: str) -> list[int]:
    """Which signs of a text of this shape are the check digits."""
    if checksum == "iban":
        return [2, 3]
    if checksum == "dni":
        return [len(text) - 1]
    count = 2 if checksum in ("cpf", "nir") else 1
    return [place for place, sign in enumerate(text) if sign.isdigit()][-count:]


def checksum_of(texts: Sequence[str]) -> str | None:
    """The rule whose check digits (nearly) all of these texts carry; None where there is no such rule."""
    for name, shape in SHAPES.items():
        fitting = [text for text in texts if shape.fullmatch(text)]
        if len(fitting) >= 0.9 * len(texts) and sum(complete(name, text) == text for text in fitting) >= 0.8 * len(texts):
            return name
    return None
