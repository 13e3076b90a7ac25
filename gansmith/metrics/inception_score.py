"""The Inception score (Salimans et al. 2016, section 4)."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.metrics.families import images_only
from gansmith.metrics.fast_mode import deviation
from gansmith.metrics.score import Measured
from gansmith.metrics.sides import Side

METRICS = {
    "is": ("higher", "Inception score: each image clearly of one ImageNet class, all classes equally often; knows no real image")
}
SAYS = "both"
INCEPTION = ("features",)
"""What this needs of Inception-v3."""

SPLITS = 10
STUDENT_T = 2.262
"""The 97.5% point of Student's t with SPLITS - 1 degrees of freedom."""


def inception_scores(logits: Float[Tensor, "batch classes"], seed: int, *, splits: int = SPLITS) -> Float[np.ndarray, " splits"]:
    """exp(mean KL(p(class | image) || p(class))) of every split, in float64; the score is their mean.

    Equals torch-fidelity (0.4.0) with rng_seed = `seed`: the same shuffle, the same borders of the splits.
    """
    order = torch.from_numpy(np.random.RandomState(seed).permutation(len(logits)))
    scores = np.empty(splits)
    for split in range(splits):
        start, stop = len(logits) * split // splits, len(logits) * (split + 1) // splits
        log_p = logits[order[start:stop]].double().log_softmax(1)
        p = log_p.exp()
        scores[split] = (p * (log_p - p.mean(0).log())).sum(1).mean().exp()
    return scores


def measure(side: Side) -> dict[str, Measured]:
    """Of all generated images; the interval is that of the mean of the splits, which share no image."""
    images_only("the Inception score", side.real.train)
    assert side.real.inception is not None
    features = side.inception["features"]
    scores = inception_scores(side.real.inception.logits(features), side.real.seed)
    value, spread = float(scores.mean()), STUDENT_T * float(scores.std(ddof=1)) / SPLITS**0.5
    logits = side.real.inception.logits
    off = deviation(side, "features", lambda fake, _: float(inception_scores(logits(fake), 0, splits=1).mean()), value)
    return {
        "is": Measured(
            value=value,
            low=max(value - spread, 1.0),
            high=value + spread,
            samples=len(features),
            reference_samples=0,
            space=side.real.inception.name,
            note="; ".join(filter(None, (f"standard deviation over {SPLITS} splits {scores.std():.3g}", off))),
        )
    }
