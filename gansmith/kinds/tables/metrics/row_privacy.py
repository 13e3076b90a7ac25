"""Privacy of tables: whether generated rows betray the training rows, by distance, by copies and by a membership attack.

Distances are taken in the judge's features (choices one-hot, numbers as normal scores). The share of rows that are closer to
training rows than to as many held-out rows is 0.5 for rows that know no training row (the overfitting protection of SDMetrics); the
attack guesses by the distance to the nearest generated row who was trained on. None of them proves privacy: only differential
privacy bounds what can be learned.
"""

import numpy as np

from gansmith.evaluation.nearest import nearest
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.tables.views import view
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "closer_to_training": ("lower", "share of generated rows closer to training than to held-out rows (0.5: knows no row)"),
    "row_copies": ("lower", "share of generated rows that are a training row, cell by cell"),
    "membership": ("lower", "how well distances to generated rows tell training from held-out rows (0.5: not at all)"),
}
SAYS = "memorisation"
BASELINE = "independent columns"


def measure(side: Side) -> dict[str, Measured]:
    """Copies among all training rows; distances to equally many training and held-out rows."""
    from sklearn.metrics import roc_auc_score

    count, seed = len(side.data), side.real.seed
    rows = {row.tobytes() for row in _canonical(view(side.real.train).values)}
    copied = np.array([row.tobytes() in rows for row in _canonical(view(side.data).values)])
    found = {"row_copies": (lambda kept: float(copied[kept].mean()), count)}
    if side.name != "held-out":  # whose rows are what the others are compared with
        sample, held_out = side.real.sample, side.real.ceiling.features
        to_sample, to_held_out = (nearest(side.features, real, 1)[0][:, 0].numpy() for real in (sample, held_out))
        closer = (to_sample < to_held_out) + (to_sample == to_held_out) / 2
        found["closer_to_training"] = lambda kept: float(closer[kept].mean()), count
        reach = np.concatenate([nearest(real, side.features, 1)[0][:, 0].numpy() for real in (sample, held_out)])
        member = np.repeat([1, 0], [len(sample), len(held_out)])
        found["membership"] = lambda kept: float(roc_auc_score(member[kept], -reach[kept])), len(member)
    measured = {}
    for metric, (statistic, examples) in found.items():
        value, low, high = jackknife(statistic, examples, seed, bounds=(0.0, 1.0))
        measured[metric] = Measured(
            value=value, low=low, high=high, samples=count, reference_samples=count, space=side.real.extractor.name
        )
    return measured


def _canonical(values: np.ndarray) -> np.ndarray:
    """Rows whose bytes are equal where their cells are: one NaN, no negative zero."""
    if not values.shape[1]:
        raise NotApplicableError("rows without columns cannot be copied.")
    return np.where(np.isnan(values), np.nan, values + 0.0)
