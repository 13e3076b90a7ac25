"""Weights that installed packages bring, found without importing the packages."""

import importlib.util
from pathlib import Path


def brought_by(package: str, *parts: str) -> Path | None:
    """The path of a file or folder of an installed package; None if there is none."""
    found = importlib.util.find_spec(package)
    paths = [Path(folder, *parts) for folder in (found.submodule_search_locations or ())] if found else []
    return next((path for path in paths if path.exists()), None)
