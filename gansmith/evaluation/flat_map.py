"""Real and generated examples on one flat map, neighbours beside neighbours."""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor

MAXIMUM = 250
"""Examples of each side: twice as many take t-SNE three seconds on one core, four times as many seven."""
PERPLEXITY = 30.0


@dataclass(frozen=True, kw_only=True)
class FlatMap:
    """Places of some examples, in [-1, 1]."""

    method: Literal["t-SNE", "PCA"]
    training: list[list[float]]
    generated: list[list[float]]


def flat_map(training: Float[Tensor, "n features"], generated: Float[Tensor, "m features"], seed: int) -> FlatMap | None:
    """Of features along their principal directions: by t-SNE (van der Maaten and Hinton 2008), or as they are in two dimensions.

    None where there is nothing to spread out: fewer than two dimensions, or examples that are all alike.
    """
    features = np.concatenate([training.numpy(), generated.numpy()])
    extent = np.ptp(features, axis=0).max()
    if features.shape[1] < 2 or not extent > 0:
        return None
    flat = features if features.shape[1] == 2 else _by_tsne(features / extent, seed)
    method = "PCA" if features.shape[1] == 2 else "t-SNE"
    if not np.isfinite(flat).all():  # t-SNE fails on some degenerate sets, such as many copies of two examples
        flat, method = features[:, :2], "PCA"
    low, high = flat.min(0), flat.max(0)
    # One scale for both directions: distances on the map are comparable.
    placed = (flat - (low + high) / 2) / ((high - low).max() / 2)
    places = np.round(placed.astype(np.float64), 3).tolist()
    return FlatMap(method=method, training=places[: len(training)], generated=places[len(training) :])


def _by_tsne(features: Float[np.ndarray, "n features"], seed: int) -> Float[np.ndarray, "n 2"]:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of degenerate sets, which the caller sees by their result
        return TSNE(init="pca", perplexity=perplexity, random_state=seed).fit_transform(features.astype(np.float32))
