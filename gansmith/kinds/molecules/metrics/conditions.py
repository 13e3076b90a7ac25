"""Whether molecules have the properties that were asked for: the rank correlation of requested and computed values."""

from __future__ import annotations

import numpy as np

from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.molecules.build import smiles_of
from gansmith.kinds.molecules.chemistry import PROPERTIES, canonical, measured
from gansmith.metrics.registry import NotApplicableError

METRICS = {"property_correlation": ("higher", "Spearman correlation of requested and computed properties, on average")}
SAYS = "quality"
BASELINE = "independent tokens"


def measure(side: Side) -> dict[str, Measured]:
    """Over valid molecules. Raises NotApplicableError for data without computed properties."""
    from scipy.stats import spearmanr

    spec = side.data.codec.spec
    names = [name for name in spec.attributes if name in PROPERTIES]
    if not names or "label" not in side.data.arrays:
        raise NotApplicableError(
            "property_correlation needs computed properties as conditions: train with --properties qed,logp."
        )
    packed = side.data.packed(slice(None))
    valid = [(row, known) for row, each in enumerate(smiles_of(side.data)) if (known := canonical(each)) is not None]
    if len(valid) < 20:
        raise NotApplicableError(f"property_correlation needs 20 valid molecules, and {side.name} has {len(valid)}.")
    asked = packed["label"][[row for row, _ in valid]][:, [spec.attributes.index(name) for name in names]]
    got = np.array([[measured(each, name) for name in names] for _, each in valid])

    def correlation(kept: np.ndarray) -> float:
        found = [spearmanr(asked[kept, place], got[kept, place]).statistic for place in range(len(names))]
        return float(np.nan_to_num(found).mean())

    value, low, high = jackknife(correlation, len(valid), side.real.seed, (-1.0, 1.0))
    return {
        "property_correlation": Measured(value=value, low=low, high=high, samples=len(valid), reference_samples=0, space="RDKit")
    }
