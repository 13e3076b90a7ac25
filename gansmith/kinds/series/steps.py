"""What the metrics of time series share: examples in numbers from 0 to 1."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.evaluation.sides import Real


def values_of(data: Dataset) -> Float[np.ndarray, "batch steps columns"]:
    """All examples as packed: in units of the source, or log returns."""
    return data.packed(slice(None))["series"].astype(np.float64)


def unit_values(data: Dataset, real: Real) -> Float[Tensor, "batch steps columns"]:
    """All examples with every column scaled by its range in the real data, which becomes [0, 1]."""
    reference = values_of(real.everything)
    low, high = reference.min((0, 1)), reference.max((0, 1))
    return torch.from_numpy((values_of(data) - low) / np.where(high > low, high - low, 1.0)).float()


def are_returns(data: Dataset) -> bool:
    """Whether the packed values are log returns."""
    return bool(getattr(data.codec, "heaviness", ()))


def moves_of(data: Dataset) -> Float[np.ndarray, "batch steps columns"]:
    """Log returns, or steps from value to value."""
    values = values_of(data)
    return values if are_returns(data) else np.diff(values, axis=1)
