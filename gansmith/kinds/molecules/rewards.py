"""Computed properties as rewards from 0 to 1, for games that learn by them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import PROPERTIES, canonical, measured
from gansmith.kinds.molecules.codec import MoleculeCodec
from gansmith.kinds.molecules.spec import MoleculeSpec

BOUNDED = {"qed": (0.0, 1.0), "sa": (1.0, 10.0), "logp": (-2.122, 6.043)}
"""From the property that is worth 0 to that which is worth 1; of logP as in MolGAN (De Cao & Kipf 2018)."""
USUAL = {"weight": (300.0, 50.0), "tpsa": (60.0, 20.0), "rings": (2.0, 0.7), "atoms": (20.0, 4.0)}
"""The property that is worth a half, and how much more of it makes it e times likelier to be worth 1."""


def reward(spec: MoleculeSpec, objective: str) -> Callable[[np.ndarray], np.ndarray]:
    """A function of packed tokens [N, length]: the worth of each molecule [N], 0 of what is none. "-sa" rewards little of a property.

    Raises UserError for what is no computed property, and for graphs.
    """
    name = objective.removeprefix("-")
    if name not in PROPERTIES:
        raise UserError(
            f"--gan.objective takes a computed property ({listed(PROPERTIES, 10)}), or one with a minus, but it is {objective!r}"
            f"{did_you_mean(name, PROPERTIES)}."
        )
    if spec.language == "graph":
        raise UserError("rewards are computed of tokens: choose --language selfies or smiles.")
    codec = MoleculeCodec(spec, spec.pieces)

    def worth(smiles: str) -> float:
        known = canonical(smiles)
        if known is None or "." in known or "*" in known:
            return 0.0
        value = measured(known, name)
        if name in BOUNDED:
            low, high = BOUNDED[name]
            share = min(1.0, max(0.0, (value - low) / (high - low)))
        else:
            middle, scale = USUAL[name]
            share = 1 / (1 + math.exp(-max(-50.0, min(50.0, (value - middle) / scale))))
        return 1 - share if objective.startswith("-") else share

    return lambda tokens: np.array([worth(each) for each in codec.smiles(tokens)], np.float32)
