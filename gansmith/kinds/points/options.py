"""How points are read: there is nothing to choose."""

from __future__ import annotations

from dataclasses import dataclass

from gansmith.data.options import DataOptions

BUILTIN = {
    "ring": "100,000 points in the plane, 8 Gaussians on a circle; offline",
    "grid": "100,000 points in the plane, 25 Gaussians on a grid; offline",
}
"""The built-in data of this kind, each with one line of description."""


@dataclass(frozen=True, kw_only=True)
class Options(DataOptions):
    """Points have no options."""
