"""C2ST of molecules: whether a classifier can tell them from real ones (Lopez-Paz & Oquab 2017).

A logistic regression on fingerprints and properties; the area under the ROC curve for molecules that were not learned from (three folds).
0.5 cannot be told apart.
"""

from __future__ import annotations

import numpy as np

from gansmith.data.dataset import choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.molecules.build import smiles_of
from gansmith.kinds.molecules.features import described

METRICS = {
    "molecule_c2st": ("lower", "how well a classifier of substructures and properties tells molecules from real ones (0.5: not)")
}
SAYS = "quality"
BASELINE = "independent tokens"
FOLDS, STRENGTH = 3, 0.1


def measure(side: Side) -> dict[str, Measured]:
    """Generated molecules, invalid ones too, against as many training molecules."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, seed = side.real.train, side.real.seed
    real = smiles_of(train, choose(len(train), len(side.data), seed + 1))
    bits, numbers = described([*real, *smiles_of(side.data)])
    rows = np.concatenate([bits.numpy(), numbers.numpy()], 1)
    truth = np.repeat([0, 1], [len(real), len(side.data)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH / rows.shape[1], max_iter=200))
    guess = np.asarray(cross_val_predict(model, rows, truth, cv=folds, method="predict_proba"))[:, 1]
    value, low, high = jackknife(lambda kept: float(roc_auc_score(truth[kept], guess[kept])), len(truth), seed, (0.0, 1.0))
    return {
        "molecule_c2st": Measured(
            value=value, low=low, high=high, samples=len(side.data), reference_samples=len(real), space="fingerprints"
        )
    }
