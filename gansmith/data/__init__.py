"""Sources and codecs: one module per kind of data."""

import importlib
from typing import Any


def load_codec(facts: dict[str, Any]) -> Any:
    """The codec that `codec.to_json()` described: its kind names the module of this package that holds it."""
    return importlib.import_module(f"gansmith.data.{facts['spec']['kind']}").Codec.from_json(facts)
