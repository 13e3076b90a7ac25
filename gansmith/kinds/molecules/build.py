"""From molecules as they were found to a data set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gansmith.data.attributes import Attributes
from gansmith.data.cache import Writer, store, stored
from gansmith.data.dataset import Dataset
from gansmith.data.fingerprint import described, fingerprint
from gansmith.data.suggestions import did_you_mean, listed
from gansmith.errors import UserError
from gansmith.kinds.molecules.chemistry import PROPERTIES, canonical, measured, scaffold
from gansmith.kinds.molecules.codec import MoleculeCodec
from gansmith.kinds.molecules.molecule import Molecules
from gansmith.kinds.molecules.options import Options

MINIMUM = 2
"""Fewer valid molecules are no data."""
CACHED = 5_000
"""From so many molecules on, what was parsed is kept in the cache: a hundred thousand take minutes."""
VERSION = "1"
"""Raised when parsing changes."""


def opened_molecules(found: Molecules, options: Options, cache: Path, like: MoleculeCodec | None = None) -> Dataset:
    """As `build_molecules`, from the cache if the same molecules were opened with the same options before."""
    if len(found.smiles) < CACHED:
        return build_molecules(found, options, like)
    key = _key(found, options, like)
    entry = stored(cache, found.name, key)
    if entry is None:
        data = build_molecules(found, options, like)

        def fill(writer: Writer) -> dict[str, Any]:
            groups = {} if data.groups is None else {"groups": np.asarray(data.groups)}
            writer.append({**data.arrays, **groups})
            notes = list(data.facts.get("notes", ()))
            return {"codec": data.codec.to_json(), "notes": notes, "fingerprint": data.fingerprint}

        entry = store(cache, found.name, key, fill)
    arrays = dict(entry.arrays)
    groups = arrays.pop("groups", None)
    return Dataset(
        name=found.name,
        codec=like if like is not None else MoleculeCodec.from_json(entry.facts["codec"]),
        arrays=arrays,
        fingerprint=entry.facts["fingerprint"],
        groups=groups,
        facts={"notes": tuple(entry.facts["notes"])} if entry.facts["notes"] else {},
    )


def _key(found: Molecules, options: Options, like: MoleculeCodec | None) -> str:
    """All that decides what becomes of these molecules."""
    names = like.spec.attributes if like is not None else options.properties
    facts = [VERSION, options.to_json(), None if like is None else like.to_json(), list(found.notes), list(found.places)]
    columns = {name: list(map(repr, found.columns[name])) for name in names if name in found.columns}
    told = json.dumps([*facts, columns, list(found.smiles)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def build_molecules(found: Molecules, options: Options, like: MoleculeCodec | None = None) -> Dataset:
    """Molecules as a data set; `like` is the codec of others, which these are to be encoded as."""
    smiles = [canonical(each) for each in found.smiles]
    rows = [row for row, each in enumerate(smiles) if each is not None]
    valid = [each for each in smiles if each is not None]
    notes = list(found.notes)
    if len(rows) < len(smiles):
        bad = [f"{found.places[row]} ({found.smiles[row][:40]})" for row, each in enumerate(smiles) if each is None]
        if 2 * len(bad) > len(smiles) or len(valid) < MINIMUM:
            raise UserError(
                f"{len(bad):,} of {len(smiles):,} entries of {found.name} are no molecules, such as {bad[0]}: give SMILES, and name "
                "their column with --smiles if it is a table."
            )
        notes.append(f"{len(bad):,} entries are no molecules and are left out: {listed(bad, 3)}")
    names = like.spec.attributes if like is not None else options.properties
    values = _values(found, rows, valid, names)
    if like is not None:
        codec = like
    else:
        codec = MoleculeCodec.fit(valid, options.language, options.length, Attributes.fit(names, values) if names else None)
    numbers = [codec.numbers(each) for each in valid]
    kept = [place for place, each in enumerate(numbers) if each is not None]
    if len(kept) < MINIMUM:
        raise UserError(
            f"only {len(kept)} of {len(valid):,} molecules of {found.name} fit into the {codec.length} tokens or atoms of this model and "
            "its vocabulary: choose a greater --length, or other data."
        )
    if len(kept) < len(valid):
        notes.append(
            f"{len(valid) - len(kept):,} of {len(valid):,} molecules are larger than {codec.length} "
            f"{'atoms' if codec.spec.language == 'graph' else 'tokens'} or cannot be written with these tokens, and are left out"
        )
    arrays = {codec.spec.key: np.stack([each for each in numbers if each is not None])}
    if names:
        arrays["label"] = values[kept].astype(np.float32)
    written = [valid[place] for place in kept]
    return Dataset(
        name=found.name,
        codec=codec,
        arrays=arrays,
        fingerprint=fingerprint(arrays, described(codec)),
        groups=_scaffolds(written) if options.hold_out == "scaffold" else None,
        facts={"notes": tuple(notes)} if notes else {},
    )


def smiles_of(data: Dataset, positions: np.ndarray | slice = slice(None)) -> list[str]:
    """The SMILES of packed examples, valid or not."""
    codec = data.codec
    assert isinstance(codec, MoleculeCodec)
    return codec.smiles(data.packed(positions)[codec.spec.key])


def _values(found: Molecules, rows: Sequence[int], valid: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """The properties [molecules, names], from columns of the source, else computed."""
    values = np.zeros((len(valid), len(names)))
    for place, name in enumerate(names):
        if name in found.columns:
            values[:, place] = np.array(found.columns[name])[list(rows)]
        elif name in PROPERTIES:
            values[:, place] = [measured(each, name) for each in valid]
        else:
            known = [*found.columns, *PROPERTIES]
            raise UserError(
                f"there is no property {name}{did_you_mean(name, known)}: choose columns of numbers in {found.name} or computed ones: "
                f"{listed(known, 30)}."
            )
    return values


def _scaffolds(smiles: Sequence[str]) -> np.ndarray:
    """A number for each molecule's scaffold; a molecule without rings has one of its own."""
    names = [scaffold(each) or f"acyclic {each}" for each in smiles]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)
