"""Models of molecules without a game."""

from __future__ import annotations

import numpy as np

from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import fingerprint
from gansmith.data.ngrams import Chain
from gansmith.kinds.molecules.chemistry import canonical

ORDER = 5
"""Tokens that the n-gram model looks back."""
TRIED = 20
"""Atoms that are tried before a molecule is left as it is."""


def independent_parts(train: Dataset, count: int, seed: int) -> Dataset:
    """Tokens drawn independently, as often as in the data; of graphs, every cell as it is in some training molecule."""
    spec, rng = train.codec.spec, np.random.default_rng(seed)
    packed = train.packed(slice(None))
    rows = packed[spec.key]
    if len(spec.shape) == 2:
        found = np.empty((count, *spec.shape), rows.dtype)
        for first in range(spec.shape[0]):
            for second in range(first, spec.shape[0]):
                found[:, first, second] = found[:, second, first] = rows[rng.integers(0, len(rows), count), first, second]
        return _made(train, found, packed, rng)
    return _made(train, _chain(train, rows, 0).sample(count, rng).astype(rows.dtype), packed, rng)


def ngrams(train: Dataset, count: int, seed: int) -> Dataset:
    """Molecules of a Kneser-Ney n-gram model of the tokens; of graphs, training molecules with one carbon more (AddCarbon)."""
    spec, rng = train.codec.spec, np.random.default_rng(seed)
    packed = train.packed(slice(None))
    if len(spec.shape) == 2:
        return add_carbon(train, count, seed)
    rows = packed[spec.key]
    return _made(train, _chain(train, rows, ORDER).sample(count, rng).astype(rows.dtype), packed, rng)


def add_carbon(train: Dataset, count: int, seed: int) -> Dataset:
    """Training molecules, each with a carbon at the first place where it gives a new molecule that is valid (Renz et al. 2019)."""
    codec, rng = train.codec, np.random.default_rng(seed)
    packed = train.packed(slice(None))
    rows = packed[codec.spec.key]
    known = set(codec.smiles(rows))  # pyright: ignore[reportAttributeAccessIssue]
    found = np.empty((count, *codec.spec.shape), rows.dtype)
    for place, row in enumerate(rng.integers(0, len(rows), count).tolist()):
        (smiles,) = codec.smiles(rows[row : row + 1])  # pyright: ignore[reportAttributeAccessIssue]
        found[place] = rows[row]
        for at in rng.permutation(len(smiles) + 1)[:TRIED].tolist():
            made = canonical(f"{smiles[:at]}C{smiles[at:]}")
            if made and made not in known and (numbers := codec.numbers(made)) is not None:  # pyright: ignore[reportAttributeAccessIssue]
                found[place] = numbers
                break
    return _made(train, found, packed, rng)


def _chain(train: Dataset, rows: np.ndarray, order: int) -> Chain:
    return Chain(rows, order, train.codec.spec.end)  # pyright: ignore[reportAttributeAccessIssue]


def _made(train: Dataset, rows: np.ndarray, packed: dict[str, np.ndarray], rng: np.random.Generator) -> Dataset:
    arrays = {train.codec.spec.key: rows}
    if "label" in packed:
        arrays["label"] = packed["label"][rng.integers(0, len(packed["label"]), len(rows))]
    return Dataset(name="molecules without a game", codec=train.codec, arrays=arrays, fingerprint=fingerprint(arrays))
