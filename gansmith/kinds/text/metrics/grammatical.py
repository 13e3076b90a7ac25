"""Whether texts are sentences of the grammar that made the built-in data."""

import numpy as np

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.text.grammar import is_sentence
from gansmith.kinds.text.words import texts_of
from gansmith.metrics.registry import NotApplicableError

METRICS = {"grammatical": ("higher", "share of texts that the grammar of the built-in sentences makes (quality)")}
SAYS = "quality"
BASELINE = "independent tokens"


def measure(side: Side) -> dict[str, Measured]:
    """Raises NotApplicableError for other data."""
    train = side.real.train
    if not all(map(is_sentence, texts_of(train, np.arange(min(50, len(train)))))):
        raise NotApplicableError(
            f"grammatical knows the grammar of the built-in sentences alone, and {train.name} holds other texts."
        )
    right = np.array([is_sentence(text) for text in texts_of(side.data)])
    value, low, high = jackknife(lambda kept: float(right[kept].mean()), len(right), side.real.seed, bounds=(0.0, 1.0))
    count = len(right)
    return {"grammatical": Measured(value=value, low=low, high=high, samples=count, reference_samples=0, space="grammar")}
