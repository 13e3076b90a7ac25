"""What is compared: the sides that are judged (generated, baseline, held-out) and the real data they are judged by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from gansmith.data.dataset import Dataset, choose
from gansmith.errors import UserError
from gansmith.evaluation.baseline import rivals, trivial
from gansmith.evaluation.cache import content_key, remember
from gansmith.evaluation.extractors import Extractor
from gansmith.evaluation.nearest import nearest

if TYPE_CHECKING:
    from gansmith.model import Model

FEW = 5
"""Held-out examples of a class from which it has a median distance of its own."""
CHECKED = 128
"""Examples of each side that a fast mode computes both ways, to say how far it is off."""
TRIVIAL = 1000
"""Examples of the baseline that are judged by a large network: its distance is so great that more would not change it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Real:
    """The real data: what was trained on, what was held out, and the two sides that stand beside every score."""

    train: Dataset
    held_out: Dataset
    everything: Dataset
    """All real examples, for the metrics that are defined over all: those that bear the names of papers and packages."""
    judged: int
    """Generated examples that are compared with everything."""
    extractor: Extractor
    inception: Any = None
    """The space of the metrics that are defined in it; only there when one of them was asked for."""
    count: int
    """Examples on every side."""
    lessons: int
    """Examples to learn from on every side."""
    seed: int
    folder: Path
    """The cache."""
    segmenter: Any = None
    """What finds labels in images, as the user chose it; None for one that learns on the spot."""
    wholes: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    """Outputs of Inception-v3 of whole data sets, held once."""

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

    @property
    def in_inception(self) -> bool:
        """Whether the space is that of Inception-v3, whose features are there for other metrics too."""
        return self.extractor is self.inception

    def features_of(self, data: Dataset, name: str) -> Float[Tensor, "batch features"]:
        """Features of any examples; raises UserError if they are not finite."""
        features = self.inception_of(data)["features"] if self.in_inception else self.extractor.features(data)
        broken = int((~torch.isfinite(features)).any(1).sum())
        if broken:
            raise UserError(f"judging needs finite numbers, but {broken} of {len(data)} {name} examples are not: leave them out.")
        return features

    def inception_of(self, data: Dataset) -> dict[str, Float[Tensor, "batch features"]]:
        """Outputs of Inception-v3 for real examples or the baseline."""
        outputs = self.inception_of_whole(data)
        return outputs if data.indices is None else {name: output[data.indices] for name, output in outputs.items()}

    def inception_of_whole(self, data: Dataset) -> dict[str, Float[Tensor, "whole features"]]:
        """Those of all examples that `data` is a part of: they are remembered for every part, and held once."""
        inception = self.inception
        assert inception is not None
        whole = replace(data, indices=None, held_out=None)
        key = content_key(whole)
        if key not in self.wholes:
            self.wholes[key] = remember(self.folder, inception.name, (inception.key, key), lambda: inception.outputs(whole))
        return self.wholes[key]

    @cached_property
    def sample(self) -> Float[Tensor, "batch features"]:
        """Features of as many random training examples as every side has."""
        return self.features[choose(len(self.train), self.count, self.seed)]

    @cached_property
    def ceiling(self) -> Side:
        """The real held-out examples; to learn from, real training examples."""
        data = self.held_out.subset(choose(len(self.held_out), self.count, self.seed))
        lessons = self.train.subset(choose(len(self.train), self.lessons, self.seed))
        return Side(name="held-out", data=data, lessons=lessons, everything=self.held_out, reference=self.train, real=self)

    @cached_property
    def baseline(self) -> Side:
        """A trivial model fitted to the training examples."""
        made = trivial(self.train, max(self.count, self.lessons), self.seed)
        return self._of(made, "baseline", trivial(self.train, TRIVIAL, self.seed))

    @cached_property
    def rival(self) -> Side | None:
        """The first model without a game that this kind of data has; None if it has none."""
        for sampler in rivals(self.train).values():
            made = sampler(self.train, max(self.count, self.lessons), self.seed)
            return self._of(made, "rival", made)
        return None

    def _of(self, made: Dataset, name: str, everything: Dataset) -> Side:
        return Side(
            name=name,
            data=made.subset(np.arange(self.count)),
            lessons=made.subset(np.arange(self.lessons)),
            everything=everything,
            reference=self.everything,
            real=self,
        )

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
    everything: Dataset
    """All examples, for the metrics that are defined over all: possibly more than `data`."""
    reference: Dataset
    """The real examples that `everything` is compared with."""
    real: Real
    rows: np.ndarray | None = None
    """Where `data` lies in `everything`, on the generated side."""
    model: Model | None = None
    """What made the examples, if it is at hand."""

    @cached_property
    def features(self) -> Float[Tensor, "batch features"]:
        if self.real.in_inception and self.rows is not None:
            return self.inception["features"][self.rows]
        return self.real.features_of(self.data, self.name)

    @cached_property
    def inception(self) -> dict[str, Float[Tensor, "everything features"]]:
        """The outputs of Inception-v3 for all examples: see `Inception.outputs`."""
        assert self.real.inception is not None
        if self.name == "generated":
            self.inception_reference  # noqa: B018  # first: its features are then a map of their file, and not in memory
            return self.real.inception.outputs(self.everything)
        return self.real.inception_of(self.everything)

    @cached_property
    def inception_reference(self) -> dict[str, Float[Tensor, "reference features"]]:
        """The same of the real examples they are compared with."""
        return self.real.inception_of(self.reference)

    @cached_property
    def inception_checked(self) -> list[tuple[dict[str, Tensor], dict[str, Tensor]]]:
        """(outputs in the fast mode, exact outputs) of a few generated examples, and of a few of those they are compared with."""
        assert self.real.inception is not None
        pairs = []
        for data, outputs in ((self.everything, self.inception), (self.reference, self.inception_reference)):
            rows = choose(len(data), CHECKED, self.real.seed)
            fast = {name: output[rows] for name, output in outputs.items()}
            pairs.append((fast, self.real.inception.exact.outputs(data.subset(rows))))
        return pairs

    @cached_property
    def distances(self) -> Float[Tensor, " batch"]:
        """The distance of every example to its nearest training example."""
        return self._closest[0][:, 0].double()

    @cached_property
    def suspicion(self) -> Float[Tensor, " batch"]:
        """The same over the median distance of held-out examples of that training example's class: ones lie nearer to each other than
        eights do. Without classes, over the median of all."""
        usual = self.real.ceiling.distances.median().expand(len(self.distances)).clone()
        taught, known = self.real.train.labels(), self.real.ceiling.data.labels()
        if taught is not None and known is not None:
            classes = torch.as_tensor(taught)[self._closest[1][:, 0]]
            of_held_out = torch.as_tensor(known)
            for one in classes.unique():
                if int((alike := of_held_out == one).sum()) >= FEW:
                    usual[classes == one] = self.real.ceiling.distances[alike].median()
        return self.distances / usual.clamp(min=torch.finfo(usual.dtype).tiny)

    @cached_property
    def _closest(self) -> tuple[Float[Tensor, "batch 1"], Int[Tensor, "batch 1"]]:
        return nearest(self.features, self.real.features, 1)
