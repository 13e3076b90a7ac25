"""Weights and facts as gansmith loads them: model.safetensors and model.json in a folder of their own.

    gansmith export RUN --to safetensors

The folder is what `gansmith generate` and `gansmith.load` take; it can be moved, shared and kept.
"""

from pathlib import Path

from gansmith.model import Model

FILE = ""


def write(model: Model, path: Path) -> str:
    """Fills the folder. Raises UserError if it cannot be written."""
    model.save(path)
    return "all that gansmith generate and gansmith.load need, without data and without pickle."
