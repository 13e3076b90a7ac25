"""What all kinds of data share."""

import importlib
from typing import Any

_PLACES = {"pairs": "gansmith.data.paired", "domains": "gansmith.kinds.images.domains"}


def load_codec(facts: dict[str, Any]) -> Any:
    """The codec that `codec.to_json()` described."""
    kind = facts["spec"]["kind"]
    return importlib.import_module(_PLACES.get(kind, f"gansmith.kinds.{kind}.codec")).Codec.from_json(facts)
