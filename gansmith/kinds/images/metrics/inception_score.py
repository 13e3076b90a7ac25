"""The Inception score (Salimans et al. 2016, section 4)."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Side
from gansmith.kinds.images.metrics.fast_mode import deviation

METRICS = {
    "is": ("higher", "Inception score: each image clearly of one ImageNet class, all classes equally often; knows no real image")
}
SAYS = "both"
INCEPTION = ("features",)
"""What this needs of Inception-v3."""

SPLITS = 10
ROWS = 1024
"""Images whose logits are held at a time."""
STUDENT_T = 2.262
"""The 97.5% point of Student's t with SPLITS - 1 degrees of freedom."""


def inception_scores(logits: Float[Tensor, "batch classes"], seed: int, *, splits: int = SPLITS) -> Float[np.ndarray, " splits"]:
    """exp(mean KL(p(class | image) || p(class))) of every split, in float64; the score is their mean.

    Equals torch-fidelity (0.4.0) with rng_seed = `seed`: the same shuffle, the same borders of the splits.
    """
    return _scores(lambda rows: logits[rows], len(logits), seed, splits)


def _scores(logits_of: Callable[[Tensor], Tensor], count: int, seed: int, splits: int) -> Float[np.ndarray, " splits"]:
    """The same from a function of positions, which is asked for few at a time."""
    order = torch.from_numpy(np.random.RandomState(seed).permutation(count))
    scores = np.empty(splits)
    for split in range(splits):
        members = order[count * split // splits : count * (split + 1) // splits]
        expected_log, mean = 0.0, torch.zeros((), dtype=torch.float64)
        for rows in members.split(ROWS):
            log_p = logits_of(rows).double().log_softmax(1)
            p = log_p.exp()
            expected_log += float((p * log_p).sum()) / len(members)
            mean = mean + p.sum(0) / len(members)
        scores[split] = np.exp(expected_log - float(torch.special.xlogy(mean, mean).sum()))
    return scores


def measure(side: Side) -> dict[str, Measured]:
    """Of all generated images; the interval is that of the mean of the splits, which share no image."""
    assert side.real.inception is not None
    features = side.inception["features"]
    logits = side.real.inception.logits
    scores = _scores(lambda rows: logits(features[rows]), len(features), side.real.seed, SPLITS)
    value, spread = float(scores.mean()), STUDENT_T * float(scores.std(ddof=1)) / SPLITS**0.5
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
