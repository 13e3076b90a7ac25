"""The form of Chinese verse: lines of equal length, and even lines that rhyme.

A poem's lines end at commas, full stops and the like. Its form is regular if it has at least two lines, all of as many characters: five
or seven in Tang poetry. Its rhyme is the share of even lines whose last syllable has the same final, without tone, as the last line's
(of a poem of two lines, as its first); readings are today's (pypinyin), so that real poems of the Tang do not all rhyme.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.text.words import texts_of
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "verse_form": ("higher", "share of poems with lines of equal length (quality)"),
    "rhyme": ("higher", "share of even lines of poems that rhyme with the last one, as read today (quality)"),
}
SAYS = "quality"
BASELINE = "independent tokens"
ENDS = re.compile(r"[，。？！；、,.?!;\s]+")
HAN = re.compile(r"[\u3400-\u9fff]+")
SHORT = {"iu": "iou", "ui": "uei", "un": "uen"}
"""Finals that pinyin writes short."""
VERSE = 0.5
"""The share of training texts that must be regular verse."""


def lines_of(poem: str) -> list[str]:
    """The lines of a poem."""
    return [line for line in ENDS.split(poem) if line]


def is_regular(poem: str) -> bool:
    """At least two lines, all Chinese characters, as many in each."""
    lines = lines_of(poem)
    return len(lines) > 1 and all(HAN.fullmatch(line) for line in lines) and len(set(map(len, lines))) == 1


@lru_cache(20_000)
def finals(character: str) -> frozenset[str]:
    """The finals of a character's readings, without tone. Raises NotApplicableError without the package."""
    try:
        from pypinyin import Style, pinyin
    except ImportError as error:
        raise NotApplicableError('rhyme needs the package pypinyin: run pip install "gansmith[text]".') from error
    found = pinyin(character, style=Style.FINALS, heteronym=True, strict=False)
    return frozenset(_sounding(final) for final in (found[0] if found else ()) if final)


def _sounding(final: str) -> str:
    """What rhymes of a final: without the glide before the vowel (ian and an rhyme, as in the thirteen rhymes)."""
    return re.sub(r"^[iuüv](?=[aoe])", "", SHORT.get(final, final))


def rhymes(poem: str) -> float | None:
    """The share of even lines, but for the last, that rhyme with the last even one; of two lines, whether they do. None of fewer lines."""
    lines = [line for line in lines_of(poem) if HAN.search(line)]
    if len(lines) < 2:
        return None
    ends = [finals(line[-1]) for line in lines]
    even = ends[1::2]
    others = even[:-1] if len(even) > 1 else ends[:1]
    return float(np.mean([bool(own & even[-1]) for own in others]))


def measure(side: Side) -> dict[str, Measured]:
    """Raises NotApplicableError for texts that are no Chinese verse."""
    train = side.real.train
    some = texts_of(train, np.arange(min(200, len(train))))
    if np.mean(list(map(is_regular, some))) < VERSE:
        raise NotApplicableError(f"the form of verse is measured of Chinese poems, and most texts of {train.name} are none.")
    texts, seed = texts_of(side.data), side.real.seed
    found = {"verse_form": _mean([float(is_regular(text)) for text in texts], seed, "lines")}
    shares = [0.0 if (share := rhymes(text)) is None else share for text in texts]
    return found | {"rhyme": _mean(shares, seed, "pinyin")}


def _mean(values: Sequence[float], seed: int, space: str) -> Measured:
    numbers = np.array(values)
    value, low, high = jackknife(lambda kept: float(numbers[kept].mean()), len(numbers), seed, bounds=(0.0, 1.0))
    return Measured(value=value, low=low, high=high, samples=len(numbers), reference_samples=0, space=space)
