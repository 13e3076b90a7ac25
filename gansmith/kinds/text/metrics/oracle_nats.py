"""NLL-oracle (Yu et al. 2017, section 5.1): what the network that speaks the built-in language needs for texts."""

import numpy as np

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.text.oracle import builtin, spoken
from gansmith.kinds.text.words import texts_of
from gansmith.metrics.registry import NotApplicableError

METRICS = {"oracle_nats": ("lower", "nats a token that the built-in oracle needs for texts made in its language (quality)")}
SAYS = "quality"
BASELINE = "independent tokens"


def measure(side: Side) -> dict[str, Measured]:
    """Raises NotApplicableError for other data."""
    train = side.real.train
    if spoken(texts_of(train, np.arange(min(50, len(train))))) is None:
        raise NotApplicableError(
            f"oracle_nats knows the language of the built-in oracle alone, and {train.name} holds other texts."
        )
    tokens = spoken(texts_of(side.data))
    if tokens is None:
        raise NotApplicableError(
            "oracle_nats needs texts of 20 characters of the oracle's language, and some of those made are not."
        )
    nats = builtin().surprise(tokens)
    value, low, high = jackknife(lambda kept: float(nats[kept].mean()), len(nats), side.real.seed, bounds=(0.0, np.inf))
    return {"oracle_nats": Measured(value=value, low=low, high=high, samples=len(nats), reference_samples=0, space="oracle")}
