"""C2ST: whether gradient boosting can tell generated rows from real ones (Lopez-Paz & Oquab 2017, Revisiting classifier two-sample tests).

The area under the ROC curve of predictions for rows that were not learned from (three folds); 0.5 cannot be told apart. It is a
severe judge of tables: real rows reach 0.5, the usual generators almost 1.
"""

import numpy as np

from gansmith.data.dataset import choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.tables.views import view

METRICS = {"c2st": ("lower", "how well gradient boosting tells generated rows from real ones (0.5: not at all)")}
SAYS = "quality"
BASELINE = "independent columns"
FOLDS = 3


def told_apart(real: np.ndarray, fake: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(the probability of being fake of each row of both, whether it is), from models that did not see the row."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows, truth = np.concatenate([real, fake]), np.repeat([0, 1], [len(real), len(fake)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = HistGradientBoostingClassifier(random_state=seed)
    return np.asarray(cross_val_predict(model, rows, truth, cv=folds, method="predict_proba"))[:, 1], truth


def measure(side: Side) -> dict[str, Measured]:
    """Generated rows against as many training rows."""
    from sklearn.metrics import roc_auc_score

    train = side.real.train
    real = view(train).values[choose(len(train), len(side.data), side.real.seed + 1)]
    guess, truth = told_apart(real, view(side.data).values, side.real.seed)
    value, low, high = jackknife(
        lambda kept: float(roc_auc_score(truth[kept], guess[kept])), len(truth), side.real.seed, bounds=(0.0, 1.0)
    )
    return {
        "c2st": Measured(
            value=value, low=low, high=high, samples=len(side.data), reference_samples=len(real), space="gradient boosting"
        )
    }
