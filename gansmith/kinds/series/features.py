"""Features of series without a network: how high, how rough, how skewed, how persistent every column is, and how columns go together."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.evaluation.cache import content_key
from gansmith.kinds.series.steps import values_of

PAIRED = 8
"""Columns whose correlations with each other are features."""


class SeriesFeatures:
    """Each feature standardised over the training examples, so that distances weigh them alike."""

    name = "series-features"

    def __init__(self, train: Dataset) -> None:
        self.key = f"series-features {content_key(train)}"
        features = described(values_of(train))
        self.mean, self.deviation = features.mean(0), np.maximum(features.std(0), 1e-6 + 1e-3 * np.abs(features).max(0))

    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        return torch.from_numpy((described(values_of(data)) - self.mean) / self.deviation)


def described(values: Float[np.ndarray, "n steps columns"]) -> Float[np.ndarray, "n features"]:
    """Of every column: mean, deviation, ends, extremes; of its moves: deviation, skewness, kurtosis (both compressed),
    autocorrelation at lags 1 and 2, that of their sizes; and the correlations of the first columns' moves."""
    moves = np.diff(values, axis=1)
    centred = moves - moves.mean(1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(1)) + 1e-12
    scaled = centred / deviation[:, None]
    size = np.abs(scaled) - np.abs(scaled).mean(1, keepdims=True)
    parts = [
        values.mean(1),
        values.std(1),
        values[:, 0],
        values[:, -1],
        values.min(1),
        values.max(1),
        np.log(deviation),
        np.tanh((scaled**3).mean(1)),
        np.log1p((scaled**4).mean(1)),
        (scaled[:, 1:] * scaled[:, :-1]).mean(1),
        (scaled[:, 2:] * scaled[:, :-2]).mean(1) if moves.shape[1] > 2 else np.zeros_like(deviation),
        (size[:, 1:] * size[:, :-1]).mean(1),
    ]
    few = scaled[:, :, :PAIRED]
    above = np.triu_indices(few.shape[2], 1)
    parts.append(np.einsum("ntc,ntd->ncd", few, few)[:, above[0], above[1]] / few.shape[1])
    return np.concatenate(parts, axis=1)
