"""C2ST of music: whether a classifier can tell it from real music (Lopez-Paz & Oquab 2017).

Gradient boosting on pitches, intervals and rhythm; the area under the ROC curve for examples that were not learned from (three folds). 0.5
cannot be told apart.
"""

from __future__ import annotations

import numpy as np

from gansmith.data.dataset import choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.music.features import described

METRICS = {
    "music_c2st": ("lower", "how well gradient boosting on pitches and rhythm tells music from real music (0.5: not at all)")
}
SAYS = "quality"
BASELINE = "independent columns"
FOLDS, TREES = 3, 60


def measure(side: Side) -> dict[str, Measured]:
    """Generated examples against as many training examples."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    train, seed, spec = side.real.train, side.real.seed, side.data.codec.spec
    low, bar = spec.low, spec.bar  # pyright: ignore[reportAttributeAccessIssue]
    parts = (train.packed(choose(len(train), len(side.data), seed + 1))["music"], side.data.packed(slice(None))["music"])
    rows = np.concatenate([described(part, low, bar) for part in parts])
    truth = np.repeat([0, 1], [len(part) for part in parts])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = HistGradientBoostingClassifier(max_iter=TREES, early_stopping=False, random_state=seed)
    guess = np.asarray(cross_val_predict(model, rows, truth, cv=folds, method="predict_proba"))[:, 1]
    value, lower, high = jackknife(lambda kept: float(roc_auc_score(truth[kept], guess[kept])), len(truth), seed, (0.0, 1.0))
    return {
        "music_c2st": Measured(
            value=value, low=lower, high=high, samples=len(side.data), reference_samples=len(parts[0]), space="pitches-and-rhythm"
        )
    }
