"""The trivial generator of tables: independent columns."""

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.kinds.tables.spec import TableSpec


def independent(train: Dataset, count: int, seed: int) -> Dataset:
    """`count` rows whose columns are each drawn from the training rows, independently of the others."""
    spec = train.codec.spec
    assert isinstance(spec, TableSpec)
    rng = np.random.default_rng(seed)
    packed, start = train.packed(slice(None))["row"], 0
    rows = np.empty((count, packed.shape[1]), packed.dtype)
    for sizes in spec.columns:
        end = start + len(sizes)
        rows[:, start:end] = packed[rng.integers(0, len(packed), count), start:end]
        start = end
    arrays = {"row": rows}
    return Dataset(name="independent columns", codec=train.codec, arrays=arrays, fingerprint=fingerprint(arrays))
