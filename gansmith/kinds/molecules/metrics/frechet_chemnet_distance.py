"""FCD (Preuer et al. 2018): the Frechet distance of ChemNet's last activations, over the valid molecules; needs the package fcd_torch."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from gansmith.data.dataset import choose
from gansmith.evaluation.cache import content_key
from gansmith.evaluation.score import Measured
from gansmith.evaluation.sides import Side
from gansmith.kinds.molecules.build import smiles_of
from gansmith.kinds.molecules.metrics.moses import known_molecules
from gansmith.metrics.frechet import Moments, distance_with_interval
from gansmith.metrics.registry import NotApplicableError

METRICS = {"fcd": ("lower", "Frechet ChemNet distance: chemistry and biological activity, quality and diversity in one")}
SAYS = "both"
BASELINE = "independent tokens"
LEAST = 32


def measure(side: Side) -> dict[str, Measured]:
    """Against as many training molecules as there are generated ones; biased upward with few. Raises NotApplicableError without the
    package."""
    import torch

    valid = [each for each in known_molecules(smiles_of(side.data)) if each is not None]
    if len(valid) < LEAST:
        raise NotApplicableError(f"fcd needs at least {LEAST} valid molecules, and {side.name} has {len(valid)}.")
    train = side.real.train
    reference = _moments(content_key(train), tuple(smiles_of(train, choose(len(train), side.real.count, side.real.seed + 1))))
    value, low, high = distance_with_interval(torch.from_numpy(_activations(valid)).double(), reference)
    return {
        "fcd": Measured(value=value, low=low, high=high, samples=len(valid), reference_samples=reference.count, space="ChemNet")
    }


@cache
def _network() -> Any:
    try:
        import fcd_torch
    except ImportError as error:
        raise NotApplicableError('fcd needs the package fcd_torch: run pip install "gansmith[molecules]".') from error
    return fcd_torch.FCD(device="cpu", n_jobs=0, batch_size=512, canonize=False)


@cache
def _moments(key: str, smiles: tuple[str, ...]) -> Moments:
    return Moments.of(_activations([each for each in known_molecules(list(smiles)) if each is not None]).astype(np.float64))


def _activations(smiles: list[str]) -> np.ndarray:
    """ChemNet's last activations [molecules, 512] of canonical SMILES."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the package calls NumPy's row_stack
        return np.asarray(_network().get_predictions(smiles))
