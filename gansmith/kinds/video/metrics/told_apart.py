"""C2ST of clips: how well a linear classifier tells them from real ones (Lopez-Paz & Oquab 2017).

It sees what all spaces of clips see: whole clips, motion, single frames and their detail, and how frames follow each other. The area under
the ROC curve of predictions for clips that were not learned from (three folds); 0.5 cannot be told apart.
"""

import numpy as np

from gansmith.data.dataset import Dataset, choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.video.features import ClipFeatures, See
from gansmith.kinds.video.measures import drift, following, movement

METRICS = {"clip_c2st": ("lower", "how well a linear classifier tells generated clips from real ones (0.5: not at all)")}
SAYS = "quality"
BASELINE = "frozen frame"
FOLDS = 3
SPACES: tuple[See, ...] = ("clips", "motion", "frames")


def measure(side: Side) -> dict[str, Measured]:
    """Generated clips against as many training clips."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    real, seed = side.real, side.real.seed
    known = real.train.subset(choose(len(real.train), len(side.data), seed + 1))
    rows = np.concatenate([_seen(known, real), _seen(side.data, real)])
    truth = np.repeat([0, 1], [len(known), len(side.data)])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    guess = np.asarray(cross_val_predict(model, rows, truth, cv=folds, method="predict_proba"))[:, 1]
    value, low, high = jackknife(lambda kept: float(roc_auc_score(truth[kept], guess[kept])), len(truth), seed, bounds=(0.0, 1.0))
    count = len(side.data)
    return {
        "clip_c2st": Measured(
            value=value, low=low, high=high, samples=count, reference_samples=len(known), space="clips and motion"
        )
    }


def _seen(data: Dataset, real: Real) -> np.ndarray:
    parts = [ClipFeatures(real.train, real.seed, real.folder, see).features(data).numpy() for see in SPACES]
    more = [following(data)] if data.codec.spec.shape[0] > 2 else []
    return np.concatenate([*parts, *more, np.log(movement(data) + 1e-4)[:, None], drift(data)[:, None]], 1)
