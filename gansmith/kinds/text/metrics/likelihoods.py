"""Two likelihoods, quality and diversity apart (Zhao et al. 2018, ARAE, section 6; Caccia et al. 2020, "Language GANs falling short").

`nats`: what an n-gram model of the training texts needs for a token of the texts made. `reverse_nats`: what an n-gram model of the texts
made needs for a token of as many held-out ones (for the held-out side itself: of training texts). A lower temperature lowers the first and
raises the second, so that only both, over temperatures, tell models apart. They need nothing from the model but its texts, so models,
n-grams and people can be compared; the rival, which is such an n-gram model itself, has the first by construction.
"""

import numpy as np
from jaxtyping import Float, Int

from gansmith.data.dataset import Dataset, choose
from gansmith.data.ngrams import Chain
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.text.chains import ORDERS
from gansmith.kinds.text.codec import TextCodec

METRICS = {
    "nats": ("lower", "nats a token that an n-gram model of the training texts needs for texts made (quality)"),
    "reverse_nats": ("lower", "nats a token that an n-gram model of the texts made needs for held-out ones (diversity)"),
}
SAYS = {"nats": "quality", "reverse_nats": "diversity"}
BASELINE = "independent tokens"


def surprises(
    texts: Int[np.ndarray, "texts length"], known: Int[np.ndarray, "others length"], codec: TextCodec
) -> Float[np.ndarray, " texts"]:
    """Nats a token of each text under an n-gram model of the known ones."""
    return Chain(known, ORDERS[codec.vocabulary.by], codec.spec.end).surprise(texts, codec.spec.vocabulary)


def measure(side: Side) -> dict[str, Measured]:
    """Against all training texts; against as many held-out ones."""
    train, seed, codec = side.real.train, side.real.seed, side.real.train.codec
    assert isinstance(codec, TextCodec)
    other = train if side.name == "held-out" else side.real.held_out
    made, unseen = _tokens(side.data), _tokens(other.subset(choose(len(other), side.real.count, seed + 1)))
    found = {}
    for name, each, known in (
        ("nats", surprises(made, _tokens(train), codec), len(train)),
        ("reverse_nats", surprises(unseen, made, codec), len(unseen)),
    ):
        value, low, high = jackknife(lambda kept, each=each: float(each[kept].mean()), len(each), seed, bounds=(0.0, np.inf))
        found[name] = Measured(value=value, low=low, high=high, samples=len(made), reference_samples=known, space="n-grams")
    return found


def _tokens(data: Dataset) -> Int[np.ndarray, "texts length"]:
    return data.packed(slice(None))["text"]  # pyright: ignore[reportReturnType]
