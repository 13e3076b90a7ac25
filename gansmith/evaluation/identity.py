"""The examples themselves as features, for data in which plain distances mean something."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset


class Unpacked:
    """Examples as networks see them, flattened."""

    name = "raw"
    key = "raw"

    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        return data.batch(slice(None))[data.codec.spec.key].flatten(1)


class Identity:
    """Examples in the units of the source, flattened."""

    name = "raw"
    key = "raw"

    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        return torch.from_numpy(raw_points(data))


def raw_points(data: Dataset) -> Float[np.ndarray, "batch dimensions"]:
    """All examples in the units of the source, float64."""
    return np.stack(data.codec.decode(data.batch(slice(None)))).astype(np.float64).reshape(len(data), -1)
