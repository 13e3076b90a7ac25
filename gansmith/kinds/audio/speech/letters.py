"""English words that no dictionary holds, read letter by letter: rules of spelling, the first that fits being taken.

Far from a dictionary, which the extra "speech" brings: it is there so that every word is said somehow.
"""

import re
from functools import cache

SPELLED = {
    "a": "EY1", "b": "B IY1", "c": "S IY1", "d": "D IY1", "e": "IY1", "f": "EH1 F", "g": "JH IY1", "h": "EY1 CH", "i": "AY1",
    "j": "JH EY1", "k": "K EY1", "l": "EH1 L", "m": "EH1 M", "n": "EH1 N", "o": "OW1", "p": "P IY1", "q": "K Y UW1", "r": "AA1 R",
    "s": "EH1 S", "t": "T IY1", "u": "Y UW1", "v": "V IY1", "w": "D AH1 B AH0 L Y UW0", "x": "EH1 K S", "y": "W AY1", "z": "Z IY1",
}  # fmt: skip
"""The names of the letters."""

# (what stands before, letters, what stands behind, phonemes); V is a vowel letter, C a consonant letter, < and > the ends of a word
RULES = """
<|a|>|AH0  |are|>|EH1 R  |ar|V|EH1 R  |ar||AA1 R  |air||EH1 R  |ai||EY1  |ay||EY1  |augh||AO1  |au||AO1  |aw||AO1
|alk||AO1 K  |al|C|AO1 L  <|a|C>|AE1  |age|>|IH0 JH  |ate|>|EY1 T  C|able|>|AH0 B AH0 L  |al|>|AH0 L  <|an||AE1 N
|a|CeV|AE1  |a|CC|AE1  |a|C[eiy]|EY1  |a|>|AH0  w|a||AA1  |a||AE1
<|b|>|B IY1  |bb||B  m|b|>|  |b||B
|ch||CH  |ck||K  |cqu||K W  s|c|[eiy]|  |ci|[ao]|SH  |cc|[eiy]|K S  |cc||K  |c|[eiy]|S  |c||K
[td]|ed|>|AH0 D  [pkfcsxh]|ed|>|T  V?C|ed|>|D  |dg|e|JH  |dd||D  |d||D
<C*|e|>|IY1  C|e|>|  C|es|>|Z  |ear|C|ER1  |ear||IH1 R  |eer||IH1 R  |ee||IY1  |ea|d|EH1  |ea||IY1  |eigh||EY1
|ei||IY1  |eu||UW1  |ew||UW1  |ey|>|IY0  |ey||EY1  |er|>|ER0  |er|C|ER1  |ere|>|IH1 R  |e|CeC?>|IY1  |el|>|AH0 L  |en|>|AH0 N
C|ely|>|L IY0  C|eful||F AH0 L  C|ement||M AH0 N T  |e|nt>|AH0  |e|ss>|AH0  |eau||OW1  |eo||IY1 AH0  |e||EH1
|ff||F  |f||F
|gh|>|  |ght||T  |gh|V|G  i|gh||  <|gn||N  |gg||G  |ge|>|JH  |g|[eiy]|JH  |g||G
<|h|[eo]u?r>|  |h||HH
<|i|>|AY1  |igh||AY1  |ing|>|IH0 NG  |ize|>|AY1 Z  |ise|>|AY1 Z  |ive|>|IH0 V  |ire||AY1 ER0  |ir|C|ER1  |ir|>|ER1  |ied|>|AY1 D
|ies|>|IY0 Z  |ie||IY1  |ique|>|IY1 K  t|io|n|AH0  s|io|n|AH0  |ious||IY0 AH0 S  |ia||IY0 AH0  |io||IY0 OW0  |ind|>|AY1 N D
|ild|>|AY1 L D  |ine|>|AY1 N  |ign|>|AY1 N  |i|Ce>|AY1  |i|Ces?>|AY1  |i|Ced>|AY1  |i||IH1
|j||JH
<|k|n|  |kk||K  |k||K
|le|>|AH0 L  |les|>|AH0 L Z  |ll||L  |lk|>|K  |l||L
|mm||M  |m||M
|nn||N  |ng|>|NG  |n|[gk]|NG  |ng|[aou]|NG G  |n||N
|oo|k|UH1  |oor||AO1 R  |oo||UW1  |ould||UH1 D  |ough|t|AO1  |ough|>|OW1  |our|>|AW1 ER0  |ous|>|AH0 S  |ou||AW1  |ow|>|OW1
|ow|n|OW1  |ow||AW1  |oi||OY1  |oy||OY1  |oar||AO1 R  |oa||OW1  |or|>|ER0  w|or|C|ER1  |ore|>|AO1 R  |or||AO1 R  |old||OW1 L D
|o|st>|OW1  |oe|>|OW1  |o|Ce>|OW1  |o|Ces?>|OW1  |o|C[iy]|OW1  |o|>|OW0  |on|>|AH0 N  |o|ve|AH1  |o||AA1
|ph||F  <|p|[sn]|  |pp||P  |p||P
|que|>|K  |qu||K W  |q||K
<|rh||R  |rr||R  |wr||R  |r||R
|sion||ZH AH0 N  |ssion||SH AH0 N  |ssure||SH ER0  |sure||ZH ER0  |sch||S K  |sh||SH  |ss||S  V|s|e>|Z  [bdgvlmnrwy]|s|>|Z
V|s|>|Z  V|s|V|Z  |s||S
|tion||SH AH0 N  |ture||CH ER0  |tch||CH  <|th|[eiao][nrsmtuy]?>|DH  |th|er|DH  |th||TH  |tial||SH AH0 L  |tt||T  |t||T
<|un||AH1 N  |ur|C|ER1  |ur|>|ER1  |ure|>|UH1 R  |ui||UW1  |ue|>|UW1  g|u|[eiy]|  q|u||W  <|u|C[eiaou]|Y UW1  [mcbfph]|u|C[eiaou]|Y UW1
|u|Ce>|UW1  |u|C[ia]|UW1  |u|>|UW1  |u||AH1
|v||V
|who||HH UW1  |wh||W  <|wr||R  |w||W
<|x||Z  |x||K S
<|y|V|Y  C|y|>|IY0  <C+|y|>|AY1  |yy||IY1  |y|Ce|AY1  |y|C|IH1  |y||IY0
|zz||Z  |z||Z
"""
_CLASSES = {"V": "[aeiouy]", "C": "[bcdfghjklmnpqrstvwxz]", "<": "^", ">": "$"}


