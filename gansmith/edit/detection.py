"""A run's critic as a detector: is an example of people (the data) or of the model?

A logistic regression on the critic's scores of held-out real and of generated examples turns a score into a probability. How well it tells
them apart, the area under the ROC curve, is measured on examples that the regression did not see: 0.5 is guessing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gansmith.data.codec import Batch
from gansmith.data.values import Seed, checked
from gansmith.edit.rejection import with_critic
from gansmith.errors import UserError
from gansmith.evaluation.score import jackknife

if TYPE_CHECKING:
    from gansmith.data.dataset import Dataset
    from gansmith.game import GAN
    from gansmith.model import Model
    from gansmith.runs.run import Run

MOST, LEAST, AT_ONCE = 2000, 20, 128
"""Held-out and as many generated examples that are scored at most, and how many there must be."""


class Detector:
    """Probabilities of being real, by the critic of a run."""

    @checked
    def __init__(self, model: Model, critic: GAN, held_out: Dataset, seed: Seed = 0) -> None:
        """Raises UserError where there are too few held-out examples."""
        if len(held_out) < LEAST:
            raise UserError(f"a detector needs {LEAST} held-out examples, and there are {len(held_out)}: give more data.")
        from sklearn.linear_model import LogisticRegression

        self.model, self.critic = model, critic
        count = min(MOST, len(held_out))
        places = np.random.default_rng(seed).permutation(len(held_out))[:count]
        real = self._scored(held_out, places)
        fake = np.concatenate([_scores(critic, batch) for batch in model.batches(count, seed=(seed + 3_000_017) % 2**63)])
        scores, truth = np.concatenate([real, fake]), np.repeat([1, 0], [len(real), len(fake)])
        first = np.concatenate([np.arange(len(real)) % 2 == 0, np.arange(len(fake)) % 2 == 0])
        self._middle, self._scale = float(scores.mean()), float(scores.std()) or 1.0
        self._fitted = LogisticRegression().fit(self._columns(scores[first]), truth[first])
        guess, known = self._probabilities(scores[~first]), truth[~first]
        self.auc, self.low, self.high = jackknife(lambda kept: _area(guess[kept], known[kept]), len(known), seed, (0.0, 1.0))
        """The area under the ROC curve for examples that were not learned from, and its interval."""
        self.compared = int((~first).sum())

    @classmethod
    @checked
    def of(cls, run: Run, held_out: Dataset, *, seed: Seed = 0) -> Detector:
        """The detector of a run's newest checkpoint. Raises UserError without one."""
        model = run.model()
        return cls(model, with_critic(run, model), held_out, seed)

    def probabilities(self, data: Dataset) -> np.ndarray:
        """The probability of being real [N] of each example of a data set, encoded as the run's data are."""
        return self._probabilities(self._scored(data, np.arange(len(data))))

    def probability(self, raws: Sequence[Any]) -> np.ndarray:
        """The same of examples in the codec's raw form (texts: `gansmith.kinds.text.text.Text`)."""
        return self._probabilities(np.concatenate([_scores(self.critic, self.model.codec.encode(raw)) for raw in raws]))

    def _scored(self, data: Dataset, places: np.ndarray) -> np.ndarray:
        parts = np.array_split(places, max(1, len(places) // AT_ONCE))
        return np.concatenate([_scores(self.critic, data.batch(part)) for part in parts])

    def _columns(self, scores: np.ndarray) -> np.ndarray:
        return ((scores - self._middle) / self._scale)[:, None]

    def _probabilities(self, scores: np.ndarray) -> np.ndarray:
        return self._fitted.predict_proba(self._columns(scores))[:, 1]


def _area(guess: np.ndarray, truth: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, guess)) if 0 < truth.sum() < len(truth) else 0.5


@torch.inference_mode()
def _scores(gan: GAN, batch: Batch) -> np.ndarray:
    return gan.scores({key: value.to(gan.device) for key, value in batch.items()}).float().flatten().cpu().numpy()
