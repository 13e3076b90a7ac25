"""Handwritten digits that need no network: those of this package, and those of scikit-learn."""

from importlib.metadata import version
from pathlib import Path

import numpy as np

from gansmith.data.readers.files import file_key
from gansmith.data.readers.rows import ArrayRows
from gansmith.kinds.images.readers.arrays import PixelRows
from gansmith.kinds.images.readers.collection import Collection


def digits() -> Collection:
    """5,000 digits of MNIST at 28 x 28, 500 of each (LeCun et al. 1998); see digits.md beside the file for its source and licence."""
    path = Path(__file__).with_name("digits.npz")
    return Collection(name="digits", load=lambda: _rows_of(path), key=lambda: file_key([path]))


def digits8() -> Collection:
    """1,797 digits at 8 x 8 in 17 shades of gray, by 43 writers (Alpaydin & Kaynak 1998), from scikit-learn."""
    return Collection(name="digits8", load=_rows_of_sklearn, key=lambda: f"scikit-learn {version('scikit-learn')}")


def _rows_of(path: Path) -> PixelRows:
    with np.load(path, allow_pickle=False) as file:
        return PixelRows(ArrayRows(file["images"]), "digits", file["labels"].tolist())


def _rows_of_sklearn() -> PixelRows:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    shades = np.rint(bunch.images * (255 / 16)).astype(np.uint8)  # type: ignore[union-attr]
    return PixelRows(ArrayRows(shades), "digits8", bunch.target.tolist())  # type: ignore[union-attr]