@cache
def _rules() -> dict[str, list[tuple[re.Pattern[str], str, re.Pattern[str], list[str]]]]:
    found: dict[str, list] = {}
    for rule in re.split(r"  +|\n", RULES):
        if not rule:
            continue
        before, letters, behind, phonemes = rule.split("|")
        left, right = ("".join(_CLASSES.get(each, each) for each in side) for side in (before, behind))
        found.setdefault(letters[0], []).append((re.compile(f"(?:{left})$"), letters, re.compile(right), phonemes.split()))
    return found


def spelled(word: str) -> list[str]:
    """The names of the letters of a word, as ARPAbet phonemes."""
    return [phoneme for letter in word.lower() if letter in SPELLED for phoneme in SPELLED[letter].split()]


def read(word: str) -> list[str]:
    """ARPAbet phonemes of a word of letters a to z; what is no letter is left out. A word without a vowel is spelled."""
    word = re.sub("[^a-z]", "", word.lower())
    if not re.search("[aeiouy]", word):
        return spelled(word)
    phonemes, place = [], 0
    while place < len(word):
        for before, letters, behind, own in _rules().get(word[place], ()):
            end = place + len(letters)
            if word.startswith(letters, place) and before.search(word[:place]) and behind.match(word[end:]):
                phonemes += own
                place = end
                break
        else:
            place += 1
    return _stressed(phonemes)


def _stressed(phonemes: list[str]) -> list[str]:
    """The first vowel that may bear the stress bears it, the others do not."""
    place = next((at for at, own in enumerate(phonemes) if own.endswith("1")), None)
    return [own[:-1] + "0" if own.endswith("1") and at != place else own for at, own in enumerate(phonemes)]
