"""Tiny series, for tests that run over every kind of data."""

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.kinds.series.options import Options
from gansmith.kinds.series.series import Series
from gansmith.kinds.series.source import Sequences
from gansmith.kinds.series.windows import build_series


def toys() -> dict[str, Dataset]:
    """Series with and without classes."""
    return {"series": series(), "labelled series": series(classes=3)}


def series(count: int = 96, steps: int = 12, classes: int = 0) -> Dataset:
    """Waves of two columns with random phase and height; the class is how fast they are."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, max(classes, 1), count)
    time = np.arange(steps)[None] * (label[:, None] + 1) / 2 + rng.uniform(0, 6, (count, 1))
    height = rng.uniform(0.5, 1.5, (count, 1))
    values = np.stack([height * np.sin(time), 10 + height * np.cos(time)], axis=2)
    raws = [Series(each, {"class": str(name)} if classes else {}) for each, name in zip(values, label, strict=True)]
    return build_series(Sequences(name="waves", series=raws, columns=("sine", "cosine")), Options())
