"""Raw coordinates as features, for data in which plain distances mean something: points, and rows of tables as networks see them."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset


class Identity:
    """Features that are the coordinates of the points themselves; of tables the rows of one-hot choices and normal scores."""

    name = "raw"
    key = "raw"

    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        if data.codec.spec.kind == "tables":
            return data.batch(slice(None))[data.codec.spec.key]
        return torch.from_numpy(raw_points(data))


def raw_points(data: Dataset) -> Float[np.ndarray, "batch dimensions"]:
    """All examples in the coordinates of the source, float64."""
    return np.stack(data.codec.decode(data.batch(slice(None)))).astype(np.float64).reshape(len(data), -1)
