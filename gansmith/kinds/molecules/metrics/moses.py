"""The measures of MOSES (Polykovskiy et al. 2020, "Molecular Sets", section 3.4): validity, uniqueness, novelty, diversity, likeness.

All but the first two are measured over the different valid molecules. Fingerprints are Morgan's of radius 2 in 1,024 bits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from gansmith.data.dataset import choose
from gansmith.evaluation.score import Measured, jackknife
from gansmith.evaluation.sides import Side
from gansmith.kinds.molecules.build import smiles_of
from gansmith.kinds.molecules.chemistry import canonical, fingerprints, fragments, measured, passes, scaffold, tanimoto
from gansmith.metrics.registry import NotApplicableError

METRICS = {
    "valid": ("higher", "share that RDKit reads as one molecule with allowed valences; SELFIES always are"),
    "unique": ("higher", "share of different molecules among the valid ones (diversity); more examples have less"),
    "novel": ("higher", "share of the different valid ones that no training molecule equals"),
    "internal_diversity": ("higher", "one minus the mean Tanimoto similarity of two of them (diversity)"),
    "nearest_similarity": ("higher", "mean Tanimoto similarity to the nearest held-out molecule (quality)"),
    "scaffold_similarity": ("higher", "cosine of the counts of scaffolds of generated and training molecules"),
    "fragment_similarity": ("higher", "cosine of the counts of BRICS fragments of generated and training molecules"),
    "filters": ("higher", "share without substructures that chemists avoid: PAINS and Brenk's (RDKit's catalogues)"),
    "property_distance": ("lower", "Wasserstein distance of logP, QED, SA and weight, in their deviations, on average"),
}
SAYS = {
    "valid": "quality",
    "unique": "diversity",
    "novel": "memorisation",
    "internal_diversity": "diversity",
    "nearest_similarity": "quality",
    "scaffold_similarity": "both",
    "fragment_similarity": "both",
    "filters": "quality",
    "property_distance": "both",
}
BASELINE = "independent tokens"
SPREAD = ("logp", "qed", "sa", "weight")
COMPARED = 3000
"""Molecules on each side of a comparison of fingerprints."""


def known_molecules(smiles: list[str]) -> list[str | None]:
    """Canonical SMILES of what is one molecule without a placeholder, None of all else."""
    return [known if (known := canonical(each)) and "." not in known and "*" not in known else None for each in smiles]


def measure(side: Side) -> dict[str, Measured]:
    """Raises NotApplicableError where fewer than 20 different molecules are valid, but for their share."""
    seed = side.real.seed
    made = known_molecules(smiles_of(side.data))
    right = np.array([each is not None for each in made], float)
    found = {"valid": _measured(jackknife(lambda kept: float(right[kept].mean()), len(right), seed, (0.0, 1.0)), len(right), 0)}
    valid = [each for each in made if each is not None]
    if len(valid) >= 20:
        codes = np.unique(np.array(valid), return_inverse=True)[1]
        unique = jackknife(lambda kept: len(np.unique(codes[kept])) / len(kept), len(valid), seed, (0.0, 1.0))
        found["unique"] = _measured(unique, len(valid), 0)
    different = list(dict.fromkeys(valid))
    if len(different) < 20:
        return found
    train = side.real.train
    training = set(smiles_of(train))
    new = np.array([each not in training for each in different], float)
    found["novel"] = _measured(jackknife(lambda kept: float(new[kept].mean()), len(new), seed, (0.0, 1.0)), len(new), len(train))
    some = [different[place] for place in choose(len(different), COMPARED, seed)]
    bits, held = fingerprints(some), side.real.held_out
    alike = tanimoto(bits, bits)

    def diversity(kept: np.ndarray) -> float:
        part = alike[np.ix_(kept, kept)]
        return 1 - float((part.sum() - len(kept)) / max(1, len(kept) * (len(kept) - 1)))

    found["internal_diversity"] = _measured(jackknife(diversity, len(some), seed, (0.0, 1.0)), len(some), 0)
    others = [each for each in known_molecules(smiles_of(held, choose(len(held), COMPARED, seed))) if each is not None]
    reference = _reference(side)
    nearest = _nearest(some, bits, others)
    found["nearest_similarity"] = _measured(
        jackknife(lambda kept: float(nearest[kept].mean()), len(nearest), seed, (0.0, 1.0)), len(nearest), len(others)
    )
    if train.groups is None:  # held out by scaffold, real molecules share none with the training set
        own, theirs = [scaffold(each) for each in different], Counter(map(scaffold, reference))
        found["scaffold_similarity"] = _measured(
            jackknife(lambda kept: cosine(Counter(own[place] for place in kept), theirs), len(own), seed, (0.0, 1.0)),
            len(own),
            len(reference),
        )
    pieces, known = [fragments(each) for each in different], _counted(fragments(each) for each in reference)
    found["fragment_similarity"] = _measured(
        jackknife(lambda kept: cosine(_counted(pieces[place] for place in kept), known), len(pieces), seed, (0.0, 1.0)),
        len(pieces),
        len(reference),
    )
    clean = np.array([passes(each) for each in different], float)
    found["filters"] = _measured(jackknife(lambda kept: float(clean[kept].mean()), len(clean), seed, (0.0, 1.0)), len(clean), 0)
    numbers, real = (np.array([[measured(each, name) for name in SPREAD] for each in rows]) for rows in (some, reference))
    scale = np.maximum(real.std(0), 1e-9)
    found["property_distance"] = _measured(
        jackknife(lambda kept: wasserstein(numbers[kept] / scale, real / scale), len(some), seed, (0.0, np.inf)),
        len(some),
        len(reference),
    )
    return found


def cosine(a: Counter[str], b: Counter[str]) -> float:
    """The cosine between counts."""
    shared = sum(count * b[name] for name, count in a.items())
    sizes = (sum(count**2 for count in a.values()) * sum(count**2 for count in b.values())) ** 0.5
    return shared / sizes if sizes else 0.0


def _counted(parts: Iterable[tuple[str, ...]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for own in parts:
        found.update(own)
    return found


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """The mean over columns of the Wasserstein-1 distance."""
    from scipy.stats import wasserstein_distance

    return float(np.mean([wasserstein_distance(a[:, place], b[:, place]) for place in range(a.shape[1])]))


def _reference(side: Side) -> list[str]:
    """Valid training molecules."""
    train = side.real.train
    rows = smiles_of(train, choose(len(train), COMPARED, side.real.seed + 1))
    found = [each for each in known_molecules(rows) if each is not None]
    if not found:
        raise NotApplicableError("these measures compare with training molecules, and none of them is a single one.")
    return found


def _nearest(some: list[str], bits: np.ndarray, others: list[str]) -> np.ndarray:
    """The similarity of each to its nearest among the others, itself left out once."""
    alike = tanimoto(bits, fingerprints(others))
    same = np.array(some)[:, None] == np.array(others)[None]
    return np.where(same, 0.0, alike).max(1)


def _measured(found: tuple[float, float, float], samples: int, references: int) -> Measured:
    value, low, high = found
    return Measured(value=value, low=low, high=high, samples=samples, reference_samples=references, space="RDKit")
