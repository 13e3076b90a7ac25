"""Data doubled by its mirror images (the horizontal flips of StyleGAN2, Karras et al. 2020, appendix B)."""

import hashlib
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from gansmith.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Mirrored(Dataset):
    """A data set in which every image also occurs mirrored left to right, nothing being stored twice.

    Of `indices`, those from N on (N stored rows) are the mirrored row `index - N`.
    """

    def __len__(self) -> int:
        return 2 * self._stored if self.indices is None else len(self.indices)

    def packed(self, positions: np.ndarray | slice) -> dict[str, np.ndarray]:
        indices = self._indices(positions)
        rows, is_mirrored = indices % self._stored, indices >= self._stored
        packed = {key: np.asarray(array[rows]) for key, array in self.arrays.items()}
        images = packed[self.codec.spec.key]
        images[is_mirrored] = images[is_mirrored][..., ::-1]
        return packed

    def labels(self) -> np.ndarray | None:
        return np.asarray(self.arrays["label"])[self._all % self._stored] if self.codec.spec.classes else None

    def split(self, share: float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """As of the data that is not mirrored, so that no held-out image has its mirror image in the training split."""
        if self.held_out is not None:
            return replace(self, held_out=None), self.held_out
        rows = self._all % self._stored
        train, held = Dataset(**{**_fields(self), "indices": np.unique(rows)}).split(share, seed)
        assert train.indices is not None
        return self.subset(np.flatnonzero(np.isin(rows, train.indices))), held

    def _indices(self, positions: np.ndarray | slice) -> np.ndarray:
        """Those at these positions, at a cost that does not grow with the data."""
        if self.indices is not None:
            return self.indices[positions]
        return np.arange(*positions.indices(len(self))) if isinstance(positions, slice) else np.asarray(positions)

    @property
    def _stored(self) -> int:
        return len(self.arrays[self.codec.spec.key])

    @property
    def _all(self) -> np.ndarray:
        return np.arange(2 * self._stored) if self.indices is None else self.indices


def mirrored(dataset: Dataset) -> Mirrored:
    """`dataset` twice over: positions from its length on are its examples mirrored. Its held-out split stays as it is."""
    stored = len(dataset.arrays[dataset.codec.spec.key])
    indices = None if dataset.indices is None else np.concatenate([dataset.indices, dataset.indices + stored])
    mark = hashlib.sha256(f"mirrored {dataset.fingerprint}".encode()).hexdigest()[:32]
    return Mirrored(**{**_fields(dataset), "indices": indices, "fingerprint": mark})


def _fields(dataset: Dataset) -> dict[str, Any]:
    return {field.name: getattr(dataset, field.name) for field in fields(dataset)}
