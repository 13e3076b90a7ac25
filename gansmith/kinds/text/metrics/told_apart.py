"""C2ST of texts: whether a linear classifier of short runs of characters and words can tell them from real ones (Lopez-Paz & Oquab 2017).

The area under the ROC curve of predictions for texts that were not learned from (three folds); 0.5 cannot be told apart.
"""

import numpy as np

from gansmith.data.dataset import choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.text.features import counted
from gansmith.kinds.text.words import texts_of

METRICS = {"text_c2st": ("lower", "how well a linear classifier tells generated texts from real ones (0.5: not at all)")}
SAYS = "quality"
BASELINE = "independent tokens"
FOLDS = 3
STRENGTH = 10.0
"""Inverse weight of the penalty on the classifier's weights."""


def measure(side: Side) -> dict[str, Measured]:
    """Generated texts against as many training texts."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.preprocessing import normalize

    train, seed = side.real.train, side.real.seed
    real = texts_of(train, choose(len(train), len(side.data), seed + 1))
    rows = normalize(counted([*real, *texts_of(side.data)]))
    truth = np.repeat([0, 1], [len(real), len(side.data)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=seed)
    guess = np.asarray(cross_val_predict(model, rows, truth, cv=folds, method="predict_proba"))[:, 1]
    value, low, high = jackknife(lambda kept: float(roc_auc_score(truth[kept], guess[kept])), len(truth), seed, bounds=(0.0, 1.0))
    return {
        "text_c2st": Measured(
            value=value, low=low, high=high, samples=len(side.data), reference_samples=len(real), space="n-grams"
        )
    }
