"""The trivial model that every score is compared with: a Gaussian fitted to the training examples."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint

NUMBERS = 3_200_000
"""Numbers of the training examples that a Gaussian is fitted to: 4,000 images of 28x28, 1,000 of 32x32 in colour."""
BATCH = 256


def baseline_name(train: Dataset) -> str:
    """What the baseline of this data is called."""
    if train.codec.spec.kind == "tables":
        return "independent columns"
    return ("pixel Gaussian" if train.codec.spec.of_images else "Gaussian") + (" per class" if _per_class(train) else "")


def rival_name(train: Dataset) -> str:
    """What the model is called that stands beside the trivial one; empty for data that have none."""
    return "Gaussian copula" if train.codec.spec.kind == "tables" else ""


def _per_class(train: Dataset) -> bool:
    return train.codec.spec.kind in ("domains", "images") and bool(train.codec.spec.classes)


def trivial(train: Dataset, count: int, seed: int) -> Dataset:
    """`count` examples of the trivial model of this data: independent columns of a table, else a Gaussian."""
    return independent(train, count, seed) if train.codec.spec.kind == "tables" else gaussian(train, count, seed)


def independent(train: Dataset, count: int, seed: int) -> Dataset:
    """`count` rows whose columns are each drawn from the training rows, independently of the others."""
    rng = np.random.default_rng(seed)
    packed, start = train.packed(slice(None))["row"], 0
    rows = np.empty((count, packed.shape[1]), packed.dtype)
    for sizes in train.codec.spec.columns:
        end = start + len(sizes)
        rows[:, start:end] = packed[rng.integers(0, len(packed), count), start:end]
        start = end
    arrays = {"row": rows}
    return Dataset(name=baseline_name(train), codec=train.codec, arrays=arrays, fingerprint=fingerprint(arrays))


def gaussian(train: Dataset, count: int, seed: int) -> Dataset:
    """`count` examples from a Gaussian with the mean and full covariance of the training examples.

    Images of data with classes come from one Gaussian per class, with their labels, as frequent as in the data. Values are cut
    to the range that the packed form can hold.
    """
    rng = torch.Generator().manual_seed(seed)
    spec = train.codec.spec
    classes = train.labels() if _per_class(train) else None
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
    return Dataset(name=baseline_name(train), codec=train.codec, arrays=packed, fingerprint=fingerprint(packed))


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
