"""Distinct-2 (Li et al. 2016, section 5): how many different pairs of words texts have."""

import numpy as np

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.text.words import numbered, tokenised
from gansmith.metrics.registry import NotApplicableError

METRICS = {"distinct": ("higher", "different pairs of neighbouring words among all pairs (diversity); more texts have less")}
SAYS = "diversity"
BASELINE = "independent tokens"


def measure(side: Side) -> dict[str, Measured]:
    known: dict[str, int] = {}
    texts = numbered(tokenised(side.data), known)
    pairs = [text[:-1] * len(known) + text[1:] for text in texts]
    if not sum(map(len, pairs)):
        raise NotApplicableError(f"distinct counts pairs of words, and the {side.name} texts have none.")

    def share(kept: np.ndarray) -> float:
        every = np.concatenate([pairs[place] for place in kept])
        return len(np.unique(every)) / max(1, len(every))

    value, low, high = jackknife(share, len(pairs), side.real.seed, bounds=(0.0, 1.0))
    count = len(texts)
    return {"distinct": Measured(value=value, low=low, high=high, samples=count, reference_samples=0, space="2 words")}
