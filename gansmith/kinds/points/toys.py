"""Tiny points, for tests that run over every kind of data."""

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.points.codec import PointCodec


def toys() -> dict[str, Dataset]:
    """The tiny data of this kind by name."""
    return {"points": points()}


def points(count: int = 512) -> Dataset:
    """Four tight clusters in the plane."""
    rng = np.random.default_rng(0)
    centres = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    values = (centres[rng.integers(0, 4, count)] + 0.05 * rng.standard_normal((count, 2))).astype(np.float32)
    codec = PointCodec.fit(values, ["x", "y"])
    arrays = {"point": values}
    return Dataset(name="clusters", codec=codec, arrays=arrays, fingerprint=fingerprint(arrays))
