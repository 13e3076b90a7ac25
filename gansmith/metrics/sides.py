"""What is compared: the sides that are judged (generated, baseline, held-out) and the real data they are judged by."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.errors import UserError
from gansmith.metrics.baseline import gaussian
from gansmith.metrics.cache import content_key, remember
from gansmith.metrics.extractors import Extractor
from gansmith.metrics.nearest import nearest


@dataclass(frozen=True, eq=False, kw_only=True)
class Real:
    """The real data: what was trained on, what was held out, and the two sides that stand beside every score."""

    train: Dataset
    held_out: Dataset
    extractor: Extractor
    count: int
    """Examples on every side."""
    lessons: int
    """Examples to learn from on every side."""
    seed: int
    folder: Path
    """The cache."""

    @cached_property
    def key(self) -> tuple[str, ...]:
        """All that the scores of baseline and ceiling depend on."""
        sizes = f"{self.count} {self.lessons} {self.seed}"
        return self.extractor.key, content_key(self.train), content_key(self.held_out), sizes

    @cached_property
    def features(self) -> Float[Tensor, "train features"]:
        """Features of all training examples."""

        def compute() -> dict[str, Tensor]:
            return {"features": self.features_of(self.train, "training")}

        return remember(self.folder, "features", (self.extractor.key, content_key(self.train)), compute)["features"]

    def features_of(self, data: Dataset, name: str) -> Float[Tensor, "batch features"]:
        """Features of any examples; raises UserError if they are not finite."""
        features = self.extractor.features(data)
        broken = int((~torch.isfinite(features)).any(1).sum())
        if broken:
            raise UserError(f"judging needs finite numbers, but {broken} of {len(data)} {name} examples are not: leave them out.")
        return features

    @cached_property
    def sample(self) -> Float[Tensor, "batch features"]:
        """Features of as many random training examples as every side has."""
        return self.features[choose(len(self.train), self.count, self.seed)]

    @cached_property
    def ceiling(self) -> "Side":
        """The real held-out examples; to learn from, real training examples."""
        data = self.held_out.subset(choose(len(self.held_out), self.count, self.seed))
        lessons = self.train.subset(choose(len(self.train), self.lessons, self.seed))
        return Side(name="held-out", data=data, lessons=lessons, real=self)

    @cached_property
    def baseline(self) -> "Side":
        """A Gaussian fitted to the training examples."""
        lessons = gaussian(self.train, max(self.count, self.lessons), self.seed)
        data = lessons.subset(np.arange(self.count))
        return Side(name="baseline", data=data, lessons=lessons.subset(np.arange(self.lessons)), real=self)

    @cached_property
    def held_out_distance(self) -> float:
        """The median distance of held-out examples to their nearest training example."""

        def compute() -> dict[str, Tensor]:
            return {"median": self.ceiling.distances.quantile(0.5)}

        return float(remember(self.folder, "nearest", self.key, compute)["median"])


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """One set of examples, measured against the real ones."""

    name: str
    data: Dataset
    """As many examples as every other side has."""
    lessons: Dataset
    """The examples to learn from, for metrics that train something on this side: possibly more than `data`."""
    real: Real

    @cached_property
    def features(self) -> Float[Tensor, "batch features"]:
        return self.real.features_of(self.data, self.name)

    @cached_property
    def distances(self) -> Float[Tensor, " batch"]:
        """The distance of every example to its nearest training example."""
        return nearest(self.features, self.real.features, 1)[0][:, 0].double()


def choose(length: int, count: int, seed: int) -> np.ndarray:
    """`count` random positions out of `length`, ascending and each once."""
    return np.sort(np.random.default_rng(seed).permutation(length)[:count])
