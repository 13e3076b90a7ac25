"""Features of molecules without a network: which substructures they have, and their properties."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from gansmith.data.dataset import Dataset
from gansmith.evaluation.cache import content_key, remember
from gansmith.kinds.molecules.build import smiles_of
from gansmith.kinds.molecules.chemistry import BITS, PROPERTIES, canonical, fingerprints, measured

DIMENSIONS = 48
"""Directions in which fingerprints differ; properties are added to them."""
MAXIMUM = 10_000
"""Training molecules from which they are found."""


class FingerprintFeatures:
    """Where Morgan fingerprints lie in the principal directions of the training molecules', and their seven computed properties, each
    part scaled to variance 1 on average. What is no molecule has the fingerprint and properties of nothing: zeros."""

    name = "fingerprints"

    def __init__(self, train: Dataset, seed: int, folder: Path) -> None:
        self.train, self.seed, self.folder = train, seed, folder
        self.key = f"molecule-fingerprints {DIMENSIONS} {BITS} {seed} {content_key(train)}"

    def features(self, data: Dataset) -> Float[Tensor, "batch features"]:
        known = self._learned
        bits, numbers = described(smiles_of(data))
        along = (bits - known["centre"]) @ known["directions"] / known["scale"]
        return torch.cat([along, (numbers - known["mean"]) / known["deviation"]], 1)

    @cached_property
    def _learned(self) -> dict[str, Tensor]:
        return remember(self.folder, "molecule-features", (self.key,), self._learn)

    def _learn(self) -> dict[str, Tensor]:
        chosen = np.sort(np.random.default_rng(self.seed).permutation(len(self.train))[:MAXIMUM])
        bits, numbers = described(smiles_of(self.train, chosen))
        centre = bits.mean(0)
        values, vectors = torch.linalg.eigh((bits - centre).T @ (bits - centre) / len(bits))
        directions = vectors[:, -DIMENSIONS:].contiguous()
        return {
            "centre": centre,
            "directions": directions,
            "scale": values[-DIMENSIONS:].clamp_min(1e-9).mean().sqrt(),
            "mean": numbers.mean(0),
            "deviation": numbers.std(0, correction=0).clamp_min(1e-3),
        }


def described(smiles: list[str]) -> tuple[Float[Tensor, "molecules bits"], Float[Tensor, "molecules properties"]]:
    """Fingerprints and computed properties, zeros of what is no molecule."""
    bits, numbers = np.zeros((len(smiles), BITS)), np.zeros((len(smiles), len(PROPERTIES)))
    valid = [(place, known) for place, each in enumerate(smiles) if (known := canonical(each)) is not None]
    if valid:
        places, known = map(list, zip(*valid, strict=True))
        bits[places] = fingerprints(known)
        numbers[places] = [[measured(each, name) for name in PROPERTIES] for each in known]
    return torch.from_numpy(bits), torch.from_numpy(numbers)
