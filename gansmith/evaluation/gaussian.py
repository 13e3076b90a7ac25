"""A Gaussian fitted to the training examples: the trivial model of data that has no better one."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint

NUMBERS = 3_200_000
"""Numbers of the training examples that it is fitted to: 4,000 images of 28x28, 1,000 of 32x32 in colour."""
BATCH = 256


def gaussian(train: Dataset, count: int, seed: int) -> Dataset:
    """`count` examples from a Gaussian with the mean and full covariance of the training examples.

    Data with classes get one Gaussian per class, and labels as frequent as in the data. Values are cut to the range that the packed form
    can hold.
    """
    rng = torch.Generator().manual_seed(seed)
    spec = train.codec.spec
    classes = train.labels()
    groups = np.zeros(len(train), np.int64) if classes is None else classes
    wanted = groups[torch.randint(len(train), (count,), generator=rng).numpy()]
    packed = None
    for group in np.unique(wanted):
        members = np.flatnonzero(groups == group)
        places = np.flatnonzero(wanted == group)
        examples = _examples(train, members, rng)
        for start in range(0, len(places), BATCH):
            rows = places[start : start + BATCH]
            batch = {spec.key: _draw(examples, len(rows), rng).view(-1, *spec.shape)}
            if classes is not None:
                batch["label"] = torch.full((len(rows),), int(group))
            arrays = train.codec.repack(batch)
            if packed is None:
                packed = {key: np.empty((count, *array.shape[1:]), array.dtype) for key, array in arrays.items()}
            for key, array in arrays.items():
                packed[key][rows] = array
    assert packed is not None
    return Dataset(name="Gaussian", codec=train.codec, arrays=packed, fingerprint=fingerprint(packed))


def _examples(train: Dataset, members: np.ndarray, rng: torch.Generator) -> Float[Tensor, "examples numbers"]:
    """Random training examples among `members`, as many as their size allows."""
    most = max(BATCH, NUMBERS // int(np.prod(train.codec.spec.shape)))
    chosen = members[torch.randperm(len(members), generator=rng)[:most].numpy()]
    pieces = [train.batch(chosen[start : start + BATCH])[train.codec.spec.key] for start in range(0, len(chosen), BATCH)]
    return torch.cat(pieces).flatten(1)


def _draw(examples: Float[Tensor, "examples numbers"], count: int, rng: torch.Generator) -> Float[Tensor, "count numbers"]:
    """Samples of the Gaussian with the examples' mean and covariance.

    Weighting the n centred examples with independent N(0, 1 / n) weights gives exactly that covariance, without computing it.
    """
    mean = examples.mean(0)
    weights = torch.randn(count, len(examples), generator=rng) / len(examples) ** 0.5
    return mean + weights @ (examples - mean)
