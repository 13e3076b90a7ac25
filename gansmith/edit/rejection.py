"""Discriminator rejection sampling: of what the generator makes, what the critic thinks real (Azadi et al. 2019).

The paper's critic estimates the odds of being real, which critics of many games do not; so a logistic regression on the critic's
scores of held-out real and of generated examples turns any of them into log odds (calibration as of Turner et al. 2019, section 3.2).
Examples compete within their class, so that the classes keep their shares; scores of several classes have no common scale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from gansmith.data.codec import Batch
from gansmith.data.values import Percentile, Seed, checked
from gansmith.errors import UserError
from gansmith.model import Model
from gansmith.runs.rebuild import load_weights
from gansmith.training.checkpoint import load_newest

if TYPE_CHECKING:
    from gansmith.data.dataset import Dataset
    from gansmith.game import GAN
    from gansmith.runs.run import Run

CALIBRATED = 2000
"""Generated examples, and at most as many real ones, that the calibration takes."""
PERCENTILE = 80.0
"""Which percentile of F is accepted in half of the cases (the paper's gamma): higher accepts fewer examples and likelier ones."""
A_CLASS, MAXIMUM = 100, 10_000
"""So many are generated for each class, if that is more, and so many at most."""
MINIMUM = 50
"""A class with fewer generated examples than this shares the threshold of all."""
MAX_ROUNDS = 1000
EPSILON = 1e-6


@dataclass(frozen=True)
class Calibration:
    """From a critic's score to log odds of being real: `slope * score + offset`."""

    slope: float
    offset: float

    @classmethod
    def fit(cls, real: np.ndarray, fake: np.ndarray) -> Calibration:
        """By logistic regression. Raises UserError if the critic scores real examples no higher than generated ones."""
        from sklearn.linear_model import LogisticRegression

        scores, truth = np.concatenate([real, fake])[:, None], np.concatenate([np.ones(len(real)), np.zeros(len(fake))])
        spread = float(scores.std()) or 1.0
        fitted = LogisticRegression(class_weight="balanced").fit(scores / spread, truth)
        slope, offset = float(fitted.coef_[0, 0]) / spread, float(fitted.intercept_[0])
        if slope <= 0:
            raise UserError("the critic of this run does not score real examples above generated ones: sample without rejection.")
        return cls(slope, offset)

    def log_odds(self, scores: np.ndarray) -> np.ndarray:
        return self.slope * scores + self.offset


@dataclass(frozen=True)
class Threshold:
    """What the acceptance is measured by."""

    highest: float
    """The largest log odds of generated examples (the paper's M)."""
    gamma: float

    @classmethod
    def of(cls, log_odds: np.ndarray, percentile: float) -> Threshold:
        highest = float(log_odds.max())
        return cls(highest, float(np.percentile(_f(log_odds, highest), percentile)))


def acceptance(log_odds: np.ndarray, highest: float, gamma: float) -> np.ndarray:
    """The probability of keeping an example: sigmoid(F - gamma), F = D - M - log(1 - exp(D - M - epsilon)) (equation 9)."""
    return 1 / (1 + np.exp(-(_f(log_odds, highest) - gamma)))


def _f(log_odds: np.ndarray, highest: float) -> np.ndarray:
    below = np.minimum(log_odds - highest, 0.0)
    return below - np.log1p(-np.exp(below - EPSILON))


class Rejecting(Model):
    """A model whose examples have passed its critic; `card["accepted"]` is the share that did."""

    def __init__(self, model: Model, critic: GAN, calibration: Calibration, seed: int, percentile: float = PERCENTILE) -> None:
        super().__init__(model.gan, model.learned_from, model.card)
        self.critic, self.calibration = critic, calibration
        classes = len(model.codec.spec.classes)
        count = max(CALIBRATED, min(MAXIMUM, A_CLASS * classes))
        drawn = [(self.log_odds(batch), batch.get("label")) for batch in model.batches(count, seed=(seed + 1_000_003) % 2**63)]
        odds = np.concatenate([own for own, _ in drawn])
        self.of_all, self.of_class = Threshold.of(odds, percentile), dict[int, Threshold]()
        if classes:
            labels = np.concatenate([label.numpy() for _, label in drawn if label is not None])
            for number in range(classes):
                if (labels == number).sum() >= MINIMUM:
                    self.of_class[number] = Threshold.of(odds[labels == number], percentile)

    @classmethod
    @checked
    def of(
        cls, run: Run, model: Model, training: Dataset, held_out: Dataset, *, seed: Seed = 0, percentile: Percentile = PERCENTILE
    ) -> Rejecting:
        """The run's model with the critic of its newest checkpoint, calibrated on held-out examples (or, if these are fewer than 200,
        on training examples). Raises UserError without a checkpoint, and for a critic that tells nothing."""
        critic = with_critic(run, model)
        known = held_out if len(held_out) >= 200 else training
        positions = np.linspace(0, len(known) - 1, min(CALIBRATED, len(known))).astype(int)
        parts = [known.batch(part) for part in np.array_split(positions, max(1, len(positions) // 128))]
        real = np.concatenate([_scores(critic, part) for part in parts])
        fake = np.concatenate([_scores(critic, batch) for batch in model.batches(CALIBRATED, seed=(seed + 2_000_003) % 2**63)])
        return cls(model, critic, Calibration.fit(real, fake), seed, percentile)

    def log_odds(self, batch: Batch) -> np.ndarray:
        return self.calibration.log_odds(_scores(self.critic, batch))

    def acceptance(self, batch: Batch) -> np.ndarray:
        """The probability of keeping each example."""
        odds, found = self.log_odds(batch), np.empty(len(batch[self.codec.spec.key]))
        labels = batch["label"].numpy() if self.of_class else np.zeros(len(found), np.int64)
        for number in np.unique(labels):
            own, threshold = labels == number, self.of_class.get(int(number), self.of_all)
            found[own] = acceptance(odds[own], threshold.highest, threshold.gamma)
        return found

    @torch.inference_mode()
    def batches(
        self, n: int, *, seed: int = 0, truncation: float = 1.0, where: Mapping[str, str] | None = None, **more: str
    ) -> Iterator[Batch]:
        """n accepted examples. Raises UserError if almost nothing is accepted."""
        rng, kept, made = np.random.Generator(np.random.Philox(key=seed)), 0, 0
        for number in range(MAX_ROUNDS):
            for batch in super().batches(256, seed=seed + 10_007 * number, truncation=truncation, where=where, **more):
                chances = self.acceptance(batch)
                passes = np.flatnonzero(rng.random(len(chances)) < chances)[: n - kept]
                made, kept = made + len(chances), kept + len(passes)
                self.card["accepted"] = kept / made
                if len(passes):
                    yield {key: value[torch.from_numpy(passes)] for key, value in batch.items()}
            if kept == n:
                return
        raise UserError(f"the critic accepts only {kept} of {made:,} examples: lower the percentile of --rejection.")


def with_critic(run: Run, model: Model) -> GAN:
    """The whole game of the run's newest checkpoint, on the model's device. Raises UserError if there is none."""
    state = load_newest(run.checkpoints, lambda _: None)
    if state is None:
        raise UserError(f"{run.folder} has no checkpoint, from which the critic would be taken: keep checkpoints/ beside model/.")
    gan = run.game(model)
    load_weights(gan, state[0], run.checkpoints, "gan/")
    return gan.to(model.gan.device).eval()


@torch.inference_mode()
def _scores(gan: GAN, batch: Batch) -> np.ndarray:
    return gan.scores({key: value.to(gan.device) for key, value in batch.items()}).float().flatten().cpu().numpy()
