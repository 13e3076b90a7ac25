"""What looks personal: e-mail addresses, phone numbers, names, account and national numbers, recognised by shapes, check digits and the
names of columns."""

import re
from collections.abc import Sequence
from itertools import islice

from gansmith.kinds.tables.checksums import checksum_of

LOOKED_AT = 500
"""Different values from which a column is recognised."""
MOST = 0.8
"""The share of them that must have a shape."""
SEVERAL = 20
"""More different values than this make a name of a column count where it says little by itself."""

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_SHAPES = {
    "e-mail addresses": (r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+",),
    "web addresses": (r"(?:(?:https?|ftp)://|www\.)\S+",),
    "device addresses": (r"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}",),
    "IP addresses": (
        rf"(?:{_OCTET}\.){{3}}{_OCTET}(?:/\d+|:\d+)?",
        r"(?=(?:.*:){4}|.*::)[0-9a-fA-F:.]{3,45}(?:%\w+)?",
    ),
    "UUIDs": (r"\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?",),
    "phone numbers": (
        r"\+\d(?=(?:\D*\d){6})[ ().\d/-]{7,20}",
        r"\(\d{3}\) ?\d{3}[-. ]\d{4}",
        r"\d{3}[-. ]\d{3}[-. ]\d{4}",
    ),
    "national numbers": (
        r"\d{3}-\d{2}-\d{4}",  # United States
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]",  # United Kingdom
        r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]",  # Italy
    ),
}
_CHECKED = {"iban": "IBANs", "luhn": "card numbers"}
_WORD = r"[^\W\d_]+(?:[.'’-][^\W\d_]*)*"
_NAME_LIKE = re.compile(rf"{_WORD},?(?: {_WORD}){{0,3}}")
_FULL_NAME = re.compile(r"(?:[A-ZÀ-Þ][^\W\d_]*(?:['’-][^\W\d_]+)*\.?,? ){1,3}[A-ZÀ-Þ][^\W\d_]+(?:['’-][^\W\d_]+)*\.?")
_PHONE_LIKE = re.compile(r"(?=(?:\D*\d){6,15}\D*$)\+?[\d ().x/-]+")
_NUMBER_LIKE = re.compile(r"(?=(?:.*\d){5})[A-Za-z0-9 ./-]{5,40}")
_NAMED = {
    "names": r"(first|last|given|family|full|middle|maiden|sur|real|customer|client|patient|employee|student|person|contact|owner|doctor"
    r"|holder|member|teacher|father|mother|spouse) ?name|surname|forename|pr[eé]nom|nom( de famille)?|apellidos?|nombres?|vorname"
    r"|nachname|cognome",
    "phone numbers": r"(tele)?phone|mobile|tel|telefon|telefono|fax|cell(phone)?|handy|msisdn|whats ?app",
    "postal addresses": r"(street|home|postal|mailing|billing|shipping|customer|residential)? ?address(es)?( line)?( \d)?|street|addr"
    r"|adresse|direcci[oó]n|stra(ss|ß)e|indirizzo|endere[cç]o",
    "national numbers": r"ssn|social security|passport|national id|nino|tax id|tin|dni|nie|nif|cpf|nir|bsn|aadhaa?r|pesel|nhs|mrn"
    r"|medical record|driver'?s? licen[cs]e|id card|personal(nummer| number)",
    "account numbers": r"(bank|customer|client)? ?(account|acct|konto)|iban|card|credit card|cc( num)?|policy|membership",
    "user names": r"user ?name|login|handle|nick ?name|screen ?name",
}
_VAGUE = re.compile(
    r"(full )?name|customer|patient|client|author|person|contact|employee|student|buyer|seller|owner|doctor|driver|user"
)
_PERSONS = (
    "customer|client|patient|user|member|employee|student|person|subject|citizen|passenger|card ?holder|driver|buyer|seller"
)
_COUNTED = re.compile(r".*\d.*")
_TAIL = r"( (number|no|nr|num|id|code|#))?( \d)?"


def recognise(column: str, levels: Sequence[object], *, nearly_unique: bool = False) -> str | None:
    """What the different values of a column look like, in the plural: "e-mail addresses". None for nothing personal.

    Shapes and check digits decide by themselves; a name of the column needs values that can be what it says.
    """
    texts = [str(level).strip() for level in islice((level for level in levels if level is not None), LOOKED_AT)]
    texts = [text for text in texts if text]
    if not texts:
        return None
    said, several = " ".join(_words(column)), len(texts) > SEVERAL or nearly_unique
    for what, shapes in _SHAPES.items():
        if "version" not in said and _share(re.compile("|".join(f"(?:{shape})" for shape in shapes)), texts) >= MOST:
            return what
    if len(texts) > 4 and (rule := checksum_of(texts)):
        return _CHECKED.get(rule, "national numbers")
    if _named("names", said) and _share(_NAME_LIKE, texts) >= MOST:
        return "names"
    if _VAGUE.fullmatch(said) and several and _share(_NAME_LIKE, texts) >= MOST and _capital(texts):
        return "names"
    if nearly_unique and _share(_FULL_NAME, texts) >= 0.9:
        return "names"
    if _named("phone numbers", said) and _share(_PHONE_LIKE, texts) >= MOST:
        return "phone numbers"
    if several and _named("postal addresses", said) and any(sign.isalpha() for text in texts for sign in text):
        return "postal addresses"
    for what in ("national numbers", "account numbers"):
        if several and _named(what, said) and _share(_NUMBER_LIKE, texts) >= MOST:
            return what
    if several and re.search(rf"(^| )({_PERSONS}) (number|no|nr|num|id|code|#)$", said) and _share(_COUNTED, texts) >= MOST:
        return "numbers of persons"
    if several and _named("user names", said):
        return "user names"
    return "account numbers" if len(texts) >= 30 and _drawn_at_random(texts) else None


def _words(column: str) -> list[str]:
    """The words of a column's name in small letters: "HomePhone_2" is home, phone, 2."""
    spaced = re.sub(r"([a-zà-þ])([A-ZÀ-Þ])", r"\1 \2", column)
    return [word for word in re.split(r"[^\w']+|_", spaced.casefold()) if word]


def _named(what: str, said: str) -> bool:
    return bool(re.search(rf"(^| )({_NAMED[what]}){_TAIL}$", said))


def _share(shape: re.Pattern[str], texts: Sequence[str]) -> float:
    return sum(bool(shape.fullmatch(text)) for text in texts) / len(texts)


def _capital(texts: Sequence[str]) -> bool:
    return sum(text[0].isupper() for text in texts) >= MOST * len(texts)


def _drawn_at_random(texts: Sequence[str]) -> bool:
    """Whether these are numbers of equally many digits, at least eight, that fill all their decade, as no quantity does."""
    if len({len(text) for text in texts}) > 1 or not all(text.isdigit() for text in texts) or len(texts[0]) < 8:
        return False
    firsts = {text[0] for text in texts}
    return min(firsts) in "012" and max(firsts) in "89" and len({text[-1] for text in texts}) == 10
