"""TSTR: train on synthetic, test on real (Esteban et al. 2017), with gradient boosting.

A model learns from generated rows to tell the target (the last column) from the other columns, and is tested
on held-out real rows. Beside it stands the same model trained on real rows (the ceiling).
"""

import warnings

import numpy as np

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.tables.views import target_of, view
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "tstr": ("higher", "how well a model trained on generated rows does on real ones (area under the ROC curve, or R2)"),
}
SAYS = "both"
BASELINE = "independent columns"
MAXIMUM = 30
"""Classes of a target that are told apart; the rarer ones count as one more, as every class costs as much as the first."""


def measure(side: Side) -> dict[str, Measured]:
    target = target_of(side.real.train)
    learned, tested = view(side.lessons), view(side.real.held_out)
    inputs, asked = (np.delete(each.values, target, 1) for each in (learned, tested))
    answers, expected = (each.values[:, target] for each in (learned, tested))
    if not inputs.shape[1]:
        raise NotApplicableError(f"tstr needs two columns, and {side.real.train.name} has one.")
    classes = bool(learned.categorical[target])
    if classes:
        answers, expected = (common_classes(each, view(side.real.train).values[:, target]) for each in (answers, expected))
        guess = _class_shares(inputs, asked, answers, side.real.seed)
        value, low, high = jackknife(lambda rows: _area(expected[rows], guess[rows]), len(tested.values), side.real.seed, (0, 1))
    else:
        guess = _numbers(inputs, asked, answers, side.real.seed)
        known = ~np.isnan(expected)
        truth, guess = expected[known], guess[known]
        value, low, high = jackknife(lambda rows: _explained(truth[rows], guess[rows]), len(truth), side.real.seed)
    name = learned.names[target]
    return {
        "tstr": Measured(
            value=value,
            low=low,
            high=high,
            samples=len(side.lessons),
            reference_samples=len(tested.values),
            space=f"gradient boosting, {name}",
            note=f"{'area under the ROC curve' if classes else 'R2'} for {name}",
        )
    }


def common_classes(classes: np.ndarray, everything: np.ndarray) -> np.ndarray:
    """Classes with those beyond the MAXIMUM frequent ones of everything as one."""
    found, counts = np.unique(everything, return_counts=True)
    kept = found[np.argsort(-counts, kind="stable")[:MAXIMUM]]
    return np.where(np.isin(classes, kept), classes, found.max() + 1)


def _class_shares(learned: np.ndarray, tested: np.ndarray, answers: np.ndarray, seed: int) -> np.ndarray:
    """The probability of each class by its number; 0 for classes that were not generated."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    found = np.unique(answers).astype(int)
    shares = np.zeros((len(tested), found.max() + 1))
    if len(found) == 1:
        shares[:, found[0]] = 1
    else:
        shares[:, found] = HistGradientBoostingClassifier(random_state=seed).fit(learned, answers).predict_proba(tested)
    return shares


def _numbers(learned: np.ndarray, tested: np.ndarray, answers: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingRegressor

    known = ~np.isnan(answers)
    return HistGradientBoostingRegressor(random_state=seed).fit(learned[known], answers[known]).predict(tested)


def _area(truth: np.ndarray, shares: np.ndarray) -> float:
    """The mean over classes of the area under the curve of one against the rest."""
    from sklearn.metrics import roc_auc_score

    found = np.unique(truth).astype(int)
    areas = []
    for number in found if len(found) > 2 else found[1:]:
        guess = shares[:, number] if number < shares.shape[1] else np.zeros(len(truth))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fold without the class
            areas.append(roc_auc_score(truth == number, guess))
    return float(np.nanmean(areas)) if areas else float("nan")


def _explained(truth: np.ndarray, guess: np.ndarray) -> float:
    return 1 - float(np.square(truth - guess).sum() / max(np.square(truth - truth.mean()).sum(), 1e-12))
