"""The trivial generator of tables: independent columns."""

import numpy as np
from jaxtyping import Float

from gansmith.data.dataset import Dataset, choose
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.tables.spec import TableSpec

MOST = 2**18
"""Rows of a large table from which rows are drawn."""


def drawn_rows(train: Dataset, seed: int) -> Float[np.ndarray, "rows packed"]:
    """All packed rows, or MOST of them drawn at random."""
    return train.packed(choose(len(train), MOST, seed) if len(train) > MOST else slice(None))["row"]


def independent(train: Dataset, count: int, seed: int) -> Dataset:
    """`count` rows whose columns are each drawn from the training rows, independently of the others."""
    spec = train.codec.spec
    assert isinstance(spec, TableSpec)
    rng = np.random.default_rng(seed)
    packed, start = drawn_rows(train, seed), 0
    rows = np.empty((count, packed.shape[1]), packed.dtype)
    for sizes in spec.columns:
        end = start + len(sizes)
        rows[:, start:end] = packed[rng.integers(0, len(packed), count), start:end]
        start = end
    arrays = {"row": rows}
    return Dataset(name="independent columns", codec=train.codec, arrays=arrays, fingerprint=fingerprint(arrays))
