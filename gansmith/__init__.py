"""gansmith: train, judge and use generative adversarial networks.

Importing this package imports no torch; the names below are loaded when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "train": "gansmith.api",
    "load": "gansmith.api",
    "evaluate": "gansmith.api",
    "compare": "gansmith.comparison",
    "inspect": "gansmith.api",
    "open_dataset": "gansmith.data.sources",
    "GAN": "gansmith.game",
    "Player": "gansmith.game",
    "Move": "gansmith.game",
    "Preset": "gansmith.game",
    "Model": "gansmith.model",
    "Run": "gansmith.run",
    "Spec": "gansmith.data.spec",
    "TableGAN": "gansmith.table_gan",
    "Augmenter": "gansmith.table_gan",
    "UserError": "gansmith.errors",
}

__all__ = [*_HOMES, "__version__"]

if TYPE_CHECKING:
    from gansmith.api import evaluate, inspect, load, train
    from gansmith.comparison import compare
    from gansmith.data.sources import open_dataset
    from gansmith.data.spec import Spec
    from gansmith.errors import UserError
    from gansmith.game import GAN, Move, Player, Preset
    from gansmith.model import Model
    from gansmith.run import Run
    from gansmith.table_gan import Augmenter, TableGAN


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'gansmith' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
