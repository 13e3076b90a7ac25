"""Which encoding a text is in that is not Unicode: by which bytes come in pairs and which letters they would be, and charset-normalizer.

charset-normalizer alone takes a few lines of GBK for Japanese, and a table with one umlaut for Urdu: it is asked about the rest.
"""

import codecs
import re

HIGH = re.compile(rb"[\x80-\xff]+")
CYRILLIC = re.compile(rb"[\xa8\xb8\xc0-\xff]")
LETTER = re.compile(rb"[A-Za-z\x80-\xff]")
_SIGNS = "€£¥¢§°±²³µ¼½¾«»‹›“”„‘’‚–—…•·©®™¿¡ªº×÷ß\u00a0\u00ad"
_HANGUL = 0xC8
"""The last first byte of a Korean syllable; Chinese has characters in daily use beyond."""
_OTHERS = {"cp932", "shift_jis", "shift_jis_2004", "euc_jp", "big5", "big5hkscs", "cp950", "cp949", "euc_kr"}
"""What charset-normalizer is trusted with."""


def old_encoding(part: bytes) -> str:
    """The likeliest encoding of the beginning of a text: gb18030, cp1251, koi8-r, cp1250, cp1252, latin-1, or another of East Asia."""
    own = _by_pairs_and_letters(part)
    if _central_european(part):
        return "cp1250"
    if own == "cp1252" and reads_as_western(part):
        return own
    from charset_normalizer import from_bytes

    best = from_bytes(part).best()
    other = best.encoding if best is not None and best.encoding in _OTHERS and _decodes(part, best.encoding) else own
    if own == "gb18030":
        korean = other in ("cp949", "euc_kr") and all(run[0] <= _HANGUL for run in HIGH.findall(part))
        return other if korean else own
    return other


def reads_as_western(part: bytes) -> bool:
    """Whether all that is not ASCII is a letter or a sign that Western texts have, and not most of it."""
    try:
        text = part.decode("cp1252")
    except UnicodeDecodeError:
        return False
    foreign = [sign for sign in text if sign > "~"]
    letters = sum(sign.isalpha() for sign in text)
    usual = all(sign.isalpha() or sign in _SIGNS for sign in foreign)
    return usual and not any(sign < " " and sign not in "\t\r\n\f\x1b" for sign in text) and len(foreign) < letters / 3


def _by_pairs_and_letters(part: bytes) -> str:
    """GB 18030 if the high bytes come in pairs, Windows-1251 or KOI8-R if most letters are Cyrillic there, else Windows-1252 or
    Latin-1."""
    runs = [len(run) for run in HIGH.findall(part)]
    if all(length % 2 == 0 for length in runs[:-1]) and sum(runs) > 2 * len(runs) and _decodes(part, "gb18030"):
        return "gb18030"
    letters = len(LETTER.findall(part))
    if len(CYRILLIC.findall(part)) > letters / 2 and _decodes(part, "cp1251"):
        return "koi8-r" if _shouts(part) else "cp1251"
    return "cp1252" if _decodes(part, "cp1252") else "latin-1"


def _shouts(part: bytes) -> bool:
    """Whether words in Windows-1251 would be capitals after their first letter: KOI8-R has the two cases the other way round."""
    inside = "".join(word[1:] for word in re.findall(r"[^\W\d_]+", part.decode("cp1251", "ignore")))
    return sum(map(str.isupper, inside)) > sum(map(str.islower, inside))


def _central_european(part: bytes) -> bool:
    """Whether Windows-1250 makes words where Windows-1252 would make none: Polish has its l with a stroke where the other has a sign,
    Czech its r and e with a caron beside s and z, Hungarian its long o beside short ones and no a with dots or a tilde."""
    if not _decodes(part, "cp1250"):
        return False
    text = part.decode("cp1252", "replace").lower()
    if re.search(r"[^\W\d_][\u00b9\u00b3\u00bf\u0178][^\W\d_]", text):
        return True
    has = set(text)
    czech = bool(has & set("\u0161\u017e")) and bool(has & set("\u00f8\u00ec"))
    return czech or ("\u00f5" in has and bool(has & set("\u00f6\u00fc")) and not has & set("\u00e4\u00e3"))


def _decodes(part: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(part)
    except UnicodeDecodeError:
        return False
    return True
