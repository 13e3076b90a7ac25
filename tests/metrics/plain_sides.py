"""Sides to measure without training a classifier: images are compared by their pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from gansmith.data.dataset import Dataset
from gansmith.evaluation.sides import Real, Side
from gansmith.kinds.images.features.inception import Inception


class Pixels:
    """Pixels as features."""

    name = "pixels"
    key = "pixels"

    def features(self, data: Dataset) -> torch.Tensor:
        return data.batch(slice(None))[data.codec.spec.key].flatten(1)


class Tiny(Inception):
    """Pixels in the place of Inception's features, the means of the rows in the place of its logits."""

    name = "tiny"
    key = "tiny"

    def __init__(self) -> None:
        pass

    def outputs(self, data: Dataset) -> dict[str, torch.Tensor]:
        return {"features": Pixels().features(data)}

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        return 5 * features.view(len(features), 8, 8).mean(2)


def real_side(train: Dataset, held_out: Dataset, folder: Path, count: int = 100) -> Real:
    return Real(
        train=train,
        held_out=held_out,
        everything=train,
        judged=count,
        extractor=Pixels(),
        inception=Tiny(),
        count=count,
        lessons=count,
        seed=0,
        folder=folder,
    )


def noise(data: Dataset, count: int = 150) -> Dataset:
    """Images of uniform noise like these."""
    shape = (count, *data.codec.spec.shape)
    labels = np.zeros(count, np.int64)
    return replace(
        data, arrays={"image": np.random.default_rng(0).integers(0, 256, shape, np.uint8), "label": labels}, indices=None
    )


def generated(fake: Dataset, real: Real) -> Side:
    return Side(name="generated", data=fake, lessons=fake, everything=fake, reference=real.everything, real=real)
