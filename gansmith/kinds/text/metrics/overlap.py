"""BLEU and Self-BLEU (Papineni et al. 2002; Zhu et al. 2018, Texygen): which runs of words texts share with others.

The mean over texts of BLEU with runs of 1 to 4 words, every reference text at once, and 0.1 for a number of matches that is 0
(Chen & Cherry 2014, smoothing 1), which is sacrebleu's "floor" and nltk's "method1". Case and signs count; nothing is normalised.
Values depend on how many texts stand on each side, which are as many for baseline, rival and ceiling.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from gansmith.data.dataset import choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.text.words import tokenised

METRICS = {
    "bleu": ("higher", "how many runs of up to 4 words of a text occur in training texts (quality)"),
    "self_bleu": ("lower", "how many of them occur in the other texts made: how alike they are (diversity)"),
}
SAYS = {"bleu": "quality", "self_bleu": "diversity"}
BASELINE = "independent tokens"
LONGEST = 4
FLOOR = 0.1
"""Stands for 0 matches."""
Words = Sequence[str]


def bleu(texts: Sequence[Words], references: Sequence[Words] | None = None) -> Float[np.ndarray, " texts"]:
    """BLEU of each text against all references, or against all the other texts."""
    own = references is None
    against = texts if references is None else references
    best: list[dict[tuple[str, ...], tuple[int, int]]] = [{} for _ in range(LONGEST)]
    for words in against:
        for size, counts in enumerate(_runs(words)):
            known = best[size]
            for run, count in counts.items():
                first, second = known.get(run, (0, 0))
                known[run] = (count, first) if count > first else (first, max(second, count))
    lengths = Counter(map(len, against))
    return np.array([_one(words, best, lengths, own) for words in texts])


def _one(words: Words, best: list[dict[tuple[str, ...], tuple[int, int]]], lengths: Counter[int], own: bool) -> float:
    """BLEU of one text; if it is one of the references (`own`), against the others."""
    if not words:
        return 0.0
    logarithms = 0.0
    for size, counts in enumerate(_runs(words)):
        matched = 0
        for run, count in counts.items():
            first, second = best[size].get(run, (0, 0))
            matched += min(count, second if own and first == count else first)
        logarithms += np.log((matched or FLOOR) / max(1, len(words) - size)) / LONGEST
    nearest = min(
        (length for length, count in lengths.items() if count > (own and length == len(words))),
        key=lambda length: (abs(length - len(words)), length),
        default=0,
    )
    return float(np.exp(logarithms + min(0.0, 1 - nearest / len(words))))


def _runs(words: Words) -> list[Counter[tuple[str, ...]]]:
    """How often each run of 1 to LONGEST words occurs."""
    return [Counter(zip(*(words[start:] for start in range(size)), strict=False)) for size in range(1, LONGEST + 1)]


def measure(side: Side) -> dict[str, Measured]:
    """Against as many training texts, and against each other."""
    train, seed = side.real.train, side.real.seed
    texts = tokenised(side.data)
    references = tokenised(train, choose(len(train), side.real.count, seed))
    found = {}
    for name, each in (("bleu", bleu(texts, references)), ("self_bleu", bleu(texts))):
        value, low, high = jackknife(lambda kept, each=each: float(each[kept].mean()), len(texts), seed, bounds=(0.0, 1.0))
        found[name] = Measured(
            value=value, low=low, high=high, samples=len(texts), reference_samples=len(references), space="4 words"
        )
    return found
