"""gansmith: train, judge and use generative adversarial networks.

Importing this package imports no torch; the names below are loaded when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "train": "gansmith.api",
    "load": "gansmith.api",
    "connect": "gansmith.remote",
    "evaluate": "gansmith.api",
    "compare": "gansmith.evaluation.compare",
    "inspect": "gansmith.api",
    "open_dataset": "gansmith.kinds.opening",
    "GAN": "gansmith.game",
    "Player": "gansmith.game",
    "Move": "gansmith.game",
    "Preset": "gansmith.game",
    "Model": "gansmith.model",
    "Run": "gansmith.runs.run",
    "Spec": "gansmith.data.spec",
    "Kind": "gansmith.kinds.kind",
    "TableGAN": "gansmith.kinds.tables.estimator",
    "Augmenter": "gansmith.kinds.tables.estimator",
    "UserError": "gansmith.errors",
}

__all__ = [*_HOMES, "__version__"]

if TYPE_CHECKING:
    from gansmith.api import evaluate, inspect, load, train
    from gansmith.data.spec import Spec
    from gansmith.errors import UserError
    from gansmith.evaluation.compare import compare
    from gansmith.game import GAN, Move, Player, Preset
    from gansmith.kinds.opening import open_dataset
    from gansmith.kinds.tables.estimator import Augmenter, TableGAN
    from gansmith.model import Model
    from gansmith.remote import connect
    from gansmith.runs.run import Run


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'gansmith' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
