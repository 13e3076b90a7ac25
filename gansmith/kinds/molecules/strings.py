"""Molecules as tokens: SMILES (Weininger 1988) and SELFIES (Krenn et al. 2020), of which every string is a molecule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gansmith.data.tokens import TokenSpec
from gansmith.errors import missing_extra
from gansmith.kinds.molecules.chemistry import REMEMBERED, canonical

SPECIAL = 3
"""The number of the first piece: before it stand padding, the end, and what is unknown."""

SMILES = re.compile(r"\[[^\]]+\]|Br|Cl|%\d\d|\\|[A-Za-z*]|[().=#$:/+~@?>-]|\d")
"""Tokens of SMILES: atoms in brackets whole, as in Schwaller et al. 2018."""


def selfies() -> Any:
    """The package. Raises UserError if it is not installed."""
    try:
        import selfies as package
    except ImportError as error:
        raise missing_extra("selfies", "molecules", "Writing molecules as SELFIES") from error
    return package


@lru_cache(REMEMBERED)
def split(smiles: str, language: str) -> tuple[str, ...] | None:
    """The tokens of a SMILES string in this language; None if it cannot be written in it."""
    if language == "smiles":
        found = SMILES.findall(smiles)
        return tuple(found) if "".join(found) == smiles else None
    package = selfies()
    try:
        return tuple(package.split_selfies(package.encoder(smiles)))
    except package.EncoderError:
        return None


def joined(tokens: Sequence[str], language: str) -> str:
    """The SMILES of tokens: as they stand, valid or not; of SELFIES, the canonical SMILES of what they mean."""
    text = "".join(tokens)
    if language == "smiles" or not text:
        return text
    package = selfies()
    try:
        found = package.decoder(text)
    except package.DecoderError:
        return ""
    return canonical(found) or found


def written(row: Sequence[int], pieces: Sequence[str], language: str) -> str:
    """The SMILES of a row of numbers: the pieces from SPECIAL on, up to the end."""
    kept = row[: row.index(TokenSpec.end)] if TokenSpec.end in row else row
    return joined([pieces[token - SPECIAL] for token in kept if token >= SPECIAL], language)
