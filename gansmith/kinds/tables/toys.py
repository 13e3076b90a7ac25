"""A tiny table, for tests that run over every kind of data."""

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.kinds.tables.build import build_table
from gansmith.kinds.tables.cells import Table, cells_of


def toys() -> dict[str, Dataset]:
    """The tiny data of this kind by name."""
    return {"rows": rows()}


def rows(count: int = 256) -> Dataset:
    """A table of two categories, of which one depends on the other, a number with a peak and missing cells, and one that follows."""
    rng = np.random.default_rng(0)
    size = rng.choice(["small", "medium", "large"], count, p=[0.5, 0.3, 0.2])
    weight = np.round(rng.gamma(3, 1 + 3 * (size == "large"), count), 2)
    used = rng.random(count) < 0.3 + 0.4 * (size == "large")
    missing = rng.random(count) < 0.1
    hours = np.where(used, rng.integers(1, 200, count), 0).astype(object)
    hours[missing] = None
    columns = {
        "size": size.tolist(),
        "weight": weight.tolist(),
        "used": np.where(used, "yes", "no").tolist(),
        "hours": hours.tolist(),
        "letter": [word[0].upper() for word in size],
    }
    return build_table(Table(name="parcels", columns={name: cells_of(cells) for name, cells in columns.items()}), min_count=1)
